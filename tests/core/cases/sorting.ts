import type { PrimitiveName, SortOptions } from '../../../src/core/index.js';
import { type Case, opCase, type Row } from '../../check-op.js';
import type { Operand } from '../../operands.js';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
const odd = [1, nan, -0, 0, -infinity, infinity, nan, -1, 0, -0, 3, 1, -2.5e-45, 2.5e-45, -3e38, 3e38, -nan];

const operands: readonly Operand[] = [
  [0],
  [1],
  [2],
  [7],
  [8],
  [9],
  [64],
  [1000],
  [3, 33],
  { shape: [odd.length], values: odd },
  { shape: [100], values: Array.from({ length: 100 }, (_, i) => (i * i) % 7) },
  { shape: [40], dtype: 'int32', values: Array.from({ length: 40 }, (_, i) => [2147483647, -2147483648, 0][i % 3]!) },
  { shape: [3, 20], dtype: 'uint8' },
  { shape: [2, 19], dtype: 'bool' },
  { shape: [12, 17], view: 'transposed' },
  { shape: [3, 17], view: 'sliced' },
  { shape: [3, 9], view: 'flipped' },
];
const rows: readonly Row<SortOptions>[] = [
  ...operands.flatMap((x) => [{ x }, { x, p: { descending: true } }]),
  { x: [17, 3], p: { axis: 0 } },
  { x: [2, 33, 5], p: { axis: 1, descending: true } },
  { x: [0, 5], p: { axis: 1 } },
  { x: [5, 0], p: { axis: 0 } },
  { x: [1, 1, 1], p: { axis: 1 } },
];

const topRows: readonly Row<{ readonly count: number; readonly axis?: number }>[] = [
  ...[0, 1, 2, 5, 8, 9, 16, 31, 40].map((count) => ({ x: [2, 40], p: { count } })),
  ...[1, 10].map((count) => ({ x: [3, 1000], p: { count } })),
  { x: [3], p: { count: 2 } },
  { x: [21, 3], p: { count: 4, axis: 0 } },
  { x: [2, 70, 3], p: { count: 9, axis: 1 } },
  { x: { shape: [odd.length], values: odd }, p: { count: 9 } },
  { x: { shape: [100], values: Array.from({ length: 100 }, (_, i) => (i * i) % 7) }, p: { count: 30 }, note: 'ties' },
];

export const sortingCases = {
  argsort: {
    rows: [...rows, ...topRows],
    run: (row, [x]) => {
      const { count, ...options } = (row.p ?? {}) as SortOptions & { readonly count?: number };
      return [count === undefined ? x!.argsort(options) : x!.topK(count, options).indices];
    },
  },
} satisfies Partial<Record<PrimitiveName, Case>>;

/** Values and their gradients: of what has neither ties nor neighbours so close that finite differences change their order. */
const isSmooth = ({ x }: Row<unknown>): boolean => (Array.isArray(x) ? !x.includes(1000) : !('values' in x));
export const sorted: Case = opCase((x, p) => x.sort(p), rows.filter(isSmooth));
export const greatest: Case = opCase((x, { count, ...p }) => x.topK(count, p).values, topRows.filter(isSmooth));
