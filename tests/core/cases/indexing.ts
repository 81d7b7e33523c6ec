import type { PrimitiveName } from '../../../src/core/index.js';
import { type Case, opCase } from '../../check-op.js';
import type { Operand } from '../../operands.js';

const at = (shape: readonly number[], values: readonly number[]): Operand => ({ shape, dtype: 'int32', values });

export const indexingCases = {
  gather: opCase(
    (x, { y, axis }) => x.take(y, { axis }),
    [
      { x: [5, 3], y: at([4], [0, 4, 4, 2]), p: { axis: 0 } },
      { x: [3, 5], y: at([2, 2], [1, 0, 3, 1]), p: { axis: 1 } },
      { x: [2, 5, 3], y: at([], [2]), p: { axis: -2 }, note: 'one index: the axis goes' },
      { x: [5], y: at([0], []), p: { axis: 0 } },
      { x: { shape: [4, 3], view: 'transposed' }, y: at([3], [2, 0, 2]), p: { axis: 0 } },
      { x: { shape: [5, 2], dtype: 'int32' }, y: at([3], [2, 0, 2]), p: { axis: 0 } },
    ],
  ),
  scatterAdd: opCase(
    (x, { y, ...p }) => x.scatterAdd(y, p),
    [
      { x: [4, 3], y: at([4], [0, 4, 4, 2]), p: { axis: 0, size: 5 } },
      { x: [3, 2, 2], y: at([2, 2], [1, 0, 3, 1]), p: { axis: 1, size: 5 } },
      { x: [2, 3], y: at([], [2]), p: { axis: 1, size: 4 } },
      { x: [0], y: at([0], []), p: { axis: 0, size: 3 } },
      { x: { shape: [4], dtype: 'int32' }, y: at([4], [1, 1, 1, 0]), p: { axis: 0, size: 2 } },
    ],
  ),
  gatherAlong: opCase(
    (x, { y, axis }) => x.takeAlongAxis(y, { axis }),
    [
      { x: [5], y: at([3], [4, 0, 4]), p: { axis: 0 } },
      { x: [3, 2], y: at([2, 2], [2, 0, 1, 1]), p: { axis: 0 } },
      { x: [2, 3], y: at([2, 4], [2, 0, 1, 1, 0, 0, 2, 2]), p: { axis: -1 } },
      { x: [2, 4, 2], y: at([2, 1, 2], [3, 0, 1, 2]), p: { axis: 1 } },
      { x: [2, 4, 3], y: at([1, 2, 1], [3, 0]), p: { axis: 1 }, note: 'indices broadcast' },
      { x: [1, 4], y: at([3, 1], [3, 0, 2]), p: { axis: 1 }, note: 'the tensor broadcasts' },
      { x: [2, 3], y: at([2, 0], []), p: { axis: 1 } },
      { x: { shape: [3, 2], view: 'transposed' }, y: at([1, 2], [2, 0]), p: { axis: 0 } },
      { x: { shape: [2, 3], dtype: 'uint8' }, y: at([2, 1], [2, 0]), p: { axis: 1 } },
    ],
  ),
  scatterAddAlong: opCase(
    (x, { y, ...p }) => x.scatterAddAlongAxis(y, p),
    [
      { x: [4], y: at([4], [2, 0, 2, 2]), p: { axis: 0, size: 3 } },
      { x: [2, 3], y: at([2, 3], [2, 0, 1, 1, 0, 0]), p: { axis: -1, size: 3 } },
      { x: [3, 2], y: at([3, 2], [2, 0, 1, 1, 2, 0]), p: { axis: 0, size: 4 } },
      { x: [2, 2, 2], y: at([2, 2, 2], [2, 0, 1, 1, 2, 0, 0, 0]), p: { axis: 1, size: 3 } },
      { x: [2, 0], y: at([2, 0], []), p: { axis: 1, size: 3 } },
      { x: { shape: [2, 3], dtype: 'int32' }, y: at([2, 3], [1, 1, 1, 0, 1, 0]), p: { axis: 1, size: 2 } },
    ],
  ),
  dynamicSlice: opCase(
    (x, { y, sizes }) => x.dynamicSlice(y, sizes),
    [
      { x: [5], y: at([1], [2]), p: { sizes: [2] } },
      { x: [4, 5], y: at([2], [1, 3]), p: { sizes: [2, 2] } },
      { x: [4, 5], y: at([2], [-3, 9]), p: { sizes: [2, 3] }, note: 'moved inside' },
      { x: { shape: [4, 5], view: 'transposed' }, y: at([2], [1, 1]), p: { sizes: [3, 2] } },
      { x: { shape: [4], dtype: 'int32' }, y: at([1], [1]), p: { sizes: [2] } },
    ],
  ),
  dynamicUpdate: opCase(
    (x, { y, z }) => x.dynamicUpdate(y, z),
    [
      { x: [5], y: [2], z: at([1], [2]) },
      { x: [4, 5], y: [2, 2], z: at([2], [1, 3]) },
      { x: [4, 5], y: [2, 3], z: at([2], [-3, 9]), note: 'moved inside' },
      { x: [4, 5], y: [0, 3], z: at([2], [1, 1]), note: 'with nothing' },
      { x: { shape: [4], dtype: 'int32' }, y: { shape: [2], dtype: 'int32' }, z: at([1], [1]) },
    ],
  ),
} satisfies Partial<Record<PrimitiveName, Case>>;
