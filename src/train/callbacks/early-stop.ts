import { fail, KilnError, nearest } from '../../core/index.js';
import type { Callback } from './callback.js';

export interface EarlyStopOptions {
  /** What is watched ('validationLoss'). */
  readonly monitor?: string;
  /** Epochs without a better value before training stops (3). */
  readonly patience?: number;
  /** Whether less or more is better ('min', or 'max' where the name ends in Accuracy). */
  readonly mode?: 'min' | 'max';
  /** A value is better only if by more than this (0). */
  readonly minDelta?: number;
}

/** Ends the training when a value has not improved for some epochs. */
export function earlyStop(options: EarlyStopOptions = {}): Callback {
  const { monitor = 'validationLoss', patience = 3, minDelta = 0 } = options;
  const { mode = /accuracy$/i.test(monitor) ? 'max' : 'min' } = options;
  let best: number | undefined;
  let epochsWithout = 0;
  const isBetter = (value: number): boolean =>
    best === undefined || (mode === 'min' ? value < best - minDelta : value > best + minDelta);
  return {
    name: 'earlyStop',
    onBegin: () => {
      best = undefined;
      epochsWithout = 0;
    },
    onEpochEnd: ({ values }, fit) => {
      const value = values[monitor];
      if (value === undefined) failUnknown(monitor, Object.keys(values));
      if (isBetter(value)) {
        best = value;
        epochsWithout = 0;
        return;
      }
      epochsWithout++;
      if (epochsWithout >= patience) fit.stop(`${monitor} has not improved for ${epochsWithout} epochs (best ${best})`);
    },
    state: () => ({ best, epochsWithout }),
    restore: (state) => {
      const saved = state as { readonly best?: number; readonly epochsWithout: number };
      best = saved.best;
      epochsWithout = saved.epochsWithout;
    },
  };
}

function failUnknown(monitor: string, names: readonly string[]): never {
  const likely = nearest(monitor, names);
  const mend = likely
    ? `Did you mean ${likely}?`
    : monitor.startsWith('validation')
      ? 'Give fit validation data, or monitor what it measures while training.'
      : 'Monitor one of these, or add a metric of this name.';
  fail(`earlyStop: ${monitor} is not measured (measured: ${names.join(', ')})`, mend, KilnError);
}
