import { concat, type PrimitiveName } from '../../../src/core/index.js';
import { type Case, opCase } from '../../check-op.js';

const integer = { shape: [3, 4], dtype: 'int32' } as const;

export const movementCases = {
  reshape: opCase(
    (x, { shape }) => x.reshape(shape),
    [
      { x: [3, 4], p: { shape: [12] } },
      { x: [3, 4], p: { shape: [2, -1, 3] } },
      { x: [], p: { shape: [1, 1] } },
      { x: [0, 3], p: { shape: [3, 0, 2] } },
      { x: { shape: [3, 4], view: 'transposed' }, p: { shape: [2, 6] }, note: 'the elements move' },
      { x: integer, p: { shape: [4, 3] } },
    ],
  ),
  transpose: opCase(
    (x, { order }) => x.transpose(order),
    [
      { x: [3, 4], p: { order: [1, 0] } },
      { x: [2, 3, 4], p: { order: [2, 0, 1] } },
      { x: [2, 3, 4, 5], p: { order: [0, -1, 1, 2] } },
      { x: [2, 0, 3], p: { order: [1, 2, 0] } },
      { x: { shape: [2, 3, 4], view: 'sliced' }, p: { order: [1, 0, 2] } },
      { x: integer, p: { order: [1, 0] } },
      { x: [33, 17], p: { order: [1, 0] }, note: 'larger than a tile' },
    ],
  ),
  broadcast: opCase(
    (x, { shape }) => x.broadcastTo(shape),
    [
      { x: [], p: { shape: [2, 3] } },
      { x: [3], p: { shape: [2, 3] } },
      { x: [2, 1], p: { shape: [2, 3] } },
      { x: [1, 3, 1], p: { shape: [4, 2, 3, 5] } },
      { x: [1], p: { shape: [0] } },
      { x: { shape: [2, 1], dtype: 'bool' }, p: { shape: [2, 3] } },
    ],
  ),
  slice: opCase(
    (x, { start, stop, step }) => x.sliceStrided(start, stop, step),
    [
      { x: [5], p: { start: [1], stop: [4], step: [1] } },
      { x: [7, 5], p: { start: [1, 0], stop: [7, 5], step: [2, 3] } },
      { x: [5, 4], p: { start: [2, 1], stop: [2, 3], step: [1, 1] }, note: 'nothing' },
      { x: [2, 3, 4], p: { start: [0, 2, 1], stop: [2, 3, 4], step: [1, 1, 2] } },
      { x: { shape: [4, 5], view: 'transposed' }, p: { start: [1, 1], stop: [4, 4], step: [1, 2] } },
      { x: { shape: [5], dtype: 'int32' }, p: { start: [4], stop: [5], step: [1] } },
    ],
  ),
  flip: opCase(
    (x, { axes }) => x.flip(axes),
    [
      { x: [5], p: { axes: 0 } },
      { x: [3, 4], p: { axes: [0, 1] } },
      { x: [2, 3, 4], p: { axes: -2 } },
      { x: { shape: [3, 4], view: 'sliced' }, p: { axes: 1 } },
      { x: integer, p: { axes: 0 } },
    ],
  ),
  pad: opCase(
    (x, amounts) => x.padConstant(amounts),
    [
      { x: [3], p: { low: [1], high: [2] } },
      { x: [2, 3], p: { low: [0, 1], high: [2, 0], value: -1.5 } },
      { x: [2, 3], p: { low: [1, 0], high: [0, 1], interior: [2, 1] } },
      { x: [0, 2], p: { low: [1, 1], high: [1, 0], interior: [1, 0] }, note: 'of nothing' },
      { x: { shape: [2, 3], view: 'flipped' }, p: { low: [1, 1], high: [1, 1] } },
      { x: integer, p: { low: [1, 1], high: [0, 0], value: 7 } },
    ],
  ),
  concat: opCase(
    (x, { y, z, axis }) => concat(z ? [x, y, z] : [x, y], { axis }),
    [
      { x: [2, 3], y: [1, 3], p: { axis: 0 } },
      { x: [2, 3], y: [2, 2], z: [2, 1], p: { axis: 1 } },
      { x: [2, 3], y: [2, 0], p: { axis: -1 }, note: 'with nothing' },
      { x: { shape: [2, 3], view: 'transposed' }, y: [2, 3], p: { axis: 0 } },
      { x: integer, y: integer, p: { axis: 0 } },
      { x: integer, y: [3, 4], p: { axis: 0 }, note: 'dtypes meet' },
    ],
  ),
} satisfies Partial<Record<PrimitiveName, Case>>;
