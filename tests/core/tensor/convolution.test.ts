/** Convolutions and pooling as people call them; the geometry of the primitives has rows of its own. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ones, type Padding, type PoolOptions, tensor, zeros } from '../../../src/core/index.js';
import { checkOp, type Row } from '../../check-op.js';

const same = 'same' as const;
checkOp('conv2d', (x, { y, ...p }) => x.conv2d(y, p), [
  { x: [2, 5, 6, 3], y: [3, 3, 3, 4] },
  { x: [1, 5, 6, 2], y: [3, 2, 2, 3], p: { padding: same } },
  { x: [1, 6, 7, 2], y: [3, 4, 2, 3], p: { padding: same, strides: 2 } },
  { x: [1, 7, 7, 2], y: [3, 3, 2, 2], p: { padding: same, dilation: 2, strides: [1, 3] } },
  {
    x: [1, 5, 5, 4],
    y: [3, 3, 2, 4],
    p: {
      groups: 2,
      padding: [
        [1, 0],
        [0, 2],
      ] as Padding,
    },
  },
]);
checkOp('conv1d', (x, { y, ...p }) => x.conv1d(y, p), [
  { x: [2, 7, 3], y: [3, 3, 4] },
  { x: [2, 7, 3], y: [4, 3, 2], p: { padding: same, strides: 2 } },
  { x: [2, 7, 2], y: [2, 2, 2], p: { padding: [[2, 0]] as Padding, dilation: 2 } },
]);
checkOp('depthwiseConv2d', (x, { y, ...p }) => x.depthwiseConv2d(y, p), [
  { x: [2, 5, 5, 3], y: [3, 3, 3, 1] },
  { x: [1, 5, 6, 2], y: [3, 2, 2, 3], p: { padding: same, strides: 2 } },
]);
checkOp('conv2dTranspose', (x, { y, ...p }) => x.conv2dTranspose(y, p), [
  { x: [2, 3, 4, 2], y: [3, 3, 3, 2] },
  { x: [1, 3, 3, 2], y: [4, 4, 3, 2], p: { strides: 2, padding: same } },
  {
    x: [1, 3, 3, 2],
    y: [4, 4, 3, 2],
    p: {
      strides: 2,
      padding: [
        [1, 1],
        [1, 1],
      ] as Padding,
    },
  },
  {
    x: [1, 3, 3, 2],
    y: [3, 3, 3, 2],
    p: {
      strides: 2,
      padding: [
        [1, 1],
        [1, 1],
      ] as Padding,
      outputPadding: 1,
    },
  },
  { x: [1, 3, 3, 2], y: [2, 2, 3, 2], p: { strides: 3 }, note: 'a stride wider than the kernel' },
  { x: [1, 3, 3, 4], y: [3, 3, 2, 4], p: { groups: 2, dilation: 2 } },
]);
checkOp('conv3d', (x, { y, ...p }) => x.conv3d(y, p), [
  { x: [1, 3, 4, 5, 2], y: [2, 3, 3, 2, 3] },
  { x: [1, 4, 5, 5, 2], y: [3, 3, 2, 2, 2], p: { padding: same, strides: [1, 2, 2] } },
  { x: [1, 5, 4, 4, 4], y: [2, 2, 2, 2, 4], p: { groups: 2, dilation: [2, 1, 2] } },
]);
checkOp('conv3dTranspose', (x, { y, ...p }) => x.conv3dTranspose(y, p), [
  { x: [1, 2, 3, 2, 2], y: [2, 3, 3, 3, 2] },
  { x: [1, 2, 2, 3, 2], y: [3, 3, 4, 2, 2], p: { strides: [1, 2, 2], padding: same } },
  { x: [1, 2, 2, 2, 4], y: [3, 3, 3, 1, 4], p: { groups: 2, strides: 2, outputPadding: 1 } },
]);
const pools: readonly Row<PoolOptions>[] = [
  { x: [2, 4, 6, 3] },
  { x: [1, 5, 5, 2], p: { window: 3, strides: 2, padding: same } },
  { x: [1, 6, 5, 2], p: { window: [2, 3], strides: [1, 2], padding: same } },
  { x: [1, 6, 6, 1], p: { window: 3, strides: 2, ceilMode: true } },
  { x: [1, 5, 5, 1], p: { window: 2, strides: 2, ceilMode: true } },
  {
    x: [1, 7, 7, 1],
    p: {
      window: 3,
      strides: 2,
      padding: [
        [1, 1],
        [1, 1],
      ] as Padding,
      ceilMode: true,
    },
  },
];
checkOp('maxPool2d', (x, p) => x.maxPool2d(p), pools);
checkOp('averagePool2d', (x, p) => x.averagePool2d(p), pools);
checkOp('globalAveragePool2d', (x) => x.globalAveragePool2d(), [{ x: [2, 3, 4, 5] }]);

const sizeRows = [
  // TensorFlow's tables of 'same': ⌈size / stride⌉ whatever the kernel, the odd zero after
  { size: 5, kernel: 2, strides: 1, padding: 'same', out: 5 },
  { size: 6, kernel: 3, strides: 2, padding: 'same', out: 3 },
  { size: 7, kernel: 3, strides: 2, padding: 'same', out: 4 },
  { size: 5, kernel: 1, strides: 3, padding: 'same', out: 2 },
  { size: 7, kernel: 3, strides: 2, padding: 'valid', out: 3 },
] as const;
for (const { size, kernel, strides, padding, out } of sizeRows) {
  test(`conv2d of ${size} with ${kernel} by ${strides}, ${padding}: ${out}`, () => {
    const y = ones([1, size, size, 1]).conv2d(ones([kernel, kernel, 1, 1]), { strides, padding });
    assert.deepEqual(y.shape, [1, out, out, 1]);
  });
}

test("'same' puts the odd zero at the bottom and right", () => {
  const y = ones([1, 4, 4, 1]).conv2d(ones([2, 2, 1, 1]), { padding: 'same' });
  assert.deepEqual(y.reshape([4, 4]).toArray(), [
    [4, 4, 4, 2],
    [4, 4, 4, 2],
    [4, 4, 4, 2],
    [2, 2, 2, 1],
  ]);
});

test('padding counts neither in the mean nor as a zero in the max', () => {
  const x = tensor([-1, -2, -3, -4, -5, -6, -7, -8, -9], {}).reshape([1, 3, 3, 1]);
  const options = { window: 3, strides: 2, padding: 'same' } as const;
  assert.deepEqual(x.maxPool2d(options).reshape([4]).toArray(), [-1, -2, -4, -5]);
  assert.deepEqual(x.averagePool2d(options).reshape([4]).toArray(), [-3, -4, -6, -7]);
});

test('ceil mode keeps a last window only where it begins inside', () => {
  const shapeOf = (size: number, window: number, strides: number, pad: number): number =>
    zeros([1, size, size, 1]).maxPool2d({
      window,
      strides,
      ceilMode: true,
      padding: [
        [pad, pad],
        [pad, pad],
      ],
    }).shape[1]!;
  // PyTorch's rule: a window that begins in the padding after the input is left out
  assert.deepEqual([shapeOf(6, 3, 2, 0), shapeOf(5, 2, 2, 0), shapeOf(4, 2, 3, 0), shapeOf(3, 2, 2, 1)], [3, 3, 2, 2]);
});
