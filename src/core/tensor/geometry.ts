import { fail } from '../errors.js';
import { formatShape, type Shape } from '../shape.js';

/** Zeros (or −∞) around the spatial axes: none, as many as keep ⌈size / strides⌉ outputs, or [before, after] for each axis. */
export type Padding = 'valid' | 'same' | readonly (readonly [before: number, after: number])[];

/** One number for every spatial axis, or one for each. */
export type PerAxis = number | readonly number[];

/** The option for each of `rank` spatial axes, checked. */
export function perAxis(where: string, option: string, value: PerAxis, rank: number, least = 1): number[] {
  const list = typeof value === 'number' ? new Array<number>(rank).fill(value) : [...value];
  if (list.length !== rank || list.some((size) => !Number.isInteger(size) || size < least)) {
    fail(
      `${where}: ${option} ${typeof value === 'number' ? value : formatShape(value)}`,
      `Give an integer of at least ${least}, or one for each of the ${rank} spatial axes.`,
    );
  }
  return list;
}

/**
 * Amounts [before, after] for each spatial axis.
 *
 * 'same' is TensorFlow's: (⌈size / stride⌉ − 1)·stride + window − size in total, the odd one after.
 *
 * @param windows sizes of the window with its dilation: dilation·(kernel − 1) + 1
 */
export function resolvePadding(
  where: string,
  padding: Padding,
  sizes: Shape,
  windows: readonly number[],
  strides: readonly number[],
): (readonly [number, number])[] {
  if (padding === 'valid') return sizes.map(() => [0, 0]);
  if (padding === 'same') {
    return sizes.map((size, axis) => {
      const total = Math.max(0, (Math.ceil(size / strides[axis]!) - 1) * strides[axis]! + windows[axis]! - size);
      const before = Math.floor(total / 2);
      return [before, total - before];
    });
  }
  const isPairs =
    Array.isArray(padding) &&
    padding.length === sizes.length &&
    padding.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(Number.isInteger));
  if (!isPairs) {
    fail(
      `${where}: padding ${JSON.stringify(padding)}`,
      `Give 'valid', 'same', or [before, after] for each of the ${sizes.length} spatial axes.`,
    );
  }
  return padding.map(([before, after]) => [before, after]);
}
