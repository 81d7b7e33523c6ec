import { apply } from '../apply.js';
import type { PrimitiveName } from '../primitives/index.js';
import { normalizeAxes, normalizeAxis } from '../shape.js';
import { Tensor } from './tensor.js';

export interface ReduceOptions {
  /** The axis or axes that are reduced (all). */
  readonly axis?: number | readonly number[];
  /** Whether they stay as size 1 (false). */
  readonly keepDims?: boolean;
}

export interface ArgumentOptions {
  /** The axis along which the index is taken (the elements as one row). */
  readonly axis?: number;
  readonly keepDims?: boolean;
}

declare module './tensor.js' {
  interface Tensor {
    /** Sum; of bool and uint8 as int32. The sum of nothing is 0. */
    sum(options?: ReduceOptions): Tensor;
    prod(options?: ReduceOptions): Tensor;
    max(options?: ReduceOptions): Tensor;
    min(options?: ReduceOptions): Tensor;
    mean(options?: ReduceOptions): Tensor;
    /** Whether any is true. */
    any(options?: ReduceOptions): Tensor;
    /** Whether all are true. */
    all(options?: ReduceOptions): Tensor;
    /** Index of the greatest, int32; the first of equals, NaN before every number. */
    argmax(options?: ArgumentOptions): Tensor;
    argmin(options?: ArgumentOptions): Tensor;
    /** Running sum along an axis (0), from its end when `reverse`. */
    cumsum(options?: { readonly axis?: number; readonly reverse?: boolean }): Tensor;
  }
}

function reduce(
  op: Extract<PrimitiveName, `reduce${string}`>,
  x: Tensor,
  { axis, keepDims = false }: ReduceOptions,
): Tensor {
  const axes = normalizeAxes(op.slice('reduce'.length).toLowerCase(), axis, x.rank);
  const y = axes.length === 0 ? x : apply(op, [x], { axes });
  return keepDims ? y.reshape(x.shape.map((size, i) => (axes.includes(i) ? 1 : size))) : y;
}

/** Sums and products of small integer types are taken in int32, as NumPy widens them. */
const widened = (x: Tensor): Tensor => (x.dtype === 'bool' || x.dtype === 'uint8' ? x.cast('int32') : x);

Tensor.prototype.sum = function (this: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce('reduceSum', widened(this), options);
};
Tensor.prototype.prod = function (this: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce('reduceProd', widened(this), options);
};
Tensor.prototype.max = function (this: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce('reduceMax', this, options);
};
Tensor.prototype.min = function (this: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce('reduceMin', this, options);
};
Tensor.prototype.any = function (this: Tensor, options: ReduceOptions = {}): Tensor {
  return this.size === 0
    ? this.cast('int32').sum(options).cast('bool')
    : reduce('reduceMax', this.cast('bool'), options);
};
Tensor.prototype.all = function (this: Tensor, options: ReduceOptions = {}): Tensor {
  return this.cast('bool').not().any(options).not();
};
Tensor.prototype.mean = function (this: Tensor, options: ReduceOptions = {}): Tensor {
  const sum = this.cast('float32').sum(options);
  const count = normalizeAxes('mean', options.axis, this.rank).reduce(
    (product, axis) => product * this.shape[axis]!,
    1,
  );
  return sum.div(count);
};

function argument(op: 'argmax' | 'argmin', x: Tensor, { axis, keepDims = false }: ArgumentOptions): Tensor {
  if (axis === undefined) {
    const index = apply(op, [x.reshape([x.size])], { axis: 0 });
    return keepDims ? index.reshape(x.shape.map(() => 1)) : index;
  }
  const at = normalizeAxis(op, axis, x.rank);
  const index = apply(op, [x], { axis: at });
  return keepDims ? index.expandDims(at) : index;
}
Tensor.prototype.argmax = function (this: Tensor, options: ArgumentOptions = {}): Tensor {
  return argument('argmax', this, options);
};
Tensor.prototype.argmin = function (this: Tensor, options: ArgumentOptions = {}): Tensor {
  return argument('argmin', this, options);
};
Tensor.prototype.cumsum = function (this: Tensor, { axis = 0, reverse = false } = {}): Tensor {
  const x = widened(this);
  return apply('cumsum', [x], { axis: normalizeAxis('cumsum', axis, x.rank), reverse });
};
