import './small.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { tensor } from '../../src/core/index.js';
import { clipGradients } from '../../src/train/clip.js';

const gradients = { a: tensor([3, -4]), b: tensor([[0.5, 12]]) };
const values = (clip: Parameters<typeof clipGradients>[1]) =>
  Object.values(clipGradients(gradients, clip).gradients).map((gradient) => [...gradient.dataSync()]);

test('by value each number is cut', () => {
  assert.deepEqual(values({ value: 1 }), [
    [1, -1],
    [0.5, 1],
  ]);
});

test('by norm each gradient is scaled by its own norm', () => {
  const [a, b] = values({ norm: 10 });
  assert.deepEqual(a, [3, -4], 'within the limit it keeps its bits');
  assert.ok(Math.abs(Math.hypot(...b!) - 10) < 1e-5);
});

test('by global norm all are scaled alike', () => {
  const [a, b] = values({ globalNorm: 1 });
  assert.ok(Math.abs(Math.hypot(...a!, ...b!) - 1) < 1e-6);
  assert.ok(Math.abs(a![0]! / b![1]! - 3 / 12) < 1e-6);
});

test('a limit of zero is refused', () => {
  assert.throws(() => clipGradients(gradients, { norm: 0 }), {
    message: 'fit: clip: norm is 0\n  Give a number above 0.',
  });
});
