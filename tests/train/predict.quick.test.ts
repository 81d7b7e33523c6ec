import assert from 'node:assert/strict';
import test from 'node:test';
import { predict } from '../../src/train/index.js';
import { clusters, smallNetwork } from './small.js';

test('the result does not depend on the size of the batches', async () => {
  const model = smallNetwork();
  const images = clusters(11).fields['images']!;
  const whole = await predict(model, images, { scale: 1 / 255 });
  assert.deepEqual(whole.shape, [11, 3]);
  for (const batchSize of [1, 2, 5, 8]) {
    assert.deepEqual(await predict(model, images, { scale: 1 / 255, batchSize }), whole, `batchSize ${batchSize}`);
  }
});

test('nothing to predict is an error', async () => {
  await assert.rejects(predict(smallNetwork(), { dtype: 'uint8', shape: [0, 6], data: new Uint8Array() }), {
    message: 'predict: the inputs are [0, 6]\n  Give at least one example along the first axis.',
  });
});
