import type { RunFolder } from '../run-folder.node.js';
import type { Callback } from './callback.js';

/** Writes each step and epoch to the run's metrics.jsonl. Name it before checkpointEvery: lines come before their checkpoint. */
export const recordMetrics = (run: RunFolder): Callback => ({
  name: 'recordMetrics',
  onStep: ({ step, epoch, values }) => run.appendMetrics({ kind: 'step', step, epoch, ...values }),
  onEpochEnd: ({ step, epoch, values }) => run.appendMetrics({ kind: 'epoch', step, epoch, ...values }),
});
