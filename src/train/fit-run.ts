/** A training under way: where it stands, what it has measured, and how all of it becomes a state and comes back. */
import { device, type HostArray } from '../core/index.js';
import type { Layer, Optimizer } from '../nn/index.js';
import { Averages } from './averages.js';
import type { BatchSource } from './batches.js';
import type { Callback, EpochRecord, FitView, StepRecord } from './callbacks/callback.js';
import type { StepResult } from './train-step.js';
import { assignValues, type NamedParameters, type TrainingState, valuesOf, withPrefix } from './training-state.js';

export interface FitRunSettings {
  readonly model: Layer;
  readonly optimizer: Optimizer;
  readonly source: BatchSource;
  readonly epochs: number;
  readonly accumulate: number;
  readonly callbacks: readonly Callback[];
}

export class FitRun implements FitView {
  readonly model: Layer;
  readonly optimizer: Optimizer;
  readonly epochs: number;
  readonly #source: BatchSource;
  readonly #accumulate: number;
  readonly #callbacks: readonly Callback[];
  readonly #averages = new Averages();
  readonly #history: EpochRecord[] = [];
  #step = 0;
  #stepInEpoch = 0;
  #stopReason: string | undefined;

  constructor({ model, optimizer, source, epochs, accumulate, callbacks }: FitRunSettings) {
    this.model = model;
    this.optimizer = optimizer;
    this.epochs = epochs;
    this.#source = source;
    this.#accumulate = accumulate;
    this.#callbacks = callbacks;
  }

  get epoch(): number {
    return this.#history.length + 1;
  }

  get step(): number {
    return this.#step;
  }

  get stepInEpoch(): number {
    return this.#stepInEpoch;
  }

  get stepsPerEpoch(): number | undefined {
    const batches = this.#source.batchesPerEpoch;
    return batches === undefined ? undefined : Math.ceil(batches / this.#accumulate);
  }

  /** Whether all batches of this epoch are done and only its validation is left, as where a signal came in that. */
  get isEpochTrained(): boolean {
    // the position is the next epoch's beginning already
    return this.#stepInEpoch > 0 && this.#source.position().batch === 0;
  }

  get averages(): Readonly<Record<string, number>> {
    return this.#averages.means();
  }

  get history(): readonly EpochRecord[] {
    return this.#history;
  }

  get stopReason(): string | undefined {
    return this.#stopReason;
  }

  stop(reason: string): void {
    this.#stopReason ??= reason;
  }

  /** Counts a step that was done. */
  endStep({ values, size }: StepResult): StepRecord {
    this.#step++;
    this.#stepInEpoch++;
    this.#averages.add(values, size);
    const measured = this.#callbacks.map((callback) => callback.measure?.(this) ?? {});
    return { step: this.#step, epoch: this.epoch, values: Object.assign({ ...values }, ...measured) };
  }

  /** Closes the epoch; `validation` holds what the validation data gave. */
  endEpoch(validation: Readonly<Record<string, number>>): EpochRecord {
    const record = { step: this.#step, epoch: this.epoch, values: { ...this.averages, ...validation } };
    this.#history.push(record);
    this.#averages.clear();
    this.#stepInEpoch = 0;
    return record;
  }

  state(): TrainingState {
    return {
      tensors: new Map<string, HostArray>(valuesOf(this.#parameters())),
      progress: {
        step: this.#step,
        stepInEpoch: this.#stepInEpoch,
        position: this.#source.position(),
        averages: this.#averages.state(),
        history: [...this.#history],
        callbacks: Object.fromEntries(
          this.#callbacks.flatMap((callback) => (callback.state ? [[callback.name, callback.state()]] : [])),
        ),
        target: device().target,
      },
    };
  }

  /** @throws KilnError if the state is of another model or other data; then no parameter has changed */
  restore({ tensors, progress, source = 'fit: resume' }: TrainingState): void {
    const { step, stepInEpoch, position, averages, history, callbacks } = progress;
    this.#source.restore(position);
    assignValues(this.#parameters(), tensors, source);
    this.#step = step;
    this.#stepInEpoch = stepInEpoch;
    this.#averages.restore(averages);
    this.#history.splice(0, this.#history.length, ...history);
    for (const callback of this.#callbacks) {
      if (callback.name in callbacks) callback.restore?.(callbacks[callback.name]);
    }
  }

  /** All tensors that change from step to step, by their names in a checkpoint. */
  #parameters(): NamedParameters {
    this.optimizer.prepare(this.model.parameters());
    return {
      ...withPrefix('model/', this.model.parameters()),
      ...withPrefix('optimizer/', this.optimizer.state()),
      ...Object.assign(
        {},
        ...this.#callbacks.map((callback) => withPrefix(`callbacks/${callback.name}/`, callback.parameters?.() ?? {})),
      ),
    };
  }
}
