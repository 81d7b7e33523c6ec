/**
 * train: the loop that fits a network, what it calls and measures, the folder that holds a run, and its report.
 * Knows layers, data and files; no device, no application, no terminal: a Host shows what goes on.
 * Charts are drawn by a package that is loaded at the first chart.
 */
export type { BatchOptions, FieldBatch, FieldNames, TrainingData } from './batches.js';
export * from './callbacks/index.js';
export { readCheckpoint, writeCheckpoint } from './checkpoint.node.js';
export type { Clip } from './clip.js';
export { type EvaluateOptions, evaluate } from './evaluate.js';
export { type FitOptions, fit, type History } from './fit.js';
export type { Host, Progress } from './host.js';
export * from './metrics/index.js';
export { load, type SaveOptions, save } from './model-file.node.js';
export { type PredictOptions, predict } from './predict.js';
export * from './report/index.js';
export {
  type CreateRunOptions,
  createRun,
  type MetricsRecord,
  type OpenRunOptions,
  openRun,
  type RunDescription,
  RunFolder,
} from './run-folder.node.js';
export type { TrainingProgress, TrainingState } from './training-state.js';
