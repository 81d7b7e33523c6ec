import type { PrimitiveName, WindowParams } from '../../../src/core/index.js';
import { type Case, opCase, type Row } from '../../check-op.js';

const windows = (
  window: readonly number[],
  strides: readonly number[],
  padding: readonly (readonly [number, number])[] = window.map(() => [0, 0] as const),
): WindowParams => ({ window, strides, padding });

const rows: readonly (Row<WindowParams> & { readonly x: readonly number[] })[] = [
  { x: [2, 4, 6, 3], p: windows([2, 2], [2, 2]) },
  { x: [1, 5, 5, 2], p: windows([3, 3], [2, 2]), note: 'overlapping' },
  { x: [1, 5, 6, 2], p: windows([2, 3], [1, 2]) },
  {
    x: [1, 5, 4, 2],
    p: windows(
      [3, 3],
      [2, 2],
      [
        [1, 1],
        [0, 1],
      ],
    ),
  },
  {
    x: [1, 5, 5, 1],
    p: windows(
      [2, 2],
      [2, 2],
      [
        [0, 1],
        [0, 1],
      ],
    ),
    note: 'ceil mode',
  },
  { x: [1, 7, 7, 1], p: windows([2, 2], [3, 3]), note: 'elements no window sees' },
  { x: [2, 9, 3], p: windows([3], [2]), note: 'one spatial axis' },
  { x: [1, 3, 4, 5, 2], p: windows([2, 2, 3], [1, 2, 2]), note: 'three spatial axes' },
  {
    x: [1, 4, 3, 4, 1],
    p: windows(
      [2, 3, 3],
      [2, 1, 2],
      [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    ),
  },
  { x: [0, 4, 4, 2], p: windows([2, 2], [2, 2]), note: 'an empty batch' },
];
const viewed: Row<WindowParams> = {
  x: { shape: [1, 4, 4, 2], view: 'transposed' },
  p: windows([2, 2], [2, 2]),
};
const { NaN: nan } = Number;
const ties: Row<WindowParams> = {
  x: { shape: [1, 2, 6, 1], values: [1, 1, 2, 3, nan, 1, 1, 1, 3, 3, 2, nan] },
  p: windows([2, 2], [2, 2]),
  noGradient: 'ties and NaN',
  note: 'the first of equals, the first NaN',
};

export const windowCases = {
  windowMax: opCase((x, p) => x.windowMax(p), [...rows, viewed, ties]),
  windowArgmax: opCase((x, p) => x.windowArgmax(p), [...rows, viewed, ties]),
  windowSum: opCase((x, p) => x.windowSum(p), [...rows, viewed, ties]),
  windowTake: opCase(
    (x, { y, ...p }) => x.windowTake(y.windowArgmax(p), p),
    rows.map((row) => ({ ...row, y: row.x })),
  ),
  windowPut: opCase(
    (x, { y, ...p }) => {
      const index = y.windowArgmax(p);
      // as many elements as there are windows, of a tensor of the input's shape
      const taken = x.windowTake(index, p);
      return taken.windowPut(index, { ...p, inputSizes: x.shape.slice(1, -1) });
    },
    rows.map((row) => ({ ...row, y: row.x })),
  ),
} satisfies Partial<Record<PrimitiveName, Case>>;
