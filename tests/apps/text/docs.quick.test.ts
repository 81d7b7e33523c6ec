/** The examples of docs/apps/text.md, as they stand there. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { useDevice } from '../../../src/core/index.js';
import {
  Cell,
  dense,
  dropout,
  initialize,
  lstm,
  recurrent,
  sequential,
  type Tensor,
  training,
  zeros,
} from '../../../src/index.js';

useDevice('reference');

const model = sequential({ input: [50, 65] }, [
  lstm(128, { returnSequences: true, stateful: true, batchSize: 50 }),
  dropout(0.2),
  lstm(128, { returnSequences: true, stateful: true, batchSize: 50 }),
  dense(65),
]);

class Leaky extends Cell<{ readonly h: Tensor }> {
  readonly stateShapes = { h: [64] };
  readonly kernel = this.parameter('kernel', [32, 64], 'glorotUniform');

  // for all steps at once, before the loop
  override project(x: Tensor): Tensor {
    return x.matmul(this.kernel);
  }
  step(x: Tensor, { h }: { readonly h: Tensor }): { readonly h: Tensor } {
    return { h: h.mul(0.9).add(x.tanh().mul(0.1)) };
  }
  output({ h }: { readonly h: Tensor }): Tensor {
    return h;
  }
}

const layer = recurrent(() => new Leaky(), { returnSequences: true });

test('the examples of docs/apps/text.md are those of this file, and run', async () => {
  const docs = await readFile('docs/apps/text.md', 'utf8');
  const own = (await readFile('tests/apps/text/docs.quick.test.ts', 'utf8')).replaceAll(/\s+/g, ' ');
  const blocks = [...docs.matchAll(/```ts\nimport [^\n]*\n\n([\s\S]*?)```/g)].map(([, code]) => code!.trim());
  assert.equal(blocks.length, 2);
  for (const block of blocks) assert.ok(own.includes(block.replaceAll(/\s+/g, ' ')), block);

  assert.deepEqual(
    model.steps.map(({ output }) => output.shape),
    [
      [50, 128],
      [50, 128],
      [50, 128],
      [50, 65],
    ],
  );
  const whole = sequential({ input: [3, 32] }, [layer]);
  initialize(whole);
  assert.deepEqual(whole.forward(zeros([2, 3, 32]), training).shape, [2, 3, 64]);
});
