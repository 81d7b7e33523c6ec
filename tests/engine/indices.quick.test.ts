/** Indices out of range raise the same error everywhere, and destroy nothing. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { compile, Parameter, scan, type Tensor, tensor, useDevice } from '../../src/core/index.js';
import { numbers, on, read, wasmWith } from './agree.js';

useDevice(wasmWith(1));

const ints = (...values: number[]): Tensor => tensor(Int32Array.from(values));
const message = (op: string, index: number, size: number): string =>
  `${op}: index ${index} is out of range for an axis of ${size}\n  Indices go from 0 to ${size - 1}.`;
const raises = (f: () => unknown, op: string, index: number, size: number): void => {
  for (const device of [wasmWith(1), wasmWith(2), 'reference'])
    on(device, () => assert.throws(f, { name: 'ShapeError', message: message(op, index, size) }));
};

test('take and scatterAdd', () => {
  for (const index of [-1, 4, 2147483647, -2147483648]) {
    raises(() => numbers([4, 3]).take(ints(0, index, 1)), 'gather', index, 4);
    raises(() => numbers([3, 4]).take(ints(index), { axis: 1 }), 'gather', index, 4);
    raises(() => numbers([4]).take(ints(index)), 'gather', index, 4);
    raises(() => numbers([2, 3]).scatterAdd(ints(1, index), { size: 4 }), 'scatterAdd', index, 4);
    raises(() => numbers([3, 2]).scatterAdd(ints(1, index), { axis: 1, size: 4 }), 'scatterAdd', index, 4);
  }
});

test('of an empty axis', () => raises(() => numbers([0, 3]).take(ints(0)), 'gather', 0, 0));

test('inside fused work, where several threads find it', () => {
  const f = compile((x: Tensor, at: Tensor) => x.take(at.add(1)).mul(2).sum());
  const at = numbers([100_000], 'uint8').mod(9).cast('int32');
  raises(() => f(numbers([9, 8]), at), 'gather', 9, 9);
});

test('inside a loop', () => {
  const f = compile((table: Tensor, at: Tensor) =>
    scan((sum: Tensor, i: Tensor) => [sum.add(table.take(i)), sum], table.take(0).mul(0), at),
  );
  const table = numbers([5, 3]);
  raises(() => f(table, ints(0, 1, 5, 2)), 'gather', 5, 5);
  assert.equal(read(f(table, ints(0, 1, 2, 4))).length, 2);
});

test('a failed step leaves parameters as they were', () => {
  for (const device of [wasmWith(1), wasmWith(2), 'reference']) {
    on(device, () => {
      const table = new Parameter('table', [4, 2]);
      const count = new Parameter('count', [], { dtype: 'int32' });
      table.assign(
        tensor([
          [1, 2],
          [3, 4],
          [5, 6],
          [7, 8],
        ]),
      );
      count.assign(tensor(7, { dtype: 'int32' }));
      const step = compile((at: Tensor) => {
        table.assign(table.value.add(numbers([2, 2]).mul(0).add(1).scatterAdd(at, { size: 4 })));
        count.assign(count.value.add(1));
        return table.value.sum();
      });
      step(ints(0, 1)); // from here on the places are the program's own, and can be written anew
      assert.throws(() => step(ints(0, 4)), { message: message('scatterAdd', 4, 4) });
      assert.deepEqual([...table.value.dataSync()], [2, 3, 4, 5, 5, 6, 7, 8]);
      assert.deepEqual([...count.value.dataSync()], [8]);
      step(ints(3, 3));
      assert.deepEqual([...table.value.dataSync()], [2, 3, 4, 5, 5, 6, 9, 10]);
      assert.deepEqual([...count.value.dataSync()], [9]);
    });
  }
});

test('the next program is not blamed', () => {
  assert.throws(() => numbers([4]).take(ints(9)));
  assert.equal(numbers([4]).take(ints(3)).size, 1);
});
