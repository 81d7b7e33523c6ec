/** Zero-size tensors through every kind of operation, scalars, long axes, and large sums. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { compile, concat, grad, scan, Tensor, tensor, useDevice, valueAndGrad, zeros } from '../../src/core/index.js';
import { agree, numbers, on, wasmWith } from './agree.js';

useDevice(wasmWith(1));

const nothing: Record<string, () => unknown> = {
  elementwise: () => zeros([0, 3]).add(1).tanh(),
  broadcast: () => zeros([0, 3]).add(numbers([3])),
  'sum over nothing': () => zeros([0, 3]).sum({ axis: 0 }),
  'product over nothing': () => zeros([0, 3]).prod({ axis: 0 }),
  'sum of nothing along another axis': () => zeros([0, 3]).sum({ axis: 1 }),
  'greatest of no rows': () => zeros([0, 3]).max({ axis: 1 }),
  'sum of all': () => zeros([0, 3]).sum(),
  'mean of nothing': () => zeros([0]).mean(),
  'any and all of nothing': () => [zeros([0]).any(), zeros([0]).all()],
  cumsum: () => [zeros([0, 3]).cumsum({ axis: 0 }), zeros([3, 0]).cumsum({ axis: 0 })],
  argmax: () => zeros([0, 3]).argmax({ axis: 1 }),
  softmax: () => zeros([0, 3]).softmax({ axis: 1 }),
  transpose: () => zeros([0, 3]).transpose().add(1),
  reshape: () => zeros([0, 3]).reshape([7, 0]).add(1),
  flip: () => zeros([0, 3]).flip(1).add(1),
  slice: () => numbers([4, 3]).sliceStrided([2, 0], [2, 3], [1, 1]).add(1),
  concat: () => concat([zeros([0, 3]), numbers([2, 3]), zeros([0, 3])]),
  'concat of nothing': () => concat([zeros([0, 3]), zeros([0, 3])]),
  pad: () => zeros([0, 3]).padConstant({ low: [1, 0], high: [1, 1], value: 2 }),
  'pad with interior': () => zeros([0, 3]).padConstant({ low: [0, 0], high: [2, 0], interior: [1, 1], value: 2 }),
  take: () => numbers([4, 3]).take(tensor(new Int32Array(0))),
  'take of empty rows': () => zeros([4, 0]).take(tensor(Int32Array.of(1, 2))),
  scatterAdd: () => zeros([0, 3]).scatterAdd(tensor(new Int32Array(0)), { size: 4 }),
  'scatterAdd of empty rows': () => zeros([2, 0]).scatterAdd(tensor(Int32Array.of(1, 2)), { size: 4 }),
  'dynamic slice and update': () => {
    const starts = tensor(Int32Array.of(1, 1));
    return [numbers([4, 3]).dynamicSlice(starts, [0, 2]), numbers([4, 3]).dynamicUpdate(zeros([0, 2]), starts)];
  },
  'product of matrices': () => [zeros([0, 3]).matmul(numbers([3, 4])), numbers([2, 3]).matmul(zeros([3, 0]))],
  'product over nothing of matrices': () =>
    numbers([2, 3])
      .take(0)
      .reshape([3, 1])
      .matmul(zeros([1, 0]))
      .sum(),
  'inner axis of nothing': () =>
    zeros([2, 0])
      .matmul(zeros([0, 4]))
      .add(1)
      .relu(),
  'convolution of no pictures': () => zeros([0, 5, 5, 2]).conv2d(numbers([3, 3, 2, 4])),
  'convolution without channels': () => zeros([2, 5, 5, 0]).conv2d(zeros([3, 3, 0, 4])),
  'pooling of no pictures': () => zeros([0, 4, 4, 2]).maxPool2d({ window: 2 }),
  'gradient of no pictures': () =>
    grad((k: Tensor) => zeros([0, 5, 5, 2]).conv2d(k).square().sum())(numbers([3, 3, 2, 4])),
  'gradient of an empty product': () => grad((b: Tensor) => zeros([0, 3]).matmul(b).sum())(numbers([3, 4])),
  'scan of no steps': () => scan((c: Tensor, x: Tensor) => [c.add(x), c], numbers([3]), zeros([0, 3])),
  'scan of empty states': () => scan((c: Tensor, x: Tensor) => [c.add(x), c], zeros([0]), zeros([4, 0])),
  'gradient of a scan of no steps': () =>
    grad((c: Tensor) => scan((s: Tensor, x: Tensor) => [s.mul(x), s], c, zeros([0, 3]))[0].sum())(numbers([3])),
};
for (const [name, f] of Object.entries(nothing)) test(`nothing: ${name}`, () => agree(name, f));

test('scalars', () => {
  agree('scalars', () => {
    const x = tensor(1.5);
    return [
      x.add(2),
      x.exp(),
      x.sum(),
      x.mean(),
      x.max(),
      x.reshape([1, 1]).add(x),
      x.broadcastTo([2, 3]),
      x.transpose(),
      concat([x.reshape([1]), x.mul(2).reshape([1])]),
      numbers([5]).take(tensor(3, { dtype: 'int32' })),
      x.greater(1).select(x, 0),
      grad((y: Tensor) => y.mul(y).mul(y))(x),
      x.argmax(),
    ];
  });
});

test('very long axes', () => {
  for (const length of [65_537, 1_000_003]) {
    agree(`${length}`, () => {
      const x = numbers([length]);
      return [
        x.mul(2).add(1),
        x.sum(),
        x.max(),
        x.argmax(),
        x.reshape([1, length]).sum({ axis: 0 }),
        x.reshape([length, 1]).sum({ axis: 1 }),
        x.reshape([length, 1]).sum({ axis: 0 }),
        x.flip(0),
      ];
    });
    const squares = (): Tensor => numbers([length]).square();
    agree(`running sum of ${length}`, () => [squares().cumsum(), squares().cumsum({ reverse: true })], {
      tolerance: 1e-6,
    });
  }
});

test('many axes', () => {
  agree('rank 8', () => {
    const x = numbers([2, 1, 3, 2, 1, 2, 3, 2]);
    return [
      x.transpose([7, 1, 5, 3, 2, 0, 4, 6]).add(1),
      x.sum({ axis: [0, 3, 6] }),
      x.add(numbers([3, 1, 1, 2, 1, 2], 'float32', 2)),
      x.flip([0, 2, 7]).mul(2),
    ];
  });
});

// 2^24 uniform numbers: sums taken one after another in float32 would be wrong in the fourth digit
const many = 1 << 24;

function exactSum(values: ArrayLike<number>, from = 0, step = 1): number {
  let sum = 0;
  for (let i = from; i < values.length; i += step) sum += values[i]!;
  return sum;
}

test('sums of 16 million numbers', () => {
  const data = new Float32Array(many);
  let state = 1;
  for (let i = 0; i < many; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = (state >>> 8) * 2 ** -24;
  }
  const x = Tensor.fromHost({ dtype: 'float32', shape: [many], data });
  const near = (what: string, got: number, want: number): void => {
    const error = Math.abs(got - want) / Math.abs(want);
    assert.ok(error < 1e-6, `${what}: got ${got}, expected ${want}: wrong by ${error}`);
  };
  on(wasmWith(2), () => {
    const total = exactSum(data);
    near('sum of a row', x.sum().dataSync()[0]!, total);
    near('mean', x.mean().dataSync()[0]!, total / many);
    near('sum of squares', x.square().sum().dataSync()[0]!, exactSum(data.map((value) => value * value)));
    const columns = x
      .reshape([many / 4, 4])
      .sum({ axis: 0 })
      .dataSync();
    columns.forEach((value, i) => near(`column ${i} of 4`, value, exactSum(data, i, 4)));
    const wide = x
      .reshape([many / 64, 64])
      .sum({ axis: 0 })
      .dataSync();
    near('column 9 of 64', wide[9]!, exactSum(data, 9, 64));
    const narrow = x
      .reshape([many / 2, 2])
      .sum({ axis: 0 })
      .dataSync();
    near('column 1 of 2', narrow[1]!, exactSum(data, 1, 2));
    near(
      'a product of vectors',
      x
        .reshape([1, many])
        .matmul(x.reshape([many, 1]))
        .dataSync()[0]!,
      exactSum(data.map((value) => value * value)),
    );
  });
});

test('gradients of an empty batch leave parameters finite', () => {
  const f = compile((x: Tensor, w: Tensor) => valueAndGrad(() => x.matmul(w).square().sum(), [w]).gradients);
  const [gradient] = f(zeros([0, 3]), numbers([3, 2]));
  assert.deepEqual([...gradient!.dataSync()], [0, 0, 0, 0, 0, 0]);
});
