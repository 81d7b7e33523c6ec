/**
 * Sizes about the width of a vector for every kind of loop: 1 … 9 lanes on each axis, so that whole vectors, groups of them and
 * the points that are left over all occur.
 */
import test from 'node:test';
import { concat, type Tensor } from '../../src/index.js';
import { agree, numbers } from './agree.js';

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 17];

function eachShape(name: string, f: (x: Tensor, axis: number) => unknown, shapes: (n: number) => number[][]): void {
  test(name, () => {
    for (const n of sizes) {
      for (const shape of shapes(n)) {
        for (let axis = 0; axis < shape.length; axis++) {
          agree(`${name} of [${shape}] along ${axis}`, () => f(numbers(shape), axis), { compiled: false });
        }
      }
    }
  });
}

const matrices = (n: number): number[][] => [
  [n, 5],
  [5, n],
];
const cubes = (n: number): number[][] => [
  [n, 3, 5],
  [3, n, 5],
  [3, 5, n],
];

test('elementwise chains', () => {
  for (const n of sizes) {
    for (const shape of [[n], [n, 3], [3, n], [n, n]]) {
      const row = shape.at(-1)!;
      agree(`[${shape}]`, () => {
        const x = numbers(shape);
        const b = numbers([row], 'float32', 2);
        return [x.mul(b).add(0.5).tanh(), x.transpose().mul(2), x.greater(b), x.cast('int32').add(1)];
      });
    }
  }
});
eachShape('sum', (x, axis) => x.sum({ axis }), cubes);
eachShape('max, min and product', (x, axis) => [x.max({ axis }), x.min({ axis }), x.prod({ axis })], matrices);
eachShape('argmax and argmin', (x, axis) => [x.argmax({ axis }), x.argmin({ axis })], cubes);
eachShape('sum of int32', (x, axis) => x.mul(9).cast('int32').sum({ axis }), matrices);
eachShape('any and all', (x, axis) => [x.greater(0).any({ axis }), x.greater(-1.9).all({ axis })], matrices);
eachShape('cumsum', (x, axis) => [x.cumsum({ axis }), x.cumsum({ axis, reverse: true })], cubes);
eachShape('softmax', (x, axis) => x.softmax({ axis }), matrices);
eachShape('flip', (x, axis) => x.flip(axis), matrices);
eachShape('concat', (x, axis) => concat([x, x.mul(2), x.neg()], { axis }), matrices);
eachShape(
  'pad',
  (x, axis) => {
    const at = (amount: number): number[] => x.shape.map((_, i) => (i === axis ? amount : 0));
    return [
      x.padConstant({ low: at(1), high: at(2), value: 7 }),
      x.padConstant({ low: at(2), high: at(0), interior: at(1) }),
    ];
  },
  matrices,
);
eachShape(
  'gather and scatter-add',
  (x, axis) => {
    const size = x.shape[axis]!;
    const indices = numbers([6], 'uint8', 3).mod(size).cast('int32');
    const taken = x.take(indices, { axis });
    return [taken, taken.scatterAdd(indices, { axis, size })];
  },
  cubes,
);
eachShape(
  'dynamic slice and update',
  (x, axis) => {
    const window = x.shape.map((size, i) => (i === axis ? Math.max(1, size - 2) : size));
    const starts = numbers([x.rank], 'uint8', 4).mod(4).cast('int32');
    const update = numbers(window, 'float32', 5);
    return [x.dynamicSlice(starts, window), x.dynamicUpdate(update, starts)];
  },
  matrices,
);

test('windows with padding', () => {
  for (const n of sizes) {
    for (const [height, width, channels] of [
      [n, 4, 3],
      [4, n, 3],
      [4, 5, n],
    ] as const) {
      for (const padding of ['valid', 'same'] as const) {
        if (padding === 'valid' && (height < 3 || width < 3)) continue;
        agree(`[2, ${height}, ${width}, ${channels}] ${padding}`, () => {
          const x = numbers([2, height, width, channels]);
          return [x.maxPool2d({ window: 3, strides: 2, padding }), x.averagePool2d({ window: 3, strides: 1, padding })];
        });
      }
    }
  }
});

test('products of matrices', () => {
  for (const n of sizes) {
    for (const [m, k, columns] of [
      [n, 3, 5],
      [3, n, 5],
      [3, 5, n],
    ] as const) {
      agree(`${m}×${k}×${columns}`, () => {
        const a = numbers([m, k]);
        const b = numbers([k, columns], 'float32', 2);
        return [a.matmul(b), a.transpose().transpose().matmul(b).add(1).relu()];
      });
    }
  }
});
