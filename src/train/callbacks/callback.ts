import type { Parameter } from '../../core/index.js';
import type { Layer, Optimizer } from '../../nn/index.js';
import type { TrainingState } from '../training-state.js';

/** The loss and each metric of one step; names are those of the metrics. */
export interface StepRecord {
  /** Since the run began, from 1; resumed runs count on. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  readonly values: Readonly<Record<string, number>>;
}

/** The means of an epoch: `loss`, each metric, and `validationLoss`, `validationAccuracy` … where there are validation data. */
export type EpochRecord = StepRecord;

/** What a fit under way shows to its callbacks. */
export interface FitView {
  readonly model: Layer;
  readonly optimizer: Optimizer;
  /** Under way, from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done since the run began. */
  readonly step: number;
  readonly stepInEpoch: number;
  /** `undefined` while nobody knows. */
  readonly stepsPerEpoch: number | undefined;
  /** Means since the epoch began. */
  readonly averages: Readonly<Record<string, number>>;
  /** Of the epochs that are over. */
  readonly history: readonly EpochRecord[];
  /** Ends the training after this step or epoch; the reason stands in the history. */
  stop(reason: string): void;
  /** All that is needed to go on from exactly here. */
  state(): TrainingState;
}

/**
 * Something that watches the training. Each hook may be left out, and may return a promise, which is awaited.
 * What a callback remembers from step to step goes through `parameters` or `state`: then it survives a resume.
 */
export interface Callback {
  /** Tells the states of callbacks apart in a checkpoint. */
  readonly name: string;
  onBegin?(fit: FitView): void | Promise<void>;
  onEpochBegin?(fit: FitView): void | Promise<void>;
  /** More to be recorded of a step, such as the learning rate. */
  measure?(fit: FitView): Readonly<Record<string, number>>;
  onStep?(record: StepRecord, fit: FitView): void | Promise<void>;
  onEpochEnd?(record: EpochRecord, fit: FitView): void | Promise<void>;
  /** The training is over, or was interrupted, or stopped early. Not called when it failed. */
  onEnd?(fit: FitView): void | Promise<void>;
  /** Tensors that it keeps, by name; asked for once training has begun. */
  parameters?(): Readonly<Record<string, Parameter>>;
  /** What else it keeps, as plain JSON. */
  state?(): unknown;
  /** @param state what `state` returned when the checkpoint was made */
  restore?(state: unknown): void;
}
