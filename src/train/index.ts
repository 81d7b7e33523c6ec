/**
 * train: the loop that fits a network, what it calls and measures, the folder that holds a run, and its report.
 * Knows layers, data and files; no device, no application, no terminal: a Host shows what goes on.
 * Charts are drawn by a package that is loaded at the first chart.
 */
export type { Host, Progress } from './host.js';
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
