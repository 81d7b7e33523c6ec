import { fail } from './errors.js';

/** Sizes of the axes, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`;

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i]);

/** Row-major distances between neighbours along each axis, in elements. */
export function elementStridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** The axis counted from the front; negative axes count from the back, as in NumPy. */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    fail(
      `${where}: axis ${axis} is out of range for rank ${rank}`,
      rank === 0 ? 'A scalar has no axes.' : `Axes go from ${-rank} to ${rank - 1}.`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/** Distinct axes counted from the front, ascending; `undefined` means all of them. */
export function normalizeAxes(where: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => normalizeAxis(where, axis, rank));
  const repeated = list.find((axis, i) => list.indexOf(axis) !== i);
  if (repeated !== undefined)
    fail(`${where}: axis ${repeated} is named twice in ${formatShape(list)}`, 'Name each axis once.');
  return list.toSorted((a, b) => a - b);
}

/** The common shape of operands under NumPy's broadcasting rule. */
export function broadcastShapes(where: string, ...shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    shape.forEach((size, i) => {
      const axis = rank - shape.length + i;
      const other = result[axis]!;
      if (size === other || size === 1) return;
      if (other !== 1) {
        fail(
          `${where}: shapes do not broadcast: ${shapes.map(formatShape).join(' and ')} (${other} ≠ ${size} at axis ${axis - rank})`,
          'Counted from the right, axes must be equal or 1. Reshape one side, or add an axis of size 1 where it should repeat.',
        );
      }
      result[axis] = size;
    });
  }
  return result;
}

/** Checks that `shape` is a list of non-negative integers whose product a typed array can hold. */
export function checkShape(where: string, shape: Shape): void {
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0)
      fail(`${where}: ${formatShape(shape)} is not a shape`, 'Sizes are integers of at least 0.');
  }
  if (sizeOf(shape) > 2 ** 31)
    fail(`${where}: ${formatShape(shape)} has ${sizeOf(shape)} elements`, `A tensor holds at most ${2 ** 31}.`);
}
