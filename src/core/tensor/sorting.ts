import { apply } from '../apply.js';
import { fail } from '../errors.js';
import { formatShape, normalizeAxis } from '../shape.js';
import { Tensor } from './tensor.js';

export interface SortOptions {
  /** The axis along which elements are ordered (-1). */
  readonly axis?: number;
  /** From the greatest to the least (false). */
  readonly descending?: boolean;
}

export interface TopK {
  /** [..., k, ...], the greatest first. */
  readonly values: Tensor;
  /** Where they stand along the axis, int32, in the same order. */
  readonly indices: Tensor;
}

declare module './tensor.js' {
  interface Tensor {
    /**
     * The elements along an axis in order. Stable; NaN counts as greater than every number, −0 and 0 as equal.
     *
     * Gradients go back to where the elements came from. A row of n costs n · (log₂ n)² / 4 comparisons, done side by side:
     * a network, whose time does not depend on the values.
     *
     * @param options axis (-1), descending (false)
     * @example scores.sort({ descending: true })
     * @see Batcher 1968, Sorting networks and their applications
     */
    sort(options?: SortOptions): Tensor;
    /** The indices, int32, that bring the elements along an axis in order: x.takeAlongAxis(x.argsort()) is x.sort(). Options as in sort. */
    argsort(options?: SortOptions): Tensor;
    /**
     * The k greatest elements along an axis, from the greatest on; of equal ones those with the lower index. NaN is greatest.
     *
     * The time is that of n · (log₂ k)² / 4 comparisons: what cannot be among the first k is dropped on the way.
     *
     * @param options axis (-1)
     * @throws ShapeError if there are fewer than k elements
     * @example const { values, indices } = probabilities.topK(5)
     */
    topK(k: number, options?: { readonly axis?: number }): TopK;
  }
}

Tensor.prototype.argsort = function (this: Tensor, { axis = -1, descending = false }: SortOptions = {}): Tensor {
  const at = normalizeAxis('argsort', axis, this.rank);
  return apply('argsort', [this], { axis: at, descending, count: this.shape[at]! });
};

Tensor.prototype.sort = function (this: Tensor, { axis = -1, descending = false }: SortOptions = {}): Tensor {
  const at = normalizeAxis('sort', axis, this.rank);
  return this.takeAlongAxis(this.argsort({ axis: at, descending }), { axis: at });
};

Tensor.prototype.topK = function (this: Tensor, k: number, { axis = -1 }: { readonly axis?: number } = {}): TopK {
  const at = normalizeAxis('topK', axis, this.rank);
  const size = this.shape[at]!;
  if (!Number.isInteger(k) || k < 0 || k > size) {
    fail(
      `topK: ${k} of ${size} elements along axis ${at} of ${formatShape(this.shape)}`,
      `Give an integer from 0 to ${size}.`,
    );
  }
  const indices = apply('argsort', [this], { axis: at, descending: true, count: k });
  return { values: this.takeAlongAxis(indices, { axis: at }), indices };
};
