import { crossEntropy, type Loss } from '../nn/index.js';
import { accuracy, type Metric } from './metrics/index.js';

/** What is measured beside a loss when nothing is named. */
export const defaultMetrics = (loss: Loss): Readonly<Record<string, Metric>> =>
  loss === crossEntropy ? { accuracy } : {};
