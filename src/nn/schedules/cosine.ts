import type { Schedule } from './schedule.js';

export interface CosineOptions {
  /** Of the first step. */
  readonly learningRate: number;
  /** Steps until the minimum, where it stays. */
  readonly steps: number;
  /** 0 */
  readonly minimum?: number;
}

/**
 * minimum + (rate − minimum) · (1 + cos(π · step / steps)) / 2
 *
 * @see Loshchilov & Hutter 2017, arXiv:1608.03983, equation 5, without restarts
 */
export const cosine =
  ({ learningRate, steps, minimum = 0 }: CosineOptions): Schedule =>
  (step) =>
    step
      .minimum(steps)
      .mul(Math.PI / steps)
      .cos()
      .add(1)
      .mul((learningRate - minimum) / 2)
      .add(minimum);
