import { type Affine, addAffine, coefficient, rangeOf, scaleAffine } from './affine.js';
import type { Bound } from './expression.js';

export type Range = readonly [low: number, high: number];

const intersect = ([a, b]: Range, [c, d]: Range): Range => [Math.max(a, c), Math.min(b, d)];

export const isEmpty = ([low, high]: Range): boolean => low > high;

/**
 * Least and greatest value of an affine while the guards hold; an empty range where they never do. Writes the affine as multiples
 * of the guarded indices and a rest, in each order of taking them out, and keeps the tightest of what each says: all are true.
 */
export function rangeWithin(affine: Affine, sizes: ReadonlyMap<string, number>, guards: readonly Bound[]): Range {
  let best = rangeOf(affine, sizes);
  const ranges = guards.map(({ index, extent }) => intersect(rangeOf(index, sizes), [0, extent - 1]));
  if (ranges.some(isEmpty)) return [0, -1];
  const take = (rest: Affine, low: number, high: number, left: readonly number[]): void => {
    const [restLow, restHigh] = rangeOf(rest, sizes);
    best = intersect(best, [low + restLow, high + restHigh]);
    for (const i of left) {
      const { index } = guards[i]!;
      const others = left.filter((other) => other !== i);
      for (const name of Object.keys(index.terms)) {
        const factor = coefficient(rest, name) / coefficient(index, name);
        if (factor === 0 || !Number.isInteger(factor)) continue;
        const [from, to] = ranges[i]!;
        const [least, greatest] = factor > 0 ? [factor * from, factor * to] : [factor * to, factor * from];
        take(addAffine(rest, scaleAffine(index, -factor)), low + least, high + greatest, others);
      }
    }
  };
  take(affine, 0, 0, guards.map((_, i) => i).slice(0, mostGuards));
  return best;
}

/** Three spatial axes have three guards; the number of orders grows fast. */
const mostGuards = 4;
