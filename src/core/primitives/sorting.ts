import { InternalError } from '../errors.js';
import { elementStridesOf, formatShape, sizeOf } from '../shape.js';
import { anyType } from './elementwise.js';
import { type Primitive, primitive } from './primitive.js';

export interface ArgsortParams {
  readonly axis: number;
  /** From the greatest to the least. */
  readonly descending: boolean;
  /** How many of the order's first places are wanted; the axis has this size in the result. */
  readonly count: number;
}

/** Less than, equal or greater than 0, as a comes before b, with it, or after it. */
const compare = (a: number, b: number): number =>
  Number(a > b) - Number(a < b) || Number(Number.isNaN(a)) - Number(Number.isNaN(b));

/**
 * Where the elements along `axis` stand that come first in order, as int32: equal ones in the order of their indices, NaN as
 * greater than every number, −0 and 0 as equal.
 */
export const argsort: Primitive<ArgsortParams> = primitive({
  category: 'reduction',
  infer: ([x], { axis, count }) => {
    if (!anyType.includes(x!.dtype)) throw new InternalError(`argsort: takes ${anyType.join(', ')}: got ${x!.dtype}`);
    if (count > x!.shape[axis]!)
      throw new InternalError(`argsort: ${count} of ${formatShape(x!.shape)} along axis ${axis}`);
    return { shape: x!.shape.map((size, i) => (i === axis ? count : size)), dtype: 'int32' };
  },
  reference: ([x], { axis, descending, count }, { shape }) => {
    const result = new Float64Array(sizeOf(shape));
    const stride = elementStridesOf(shape)[axis]!;
    const size = x!.shape[axis]!;
    const sign = descending ? -1 : 1;
    for (let row = 0; row < (count === 0 ? 0 : result.length / count); row++) {
      const outer = Math.floor(row / stride);
      const first = outer * size * stride + (row % stride);
      const value = (i: number): number => x!.data[first + i * stride]!;
      const order = Array.from({ length: size }, (_, i) => i).sort(
        (i, j) => sign * compare(value(i), value(j)) || i - j,
      );
      for (let i = 0; i < count; i++) result[outer * count * stride + (row % stride) + i * stride] = order[i]!;
    }
    return result;
  },
});
