/**
 * callbacks: what watches a training and may stop it, one a file.
 * What a callback remembers is part of the checkpoint. Those that write files are in `*.node.ts`.
 */
export type { Callback, EpochRecord, FitView, StepRecord } from './callback.js';
export { type CheckpointOptions, checkpointEvery } from './checkpoint-every.node.js';
export { type EarlyStopOptions, earlyStop } from './early-stop.js';
export { recordLearningRate } from './learning-rate.js';
export { recordMetrics } from './record-metrics.node.js';
export { reportProgress } from './report-progress.js';
export { type WeightAverage, weightAverage } from './weight-average.js';
