/** Sorting as people call it; the primitive has rows of its own. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { compile, grad, HostRandom, ShapeError, type Tensor, tensor, zeros } from '../../../src/core/index.js';
import { checkCase } from '../../check-op.js';
import { devices, onEachDevice } from '../../devices.js';
import { greatest, sorted } from '../cases/sorting.js';
import { assertFails } from '../fails.js';

checkCase('sort', sorted);
checkCase('topK', greatest);

const { NaN: nan } = Number;

test('NaN is last upwards, first downwards; equals keep their order', () => {
  const x = tensor([2, nan, -0, 1, 0, nan]);
  onEachDevice(() => {
    assert.deepEqual(x.argsort().toArray(), [2, 4, 3, 0, 1, 5]);
    assert.deepEqual(x.argsort({ descending: true }).toArray(), [1, 5, 0, 3, 2, 4]);
    assert.deepEqual(x.sort().toArray(), [-0, 0, 1, 2, nan, nan]);
  });
});

test('topK gives values with their places', () => {
  const x = tensor([
    [1, 5, 3, 5],
    [7, 0, 7, 8],
  ]);
  onEachDevice(() => {
    const { values, indices } = x.topK(3);
    assert.deepEqual(values.toArray(), [
      [5, 5, 3],
      [8, 7, 7],
    ]);
    assert.deepEqual(indices.toArray(), [
      [1, 3, 2],
      [3, 0, 2],
    ]);
    assert.deepEqual(x.topK(1, { axis: 0 }).indices.toArray(), [[1, 0, 1, 1]]);
  });
});

test('the gradient of the greatest goes to where they are', () => {
  const x = tensor([3, 9, 1, 9]);
  const top = (own: Tensor): Tensor =>
    own
      .topK(2)
      .values.mul(tensor([10, 20]))
      .sum();
  onEachDevice(() => assert.deepEqual(grad(top)(x).toArray(), [0, 10, 0, 20]));
});

test('a hundred thousand numbers', () => {
  const numbers = Float32Array.from(new HostRandom(3, 7).uniform(100_000));
  const x = tensor(numbers);
  const expected = numbers.toSorted();
  // the reference is checked by the small ones
  onEachDevice((device) => {
    if (device === 'reference') return;
    const [ascending, top] = compile((own: Tensor) => [own.sort(), own.topK(1000).values] as const)(x);
    assert.deepEqual(ascending.dataSync(), expected);
    assert.deepEqual(top.dataSync(), expected.toReversed().slice(0, 1000));
  });
  assert.ok(devices.length > 0);
});

test('what sorting refuses', () => {
  assertFails(
    () => zeros([2, 3]).topK(4),
    ShapeError,
    'topK: 4 of 3 elements along axis 1 of [2, 3]\n  Give an integer from 0 to 3.',
  );
  assertFails(() => zeros([]).sort(), ShapeError, 'sort: axis -1 is out of range for rank 0\n  A scalar has no axes.');
  assertFails(
    () => zeros([2, 3]).takeAlongAxis(zeros([2]).cast('int32')),
    ShapeError,
    'takeAlongAxis: indices [2] have 1 axes, the tensor [2, 3] has 2\n  Give an index for each element of the result, with the same axes as the tensor.',
  );
  assertFails(
    () => zeros([2, 3]).scatterAddAlongAxis(zeros([2, 1]).cast('int32'), { size: 4 }),
    ShapeError,
    'scatterAddAlongAxis: indices [2, 1] for [2, 3]\n  Give an index for each element.',
  );
  onEachDevice(() =>
    assertFails(
      () =>
        zeros([3])
          .takeAlongAxis(tensor([3], { dtype: 'int32' }))
          .dataSync(),
      ShapeError,
      'takeAlongAxis: index 3 is out of range for an axis of 3\n  Indices go from 0 to 2.',
    ),
  );
});
