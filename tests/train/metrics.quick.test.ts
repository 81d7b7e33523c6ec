import assert from 'node:assert/strict';
import test from 'node:test';
import type { HostArray } from '../../src/core/index.js';
import { accuracy, argmaxRows, classMetrics, confusionMatrix, topKAccuracy } from '../../src/train/index.js';

const ints = (...values: number[]): HostArray => ({
  dtype: 'int32',
  shape: [values.length],
  data: Int32Array.from(values),
});
const floats = (shape: number[], ...values: number[]): HostArray => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
});

test('a confusion matrix has the predicted classes as rows', () => {
  const counts = confusionMatrix(ints(0, 1, 1, 2, 2), ints(0, 0, 1, 2, 1), 3);
  assert.deepEqual(counts, [
    [1, 0, 0],
    [1, 1, 0],
    [0, 1, 1],
  ]);
});

test('precision, recall and F1 follow from it', () => {
  const [a, b, c] = classMetrics([
    [1, 0, 0],
    [1, 1, 0],
    [0, 1, 0],
  ]);
  assert.deepEqual(a, { precision: 1, recall: 0.5, f1: 2 / 3, support: 2 });
  assert.deepEqual(b, { precision: 0.5, recall: 0.5, f1: 0.5, support: 2 });
  assert.deepEqual(c, { precision: 0, recall: Number.NaN, f1: 0, support: 0 });
});

test('a confusion matrix names the example that has no class', () => {
  assert.throws(() => confusionMatrix(ints(0, 3), ints(0, 1), 3), {
    message:
      'confusionMatrix: example 1 is class 1, predicted 3 (0 to 2)\n' +
      '  Classes are the integers from 0; is the number of classes right?',
  });
  assert.throws(() => confusionMatrix(ints(0), ints(0, 1), 3), {
    message:
      'confusionMatrix: [1] predictions for [2] labels (1 ≠ 2)\n' +
      '  Give one predicted and one true class an example; of scores, take the argmax first.',
  });
});

test('top-k counts the classes that are ahead', () => {
  const scores = floats([2, 3], 0.1, 0.7, 0.2, 0.5, 0.5, 0.1);
  assert.equal(topKAccuracy(scores, ints(2, 1), 1), 0);
  assert.equal(topKAccuracy(scores, ints(2, 1), 2), 1);
  assert.equal(accuracy(scores, ints(1, 0)), 1);
  assert.equal(accuracy(scores, floats([2, 3], 0, 1, 0, 0, 1, 0)), 0.5, 'one-hot, and the first of equals wins');
});

test('a row with NaN is no hit by chance', () => {
  const scores = floats([1, 3], 0.1, Number.NaN, 0.2);
  assert.equal(topKAccuracy(scores, ints(2), 1), 0);
  assert.deepEqual([...argmaxRows(scores).data], [1]);
});

test('argmaxRows keeps the leading axes', () => {
  assert.deepEqual(argmaxRows(floats([2, 2], 1, 2, 3, 3)), ints(1, 0));
});
