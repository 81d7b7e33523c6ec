import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Tensor, tensor } from '../../src/core/index.js';
import { clipByGlobalNorm, clipByNorm, clipByValue, globalNorm } from '../../src/nn/index.js';
import { onEachDevice } from '../devices.js';

const gradients = { a: tensor([3, -4]), b: tensor([[0.5]]), c: tensor([0, 0]) };
const near = (actual: Record<string, Tensor>, expected: Record<string, readonly number[]>): void => {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [path, values] of Object.entries(expected)) {
    assert.deepEqual(actual[path]!.shape, gradients[path as 'a'].shape);
    actual[path]!.dataSync().forEach((value, i) => assert.ok(Math.abs(value - values[i]!) < 1e-6, `${path}: ${value}`));
  }
};

test('by value, by the norm of each, by the norm of all', () => {
  onEachDevice(() => {
    near(clipByValue(gradients, 1), { a: [1, -1], b: [0.5], c: [0, 0] });
    near(clipByNorm(gradients, 1), { a: [0.6, -0.8], b: [0.5], c: [0, 0] });
    const norm = Math.sqrt(25.25);
    assert.ok(Math.abs(globalNorm(gradients).item() - norm) < 1e-6);
    near(clipByGlobalNorm(gradients, 1), { a: [3 / norm, -4 / norm], b: [0.5 / norm], c: [0, 0] });
    near(clipByGlobalNorm(gradients, 10), { a: [3, -4], b: [0.5], c: [0, 0] });
  });
});

test('no gradients at all have norm 0', () => {
  assert.equal(globalNorm({}).item(), 0);
  assert.deepEqual(clipByGlobalNorm({}, 1), {});
});
