import type { ConvParams, DotParams, PrimitiveName } from '../../../src/core/index.js';
import { type Case, opCase } from '../../check-op.js';

const dot = (
  leftContract: number[],
  rightContract: number[],
  leftBatch: number[] = [],
  rightBatch: number[] = [],
): DotParams => ({ leftContract, rightContract, leftBatch, rightBatch });

const conv = (
  strides: readonly number[],
  padding: readonly (readonly [number, number])[],
  { dilation = strides.map(() => 1), groups = 1 } = {},
): ConvParams => ({ strides, padding, dilation, groups });

const none = [
  [0, 0],
  [0, 0],
] as const;
const noneOf3 = [
  [0, 0],
  [0, 0],
  [0, 0],
] as const;
const one = [
  [1, 1],
  [1, 1],
] as const;

/** Geometries with the input, the kernel and the output that belong together. */
const geometries = [
  { x: [2, 5, 6, 3], k: [3, 3, 3, 4], y: [2, 3, 4, 4], p: conv([1, 1], none) },
  { x: [1, 5, 5, 2], k: [3, 3, 2, 3], y: [1, 5, 5, 3], p: conv([1, 1], one) },
  { x: [2, 7, 6, 1], k: [3, 2, 1, 2], y: [2, 3, 3, 2], p: conv([2, 2], none) },
  {
    x: [1, 6, 5, 2],
    k: [2, 3, 2, 3],
    y: [1, 3, 2, 3],
    p: conv(
      [2, 3],
      [
        [0, 1],
        [1, 0],
      ],
    ),
  },
  { x: [1, 8, 7, 2], k: [2, 3, 2, 2], y: [1, 6, 3, 2], p: conv([1, 1], none, { dilation: [2, 2] }) },
  { x: [2, 4, 4, 4], k: [3, 3, 2, 6], y: [2, 4, 4, 6], p: conv([1, 1], one, { groups: 2 }) },
  { x: [1, 5, 5, 3], k: [3, 3, 1, 6], y: [1, 3, 3, 6], p: conv([2, 2], one, { groups: 3 }) },
  { x: [1, 5, 4, 3], k: [1, 1, 3, 5], y: [1, 5, 4, 5], p: conv([1, 1], none) },
  { x: [1, 4, 4, 2], k: [1, 1, 2, 2], y: [1, 2, 2, 2], p: conv([3, 2], none), note: 'elements no window sees' },
  {
    x: [1, 5, 5, 2],
    k: [2, 2, 2, 2],
    y: [1, 3, 3, 2],
    p: conv(
      [1, 1],
      [
        [-1, 0],
        [0, -1],
      ],
    ),
    note: 'negative padding',
  },
  { x: [2, 9, 3], k: [4, 3, 5], y: [2, 3, 5], p: conv([2], [[0, 0]]), note: 'one spatial axis' },
  {
    x: [2, 4, 5, 6, 2],
    k: [2, 3, 3, 2, 3],
    y: [2, 3, 3, 4, 3],
    p: conv([1, 1, 1], noneOf3),
    note: 'three spatial axes',
  },
  {
    x: [1, 5, 6, 7, 4],
    k: [3, 2, 3, 2, 6],
    y: [1, 3, 3, 3, 6],
    p: conv(
      [2, 2, 3],
      [
        [1, 1],
        [0, 1],
        [1, 1],
      ],
      { groups: 2 },
    ),
  },
  {
    x: [1, 6, 4, 5, 2],
    k: [2, 1, 3, 2, 2],
    y: [1, 2, 4, 5, 2],
    p: conv(
      [2, 1, 1],
      [
        [0, 0],
        [0, 0],
        [2, 2],
      ],
      { dilation: [3, 1, 2] },
    ),
  },
  { x: [0, 5, 5, 2], k: [3, 3, 2, 2], y: [0, 3, 3, 2], p: conv([1, 1], none), note: 'an empty batch' },
] as const;

export const contractionCases = {
  dot: opCase(
    (x, { y, ...p }) => x.dot(y, p),
    [
      { x: [3, 4], y: [4, 5], p: dot([1], [0]) },
      { x: [4, 3], y: [5, 4], p: dot([0], [1]) },
      { x: [4], y: [4], p: dot([0], [0]) },
      { x: [2, 3, 4], y: [2, 4, 5], p: dot([2], [1], [0], [0]) },
      { x: [2, 3, 4, 5], y: [5, 2, 3, 6], p: dot([1, 3], [2, 0], [0], [1]) },
      { x: [3, 2, 4], y: [4, 3], p: dot([0, 2], [1, 0]), note: 'contracted in another order' },
      { x: [3, 0], y: [0, 2], p: dot([1], [0]), note: 'the sum of nothing' },
      { x: [0, 3], y: [3, 2], p: dot([1], [0]) },
      { x: [2, 3], y: [2, 4], p: dot([], [], [0], [0]), note: 'nothing is contracted' },
      { x: [17, 33], y: [33, 19], p: dot([1], [0]), note: 'odd sizes beyond a tile' },
      { x: [1, 70], y: [70, 13], p: dot([1], [0]), note: 'a vector' },
      { x: [13, 70], y: [70, 1], p: dot([1], [0]) },
      { x: { shape: [5, 6], view: 'transposed' }, y: { shape: [6, 3], view: 'sliced' }, p: dot([1], [0]) },
      { x: { shape: [5, 6], view: 'flipped' }, y: { shape: [6, 3], view: 'broadcast' }, p: dot([1], [0]) },
    ],
  ),
  conv: opCase(
    (x, { y, ...p }) => x.conv(y, p),
    [
      ...geometries.map(({ k, y: _, ...row }) => ({ ...row, y: k })),
      {
        x: { shape: [1, 5, 5, 2], view: 'flipped' },
        y: { shape: [3, 3, 2, 3], view: 'transposed' },
        p: conv([1, 1], one),
      },
    ],
  ),
  convInputGradient: opCase(
    (x, { y, ...p }) => x.convInputGradient(y, p),
    geometries.map(({ x, k, y, p, ...row }) => ({ ...row, x: y, y: k, p: { ...p, inputSizes: x.slice(1, -1) } })),
  ),
  convKernelGradient: opCase(
    (x, { y, ...p }) => x.convKernelGradient(y, p),
    geometries.map(({ k, p, ...row }) => ({ ...row, p: { ...p, kernelSizes: k.slice(0, -2) } })),
  ),
} satisfies Partial<Record<PrimitiveName, Case>>;
