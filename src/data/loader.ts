import { fail, type HostArray, KilnError } from '../core/index.js';
import { type Dataset, gatherRows } from './dataset.js';
import { permutation } from './permutation.js';

export interface LoaderOptions {
  /** Examples a batch (32). */
  readonly batchSize?: number;
  /** A new order each epoch (true), or that of the data set. */
  readonly shuffle?: boolean;
  /** Decides the order of every epoch (0). */
  readonly seed?: number;
  /** Leaves out the last batch of an epoch where it would be smaller (false). */
  readonly dropLast?: boolean;
}

export interface Batch {
  /** Counted from 0 in its epoch. */
  readonly index: number;
  readonly epoch: number;
  /** How many examples it has: batchSize, or fewer in an epoch's last batch. */
  readonly size: number;
  /** Fresh copies in the data set's own dtypes. */
  readonly fields: Readonly<Record<string, HostArray>>;
}

/** What a checkpoint keeps: the position, and what the order depends on. Plain JSON. */
export interface LoaderState {
  readonly epoch: number;
  /** Batches of the epoch that were handed out. */
  readonly batch: number;
  readonly length: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly dropLast: boolean;
}

/**
 * Batches of a data set, in an order that depends on seed and epoch alone, so that a run can go on exactly where it
 * was stopped. Each walk over it goes to the end of the current epoch; the next one begins the next epoch.
 *
 * @example for (let epoch = 0; epoch < 5; epoch++) for (const { fields } of loader) step(fields.images, fields.labels);
 */
export class Loader implements Iterable<Batch> {
  readonly dataset: Dataset;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly dropLast: boolean;
  readonly batchesPerEpoch: number;
  #epoch = 0;
  #batch = 0;

  constructor(dataset: Dataset, options: LoaderOptions = {}) {
    const { batchSize = 32, shuffle = true, seed = 0, dropLast = false } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      fail(
        `loader: batchSize ${batchSize} is not a positive integer`,
        'Give the number of examples of a batch, such as 32.',
      );
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.seed = seed;
    this.dropLast = dropLast;
    this.batchesPerEpoch = (dropLast ? Math.floor : Math.ceil)(dataset.length / batchSize);
    if (this.batchesPerEpoch === 0) {
      fail(
        `loader: ${dataset.name} has ${dataset.length} examples, not enough for one batch of ${batchSize}`,
        dataset.length === 0
          ? 'Give it some examples.'
          : `Take a batchSize up to ${dataset.length}, or dropLast: false.`,
      );
    }
  }

  /** The rest of the current epoch. A batch counts as handed out as soon as it is seen. */
  *[Symbol.iterator](): Iterator<Batch> {
    const { dataset, batchSize, shuffle, seed } = this;
    const epoch = this.#epoch;
    const order = shuffle
      ? permutation(dataset.length, seed, epoch)
      : Uint32Array.from({ length: dataset.length }, (_, i) => i);
    while (this.#epoch === epoch && this.#batch < this.batchesPerEpoch) {
      const index = this.#batch++;
      const rows = order.subarray(index * batchSize, (index + 1) * batchSize);
      const fields = Object.fromEntries(
        Object.entries(dataset.fields).map(([name, array]) => [
          name,
          gatherRows(array, rows, `${dataset.name}.${name}`),
        ]),
      );
      yield { index, epoch, size: rows.length, fields };
    }
    if (this.#epoch !== epoch) return; // restored elsewhere meanwhile
    this.#epoch++;
    this.#batch = 0;
  }

  /** The position now; inside the body of a loop, the one after its batch. */
  state(): LoaderState {
    const { batchSize, shuffle, seed, dropLast } = this;
    return { epoch: this.#epoch, batch: this.#batch, length: this.dataset.length, batchSize, shuffle, seed, dropLast };
  }

  /**
   * Goes on where `state` was taken.
   *
   * @throws KilnError if the data set or the options differ from those of the state, since the order would too
   */
  restore(state: LoaderState): void {
    const now = this.state();
    for (const key of ['length', 'batchSize', 'shuffle', 'seed', 'dropLast'] as const) {
      if (state[key] === now[key]) continue;
      fail(
        `loader: the saved position is one of ${key} ${state[key]}, this loader has ${now[key]}`,
        key === 'length'
          ? `Go on with the same data: ${state.length} examples of ${this.dataset.name}.`
          : `Go on with ${key}: ${state[key]}, or begin anew.`,
        KilnError,
      );
    }
    const { epoch, batch } = state;
    if (
      !Number.isSafeInteger(epoch) ||
      epoch < 0 ||
      !Number.isInteger(batch) ||
      batch < 0 ||
      batch > this.batchesPerEpoch
    ) {
      fail(
        `loader: there is no batch ${batch} of epoch ${epoch} (${this.batchesPerEpoch} batches an epoch)`,
        'The checkpoint is damaged: take an earlier one.',
        KilnError,
      );
    }
    this.#epoch = epoch;
    this.#batch = batch;
  }
}
