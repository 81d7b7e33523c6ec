/** Making tensors, reading them, and dtypes. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import {
  arange,
  einsum,
  eye,
  full,
  leavesOf,
  linspace,
  mapTree,
  ones,
  Parameter,
  promote,
  Tensor,
  tensor,
  where,
  zeros,
} from '../../src/core/index.js';
import '../devices.js';

test('the example of the README', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  assert.deepEqual(x.matmul(x).add(1).toArray(), [
    [8, 11],
    [16, 23],
  ]);
});

test('tensors are made from nested arrays, typed arrays, numbers and booleans', () => {
  assert.deepEqual(
    [tensor([[1, 2, 3]]).shape, tensor(5).shape, tensor([]).shape, tensor([[], []]).shape],
    [[1, 3], [], [0], [2, 0]],
  );
  assert.deepEqual(
    [
      tensor([1.5]),
      tensor([true]),
      tensor([1], { dtype: 'uint8' }),
      tensor(Int32Array.of(1)),
      tensor(Uint8Array.of(1)),
    ].map((x) => x.dtype),
    ['float32', 'bool', 'uint8', 'int32', 'uint8'],
  );
  assert.deepEqual(tensor(Float32Array.of(1, 2, 3, 4), { shape: [2, 2] }).toArray(), [
    [1, 2],
    [3, 4],
  ]);
  assert.deepEqual(tensor([0, 2, -1], { dtype: 'bool' }).toArray(), [false, true, true]);
});

test('tensors do not see later changes of what they were made from, nor of what was read', () => {
  const source = Float32Array.of(1, 2);
  const x = tensor(source);
  source[0] = 9;
  const read = x.dataSync();
  read[1] = 9;
  assert.deepEqual(x.toArray(), [1, 2]);
});

test('constructors', async () => {
  assert.deepEqual(zeros([2]).toArray(), [0, 0]);
  assert.deepEqual(ones([2], { dtype: 'int32' }).dtype, 'int32');
  assert.deepEqual(full([2, 1], true).toArray(), [[true], [true]]);
  assert.deepEqual(arange(4).toArray(), [0, 1, 2, 3]);
  assert.deepEqual(arange(2, 9, 3).toArray(), [2, 5, 8]);
  assert.deepEqual(arange(5, 0, -2).toArray(), [5, 3, 1]);
  assert.deepEqual(arange(3, 3).toArray(), []);
  assert.deepEqual(linspace(0, 1, 5).toArray(), [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(linspace(2, 3, 1).toArray(), [2]);
  assert.deepEqual(eye(2).toArray(), [
    [1, 0],
    [0, 1],
  ]);
  assert.deepEqual([...(await arange(3).data())], [0, 1, 2]);
});

test('float16 and bfloat16 come in as float32', () => {
  const half = Tensor.fromHost({
    dtype: 'float16',
    shape: [6],
    data: Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x3555),
  });
  assert.deepEqual(half.toArray(), [1, -2, 2 ** -24, 65504, Number.POSITIVE_INFINITY, 0.333251953125]);
  const brain = Tensor.fromHost({ dtype: 'bfloat16', shape: [3], data: Uint16Array.of(0x3f80, 0xc000, 0x7f80) });
  assert.deepEqual(brain.toArray(), [1, -2, Number.POSITIVE_INFINITY]);
});

test('dtypes meet as kinds do in NumPy', () => {
  assert.deepEqual(
    [promote('bool', 'uint8'), promote('uint8', 'int32'), promote('int32', 'float32')],
    ['uint8', 'int32', 'float32'],
  );
  const [b, u, i, f] = [tensor([true]), tensor(Uint8Array.of(3)), tensor(Int32Array.of(3)), tensor([3])];
  assert.deepEqual(
    [b.add(b), u.add(i), i.add(f), i.div(i), u.sum(), i.add(1), i.add(0.5), u.sub(1), u.sub(300), b.mul(2)].map(
      (x) => x.dtype,
    ),
    ['int32', 'int32', 'float32', 'float32', 'int32', 'int32', 'float32', 'uint8', 'int32', 'int32'],
  );
  assert.deepEqual(
    [i.greater(f).dtype, b.and(b).dtype, i.mean().dtype, where(b, i, 1).dtype, where(b, 1, 2).dtype],
    ['bool', 'bool', 'float32', 'int32', 'float32'],
  );
});

test('a Parameter stands where a tensor does', () => {
  const w = new Parameter('w', [2]);
  w.set({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) });
  assert.deepEqual(ones([2]).add(w).toArray(), [2, 3]);
  assert.equal(einsum('i,i->', w, w).item(), 5);
});

test('printing shows dtype, shape and the first elements', () => {
  assert.equal(inspect(tensor([1, 2])), 'Tensor float32 [2] { 1, 2 }');
  assert.equal(inspect(arange(20)), 'Tensor int32 [20] { 0, 1, 2, 3, 4, 5, 6, 7, … }');
  assert.equal(`${zeros([0, 2])}`, 'Tensor float32 [0, 2]');
});

test('trees are mapped with the paths of their leaves', () => {
  const tree = { b: [1, { c: 2 }], a: 3, none: undefined };
  const paths: string[] = [];
  const doubled = mapTree(tree, (leaf, path) => {
    paths.push(path);
    return typeof leaf === 'number' ? leaf * 2 : leaf;
  });
  assert.deepEqual(doubled, { b: [2, { c: 4 }], a: 6, none: undefined });
  assert.deepEqual(paths, ['b/0', 'b/1/c', 'a', 'none']);
  assert.deepEqual(leavesOf(tree), [1, 2, 3, undefined]);
  assert.deepEqual(leavesOf(7), [7]);
});
