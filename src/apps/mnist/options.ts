/** What the commands of this application take; the names are those of the command line in camel case. */
import type { Host } from '../../train/index.js';

export interface TrainMnistOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
  /** Learns from the first so many digits only. */
  readonly limit?: number | undefined;
  /** Tests on the first so many only. */
  readonly testLimit?: number | undefined;
  /** The run folder to be made (`runs/mnist-<n>`). */
  readonly out?: string | undefined;
  /** The run to go on with. */
  readonly resume?: string | undefined;
}

export interface TrainHost extends Host {
  /** Options that a person typed: they win over those of the run that is resumed. */
  readonly given: ReadonlySet<string>;
  /** Of Kiln. */
  readonly version: string;
}
