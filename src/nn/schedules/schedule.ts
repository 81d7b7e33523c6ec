import type { Tensor } from '../../core/index.js';

/**
 * A learning rate that follows the number of steps done.
 *
 * @param step float32 scalar, 0 at the first step
 * @returns float32 scalar
 */
export type Schedule = (step: Tensor) => Tensor;
