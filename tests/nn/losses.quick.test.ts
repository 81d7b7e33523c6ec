import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tensor, valueAndGrad, zeros } from '../../src/core/index.js';
import {
  binaryCrossEntropy,
  type CrossEntropyOptions,
  crossEntropy,
  huber,
  type Loss,
  meanAbsoluteError,
  meanSquaredError,
} from '../../src/nn/index.js';
import { checkOp } from '../check-op.js';
import { onEachDevice } from '../devices.js';
import { goldenOf } from './golden.js';

const losses: Readonly<Record<string, (options: never) => Loss>> = {
  crossEntropy: (options: CrossEntropyOptions) => (logits, labels) => crossEntropy(logits, labels, options),
  binaryCrossEntropy: () => binaryCrossEntropy,
  meanSquaredError: () => meanSquaredError,
  meanAbsoluteError: () => meanAbsoluteError,
  huber,
};

for (const [op, lossFor] of Object.entries(losses)) {
  const rows = goldenOf(op);
  test(`${op} has golden rows`, () => assert.notEqual(rows.length, 0));
  for (const golden of rows) {
    test(`${golden.name} as PyTorch`, () => {
      const [predictions, targets] = golden.names as [string, string];
      const loss = lossFor(golden.options);
      onEachDevice((device) => {
        const x = golden.input(predictions);
        const { value, gradients } = valueAndGrad(() => loss(x, golden.input(targets)), x);
        golden.check(`loss on ${device}`, value, golden.output('loss'));
        golden.check(`gradient on ${device}`, gradients, golden.gradient(predictions));
      });
    });
  }
}

checkOp('crossEntropy', (x, { y }) => crossEntropy(x, y), [
  { x: [4, 3], y: { shape: [4], dtype: 'int32', low: 0, high: 2 } },
  { x: [4, 3], y: { shape: [4], dtype: 'uint8', low: 0, high: 2 } },
  { x: [2, 3, 5], y: { shape: [2, 3], dtype: 'int32', low: 0, high: 4 }, note: 'a label for each of three words' },
  { x: [4, 3], y: { shape: [4, 3], low: 0, high: 1 } },
  { x: { shape: [1, 3], values: [1000, -1000, 0] }, y: { shape: [1], dtype: 'int32', values: [2] }, note: 'far apart' },
]);
checkOp('binaryCrossEntropy', (x, { y }) => binaryCrossEntropy(x, y), [
  { x: [4, 3], y: { shape: [4, 3], low: 0, high: 1 } },
]);
checkOp('meanSquaredError', (x, { y }) => meanSquaredError(x, y), [{ x: [4, 3], y: [4, 3] }]);
checkOp('meanAbsoluteError', (x, { y }) => meanAbsoluteError(x, y), [{ x: [4, 3], y: [4, 3] }]);
checkOp('huber', (x, { y }) => huber({ delta: 0.7 })(x, y), [{ x: [4, 3], y: [4, 3] }]);

test('the slope of the binary cross-entropy at a logit of 0 is ½ − y', () => {
  const logits = zeros([2]);
  const { gradients } = valueAndGrad(() => binaryCrossEntropy(logits, tensor([0, 1])), logits);
  assert.deepEqual([...gradients.dataSync()], [0.25, -0.25]);
});

test('a label that is no class makes the loss NaN, so that training stops', () => {
  for (const label of [-1, 3, 255])
    assert.ok(Number.isNaN(crossEntropy(zeros([1, 3]), tensor([label], { dtype: 'int32' })).item()));
});

test('shapes that do not belong together are errors', () => {
  const messageOf = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      return (error as Error).message;
    }
    return 'no error';
  };
  assert.equal(
    messageOf(() => crossEntropy(zeros([4, 3]), zeros([4]))),
    "crossEntropy: logits are [4, 3], targets float32 [4]\n  Labels are integers: targets.cast('int32').",
  );
  assert.equal(
    messageOf(() => crossEntropy(zeros([4, 3]), zeros([5], { dtype: 'int32' }))),
    'crossEntropy: logits are [4, 3], targets int32 [5]\n  Targets are integer labels [4] or float32 probabilities [4, 3].',
  );
  assert.equal(
    messageOf(() => meanSquaredError(zeros([4, 1]), zeros([4]))),
    'meanSquaredError: predictions are [4, 1], targets [4]\n  Reshape the targets: targets.reshape([4, 1]).',
  );
  assert.equal(
    messageOf(() => binaryCrossEntropy(zeros([4]), zeros([5]))),
    'binaryCrossEntropy: predictions are [4], targets [5]\n  They must have the same shape.',
  );
  assert.equal(
    messageOf(() => huber({ delta: 0 })),
    'huber: delta 0\n  Give a number above 0.',
  );
});
