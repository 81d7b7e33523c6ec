import assert from 'node:assert/strict';
import test from 'node:test';
import type { HostArray, Tensor } from '../../src/core/index.js';
import { Dataset } from '../../src/data/index.js';
import { activation, crossEntropy, dense, initialize, sequential, sgd } from '../../src/nn/index.js';
import { type Callback, fit } from '../../src/train/index.js';
import { clusters, smallNetwork, smallOptions, valuesIn } from './small.js';

const mend =
  '\n  The step changed nothing, and the last checkpoint is kept. Try a lower learning rate or clip: { globalNorm: 1 },' +
  ' and look for such numbers in the data.';

/** A loss that is NaN from a certain step on would need state; a data set with one bad example does as well. */
function withBadExample(value: number): Dataset {
  const { images, labels } = clusters(24).fields;
  const data = Float32Array.from(images!.data, (pixel) => pixel / 255);
  data[20 * 6] = value;
  const inputs: HostArray = { dtype: 'float32', shape: images!.shape, data };
  return new Dataset({ name: 'bad', fields: { inputs, labels: labels! } });
}

test('a step that is not finite changes nothing, and the error names step and place', async () => {
  const model = smallNetwork();
  let before: number[] = [];
  const watch: Callback = { name: 'watch', onStep: () => void (before = valuesIn(model)) };
  const training = fit(model, withBadExample(Number.NaN), { ...smallOptions([watch]), shuffle: false });
  await assert.rejects(training, {
    name: 'KilnError',
    message: `fit: step 3 (epoch 1): the loss is NaN: the first value that is not finite is in the inputs of the batch${mend}`,
  });
  assert.deepEqual(valuesIn(model), before, 'weights, statistics and random keys');
});

test('the layer in which numbers overflow is named', async () => {
  const model = sequential({ input: [6] }, [
    dense(4),
    activation((x: Tensor) => x.mul(1e30).mul(1e30), { name: 'explode' }),
    dense(3),
  ]);
  initialize(model, { seed: 1 });
  await assert.rejects(fit(model, clusters(8), smallOptions()), {
    message: `fit: step 1 (epoch 1): the loss is Infinity: the first value that is not finite is in explode (mul)${mend}`,
  });
});

test('gradients that are not finite are seen where clipping needs their norm', async () => {
  const model = sequential({ input: [6] }, [dense(4, { name: 'first' }), dense(3)]);
  const before = valuesIn(model);
  // the root's slope at 0 is infinite; its value is not
  const loss = (outputs: Tensor, targets: Tensor): Tensor =>
    crossEntropy(outputs, targets).add(outputs.sub(outputs).sum().abs().sqrt());
  const training = fit(model, clusters(8), {
    ...smallOptions(),
    loss,
    optimizer: sgd(),
    clip: { globalNorm: 1 },
  });
  await assert.rejects(training, {
    message: `fit: step 1 (epoch 1): the gradients are not finite: the first value that is not finite is in the gradient of dense_1/bias${mend}`,
  });
  assert.deepEqual(valuesIn(model), before);
});
