import { fail, KilnError } from '../errors.js';
import { normalizeAxes } from '../shape.js';
import type { ReduceOptions } from './reduce.js';
import { Tensor } from './tensor.js';

export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the count in the divisor: 1 for the unbiased estimate (0). */
  readonly correction?: number;
}

export interface NormOptions extends ReduceOptions {
  /** 1 sum of magnitudes, 2 root of the sum of squares, Infinity the greatest magnitude (2). */
  readonly order?: 1 | 2 | typeof Number.POSITIVE_INFINITY;
}

declare module './tensor.js' {
  interface Tensor {
    /** Mean of (x − mean)² over the axes (all); divides by count − correction (0). */
    variance(options?: VarianceOptions): Tensor;
    /** Root of the variance; its gradient is 0 where the variance is 0. */
    std(options?: VarianceOptions): Tensor;
    /** Norm of the elements over the axes (all): order 1, 2 or Infinity (2). The gradient of order 2 is 0 at the origin. */
    norm(options?: NormOptions): Tensor;
  }
}

Tensor.prototype.variance = function (
  this: Tensor,
  { axis, keepDims = false, correction = 0 }: VarianceOptions = {},
): Tensor {
  const x = this.cast('float32');
  const axes = normalizeAxes('variance', axis, x.rank);
  const count = axes.reduce((product, at) => product * x.shape[at]!, 1);
  const distances = x.sub(x.mean({ axis: axes, keepDims: true }));
  return distances
    .square()
    .sum({ axis: axes, keepDims })
    .div(Math.max(0, count - correction));
};

Tensor.prototype.std = function (this: Tensor, options: VarianceOptions = {}): Tensor {
  return root(this.variance(options));
};

Tensor.prototype.norm = function (this: Tensor, { axis, keepDims = false, order = 2 }: NormOptions = {}): Tensor {
  const x = this.cast('float32');
  const options = { keepDims, ...(axis !== undefined && { axis }) };
  switch (order) {
    case 1:
      return x.abs().sum(options);
    case 2:
      return root(x.square().sum(options));
    case Number.POSITIVE_INFINITY:
      return x.abs().max(options);
    default:
      return fail(`norm: order ${order}`, 'Orders are 1, 2 and Infinity.', KilnError);
  }
};

/** √x whose gradient is 0 at 0, where the slope of the root is infinite and 0 · ∞ would give NaN. */
function root(x: Tensor): Tensor {
  const isZero = x.equal(0);
  return isZero.select(0, isZero.select(1, x).sqrt());
}
