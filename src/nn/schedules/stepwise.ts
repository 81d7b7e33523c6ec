import type { Schedule } from './schedule.js';

export interface StepwiseOptions {
  /** Of the first steps. */
  readonly learningRate: number;
  /** Steps between two changes. */
  readonly every: number;
  /** What the rate is multiplied by at each (0.1). */
  readonly factor?: number;
}

/** rate · factor^⌊step / every⌋ */
export const stepwise =
  ({ learningRate, every, factor = 0.1 }: StepwiseOptions): Schedule =>
  (step) =>
    step.div(every).floor().mul(Math.log(factor)).exp().mul(learningRate);
