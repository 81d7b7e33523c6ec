/**
 * metrics: how good predictions are. Pure functions over arrays on the host; accuracy also inside a compiled step.
 * Matrices have the predicted classes as rows and the true ones as columns.
 */
export { accuracy, argmaxRows, type Metric, topKAccuracy } from './accuracy.js';
export { type ClassMetrics, type ConfusionCounts, classMetrics, confusionMatrix } from './confusion-matrix.js';
