import { asTensor } from '../apply.js';
import type { ComputeDType } from '../dtype.js';
import type { Tensor } from '../tensor/tensor.js';

/** One number in a tensor's shape and dtype, for gradient rules: x · 0 would be NaN where x is infinite. */
export const filledLike = ({ shape, dtype }: Tensor, value: number): Tensor =>
  asTensor(value, dtype as ComputeDType).broadcastTo(shape);
