/** What the commands of this application take; the names are those of the command line in camel case. */
import type { Host } from '../../train/index.js';

/** What decides the network. */
export interface TextNetworkOptions {
  readonly model: 'lstm' | 'gru' | 'rnn';
  readonly layers: number;
  /** Units of a layer. */
  readonly hidden: number;
  readonly dropout: number;
  readonly seed: number;
}

/** What decides the numbers of a run. */
export interface TextSettings extends TextNetworkOptions {
  readonly sequenceLength: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** What the rate is multiplied by at the end of each epoch from `decayAfter` on. */
  readonly learningRateDecay: number;
  readonly decayAfter: number;
  /** How much of the mean squared gradient RMSProp keeps. */
  readonly decayRate: number;
  /** Each number of the gradients is cut to ± so much. */
  readonly clip: number;
  /** Fraction of the text that is kept for validation. */
  readonly validation: number;
}

export interface TrainTextOptions extends TextSettings {
  readonly files: readonly string[];
  /** The run folder to be made (`runs/text-<n>`). */
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

export interface GenerateOptions {
  /** What the text begins with; a character drawn by the seed, unless given. */
  readonly prime?: string | undefined;
  /** Divides the logarithms of the probabilities: below 1 safer, above 1 wilder, 0 always the likeliest. */
  readonly temperature: number;
  /** Characters. */
  readonly length: number;
  readonly seed: number;
  /** File to be written. */
  readonly out?: string | undefined;
}

/** char-rnn's options, as far as they have defaults there. @see karpathy/char-rnn, train.lua */
export const textDefaults: TextSettings = {
  model: 'lstm',
  layers: 2,
  hidden: 128,
  dropout: 0,
  seed: 0,
  sequenceLength: 50,
  batchSize: 50,
  epochs: 50,
  learningRate: 2e-3,
  learningRateDecay: 0.97,
  decayAfter: 10,
  decayRate: 0.95,
  clip: 5,
  validation: 0.05,
};
