import { asTensor } from '../../core/index.js';
import type { Schedule } from './schedule.js';

/** Always the same rate. */
export const constant =
  ({ learningRate }: { readonly learningRate: number }): Schedule =>
  () =>
    asTensor(learningRate);
