import type { Tensor } from '../../core/index.js';

/** The mean loss of a batch, one float32 number. All losses have this signature. */
export type Loss = (predictions: Tensor, targets: Tensor) => Tensor;
