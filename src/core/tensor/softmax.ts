import { normalizeAxes, normalizeAxis } from '../shape.js';
import type { ReduceOptions } from './reduce.js';
import { Tensor } from './tensor.js';

export interface SoftmaxOptions {
  /** The axis along which the results sum to 1 (the last). */
  readonly axis?: number;
}

declare module './tensor.js' {
  interface Tensor {
    /** eˣ / Σ eˣ along an axis (−1). The greatest is subtracted first, so that nothing overflows. */
    softmax(options?: SoftmaxOptions): Tensor;
    /** x − log Σ eˣ along an axis (−1): log(softmax(x)) without its rounding. */
    logSoftmax(options?: SoftmaxOptions): Tensor;
    /** log Σ eˣ over the axes (all), the greatest subtracted first. */
    logSumExp(options?: ReduceOptions): Tensor;
  }
}

/** x − max(x) along `axis`. The greatest is a constant to the gradient: it cancels in what is made of it. */
function shifted(op: string, tensor: Tensor, axis: number): { z: Tensor; at: number } {
  const x = tensor.cast('float32');
  const at = normalizeAxis(op, axis, x.rank);
  if (x.shape[at] === 0) return { z: x, at };
  return { z: x.sub(x.max({ axis: at, keepDims: true }).stopGradient()), at };
}

Tensor.prototype.softmax = function (this: Tensor, { axis = -1 }: SoftmaxOptions = {}): Tensor {
  const { z, at } = shifted('softmax', this, axis);
  const powers = z.exp();
  return powers.div(powers.sum({ axis: at, keepDims: true }));
};

Tensor.prototype.logSoftmax = function (this: Tensor, { axis = -1 }: SoftmaxOptions = {}): Tensor {
  const { z, at } = shifted('logSoftmax', this, axis);
  return z.sub(z.exp().sum({ axis: at, keepDims: true }).log());
};

Tensor.prototype.logSumExp = function (this: Tensor, { axis, keepDims = false }: ReduceOptions = {}): Tensor {
  const x = this.cast('float32');
  const axes = normalizeAxes('logSumExp', axis, x.rank);
  // the sum of nothing is 0, and its logarithm −∞
  if (axes.some((at) => x.shape[at] === 0)) return x.sum({ axis: axes, keepDims }).log();
  const greatest = x.max({ axis: axes, keepDims: true }).stopGradient();
  // ±∞ − ±∞ would be NaN
  const shift = greatest.isFinite().select(greatest, 0);
  const y = x.sub(shift).exp().sum({ axis: axes, keepDims: true }).log().add(shift);
  return keepDims ? y : y.squeeze(axes);
};
