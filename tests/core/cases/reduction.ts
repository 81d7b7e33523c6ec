import type { PrimitiveName, ReduceOptions } from '../../../src/core/index.js';
import { type Case, opCase, type Row } from '../../check-op.js';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

const rows: readonly Row<ReduceOptions>[] = [
  { x: [2, 3], p: {} },
  { x: [2, 3], p: { axis: 0 } },
  { x: [2, 3], p: { axis: -1, keepDims: true } },
  { x: [2, 3, 4], p: { axis: [0, 2] } },
  { x: [2, 3, 4], p: { axis: 1 } },
  { x: [3, 0], p: { axis: 0 }, note: 'an empty result' },
  { x: [7, 33], p: { axis: 1 } },
  { x: [33, 7], p: { axis: 0 } },
  { x: { shape: [3, 4], view: 'transposed' }, p: { axis: 0 } },
  { x: { shape: [3, 4], view: 'sliced' }, p: { axis: 1 } },
  { x: { shape: [3, 4], view: 'flipped' }, p: { axis: 1 } },
  { x: { shape: [3, 4], view: 'broadcast' }, p: { axis: 1 } },
  { x: { shape: [3, 5], dtype: 'int32' }, p: { axis: 1 } },
  { x: { shape: [3, 5], dtype: 'uint8' }, p: { axis: 0 } },
];
const empty: readonly Row<ReduceOptions>[] = [
  { x: [0, 3], p: { axis: 0 }, note: 'nothing is reduced to the neutral element' },
  { x: [0], p: {} },
];
const special: Row<ReduceOptions> = {
  x: { shape: [3, 3], values: [1, nan, 2, infinity, 1, 2, -infinity, 0, -0] },
  p: { axis: 1 },
  noGradient: 'values without a slope',
  note: 'infinities and NaN',
};
const bool: Row<ReduceOptions> = { x: { shape: [3, 5], dtype: 'bool' }, p: { axis: 1 } };
const axes = ({ p, ...row }: Row<ReduceOptions>): Row<{ axis: number }> => ({ ...row, p: { axis: Number(p?.axis) } });
const oneAxis = [...rows, special].filter(({ p }) => typeof p?.axis === 'number').map(axes);
const ties: Row<{ axis: number }> = {
  x: { shape: [4, 3], values: [1, 2, 2, 5, 5, 5, -0, 0, 0, nan, 1, nan] },
  p: { axis: 1 },
  note: 'the first of equals, the first NaN',
};

export const reductionCases = {
  reduceSum: opCase((x, p) => x.sum(p), [...rows, ...empty, special, bool]),
  reduceProd: opCase(
    (x, p) => x.prod(p),
    [
      ...rows.filter(({ x }) => !(Array.isArray(x) && x.includes(33))),
      ...empty,
      special,
      { x: { shape: [3, 3], values: [1, 0, 2, 0, 0, 3, 4, 5, 6] }, p: { axis: 1 }, note: 'zeros' },
      { x: { shape: [2], dtype: 'int32', values: [123456789, 987654321] }, p: {}, note: 'wraps around' },
    ],
  ),
  reduceMax: opCase((x, p) => x.max(p), [...rows, special, bool]),
  reduceMin: opCase((x, p) => x.min(p), [...rows, special, bool]),
  argmax: opCase((x, p) => x.argmax(p), [...oneAxis, ties]),
  argmin: opCase((x, p) => x.argmin(p), [...oneAxis, ties]),
  cumsum: opCase(
    (x, p) => x.cumsum(p),
    [
      { x: [5], p: { axis: 0, reverse: false } },
      { x: [3, 4], p: { axis: 0, reverse: true } },
      { x: [3, 4], p: { axis: -1, reverse: false } },
      { x: [2, 0, 3], p: { axis: 1, reverse: false } },
      { x: [2, 33, 3], p: { axis: 1, reverse: true } },
      { x: { shape: [3, 4], view: 'transposed' }, p: { axis: 1, reverse: false } },
      { x: { shape: [3, 4], dtype: 'int32' }, p: { axis: 1, reverse: true } },
      { x: { shape: [3, 4], dtype: 'bool' }, p: { axis: 1, reverse: false } },
    ],
  ),
} satisfies Partial<Record<PrimitiveName, Case>>;
