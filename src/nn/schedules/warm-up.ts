import { constant } from './constant.js';
import type { Schedule } from './schedule.js';

export interface WarmUpOptions {
  /** The rate that is reached, or the schedule that begins then. */
  readonly learningRate: number | Schedule;
  /** Steps of the warm-up. */
  readonly steps: number;
  /** Fraction of the rate at the first step (0). */
  readonly from?: number;
}

/**
 * A straight way up to a rate, or to where another schedule begins: rate · (from + (1 − from) · min(step / steps, 1)).
 *
 * @example adam({ learningRate: warmUp({ steps: 500, learningRate: cosine({ learningRate: 1e-3, steps: 10_000 }) }) })
 */
export function warmUp({ learningRate, steps, from = 0 }: WarmUpOptions): Schedule {
  const after = typeof learningRate === 'number' ? constant({ learningRate }) : learningRate;
  return (step) => {
    const ramp = step
      .div(steps)
      .minimum(1)
      .mul(1 - from)
      .add(from);
    return after(step.sub(steps).maximum(0)).mul(ramp);
  };
}
