import type { Schedule } from './schedule.js';

export interface StepwiseOptions {
  /** Of the first steps. */
  readonly learningRate: number;
  /** Steps between two changes. */
  readonly every: number;
  /** What the rate is multiplied by at each (0.1). */
  readonly factor?: number;
  /** Steps before the first of those intervals begins (0). */
  readonly after?: number;
}

/** rate · factor^⌊max(0, step − after) / every⌋ */
export const stepwise =
  ({ learningRate, every, factor = 0.1, after = 0 }: StepwiseOptions): Schedule =>
  (step) =>
    step.sub(after).maximum(0).div(every).floor().mul(Math.log(factor)).exp().mul(learningRate);
