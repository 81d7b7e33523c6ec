import type { Schedule } from './schedule.js';

export interface ExponentialOptions {
  /** Of the first step. */
  readonly learningRate: number;
  /** What the rate is multiplied by in so many steps. */
  readonly factor: number;
  /** Steps (1). */
  readonly every?: number;
}

/** rate · factor^(step / every) */
export const exponential =
  ({ learningRate, factor, every = 1 }: ExponentialOptions): Schedule =>
  (step) =>
    step
      .mul(Math.log(factor) / every)
      .exp()
      .mul(learningRate);
