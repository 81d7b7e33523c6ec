/** From whatever a person trains on to one kind of batches, whose position a checkpoint can hold. */
import { fail, type HostArray, KilnError, nearest } from '../core/index.js';
import { Dataset, Loader, type LoaderState } from '../data/index.js';

/** A data set, a loader with its own order and batch size, or anything that yields batches, once for each epoch. */
export type TrainingData = Dataset | Loader | Iterable<FieldBatch> | AsyncIterable<FieldBatch>;

/** Named arrays with one first axis, as a Loader yields them. */
export interface FieldBatch {
  readonly fields: Readonly<Record<string, HostArray>>;
}

export interface FieldNames {
  /** Name of the field that goes into the network (the first). */
  readonly inputs?: string;
  /** Name of the field that the loss compares with (the second). */
  readonly targets?: string;
}

export interface BatchOptions extends FieldNames {
  /** Examples a step (32). */
  readonly batchSize?: number;
  /** A new order each epoch (true). */
  readonly shuffle?: boolean;
  readonly seed?: number;
}

/** What one step takes. */
export interface LabelledBatch {
  readonly inputs: HostArray;
  readonly targets: HostArray;
  readonly size: number;
}

/** What the fields are multiplied by inside the compiled step: bytes stay bytes until then. */
export interface Scales {
  readonly inputs: number;
  readonly targets: number;
}

/** Where the data are. Plain JSON. */
export interface Position {
  /** From 0. */
  readonly epoch: number;
  /** Batches of the epoch that were handed out. */
  readonly batch: number;
  /** What a Loader keeps; `undefined` where the batches come from elsewhere. */
  readonly loader?: LoaderState | undefined;
}

/** Batches of one epoch after another, from a position on. */
export interface BatchSource {
  /** `undefined` where nobody knows before the end. */
  readonly batchesPerEpoch: number | undefined;
  readonly scales: Scales;
  position(): Position;
  /** @throws KilnError if the data or their order differ from those of the position */
  restore(position: Position): void;
  /** The rest of the current epoch; at its end the position is the next epoch's beginning. */
  rest(): AsyncIterable<LabelledBatch>;
}

/** @param where who asks, for errors: `fit` */
export function batchesOf(where: string, data: TrainingData, options: BatchOptions): BatchSource {
  if (data instanceof Dataset) {
    const { batchSize = 32, shuffle = true, seed = 0 } = options;
    return new LoaderSource(where, new Loader(data, { batchSize, shuffle, seed }), options);
  }
  return data instanceof Loader ? new LoaderSource(where, data, options) : new IterableSource(where, data, options);
}

class LoaderSource implements BatchSource {
  readonly batchesPerEpoch: number;
  readonly scales: Scales;
  readonly #loader: Loader;
  readonly #names: Required<FieldNames>;

  constructor(where: string, loader: Loader, names: FieldNames) {
    const { fields, scale, name } = loader.dataset;
    this.#loader = loader;
    this.#names = chooseFields(`${where}: ${name}`, Object.keys(fields), names);
    this.batchesPerEpoch = loader.batchesPerEpoch;
    this.scales = { inputs: scale[this.#names.inputs] ?? 1, targets: scale[this.#names.targets] ?? 1 };
  }

  position(): Position {
    const loader = this.#loader.state();
    return { epoch: loader.epoch, batch: loader.batch, loader };
  }

  restore({ loader }: Position): void {
    if (!loader) {
      fail(
        'fit: the checkpoint was made while training on batches from an iterable, this is a data set',
        'Go on with the same data.',
        KilnError,
      );
    }
    this.#loader.restore(loader);
  }

  async *rest(): AsyncIterable<LabelledBatch> {
    for (const batch of this.#loader) yield labelled(batch.fields, this.#names);
  }
}

class IterableSource implements BatchSource {
  readonly batchesPerEpoch = undefined;
  readonly scales = { inputs: 1, targets: 1 };
  readonly #where: string;
  readonly #data: Iterable<FieldBatch> | AsyncIterable<FieldBatch>;
  readonly #names: FieldNames;
  #epoch = 0;
  #batch = 0;

  constructor(where: string, data: Iterable<FieldBatch> | AsyncIterable<FieldBatch>, names: FieldNames) {
    this.#where = where;
    this.#data = data;
    this.#names = names;
  }

  position(): Position {
    return { epoch: this.#epoch, batch: this.#batch };
  }

  restore({ epoch, batch }: Position): void {
    this.#epoch = epoch;
    this.#batch = batch;
  }

  async *rest(): AsyncIterable<LabelledBatch> {
    let index = 0;
    for await (const { fields } of this.#data) {
      // batches that were done before the checkpoint
      if (index++ < this.#batch) continue;
      const names = chooseFields(this.#where, Object.keys(fields), this.#names);
      this.#batch = index;
      yield labelled(fields, names);
    }
    if (index === 0) {
      fail(
        `${this.#where}: epoch ${this.#epoch + 1} has no batches`,
        'A generator is walked through once; give an object whose [Symbol.iterator]() begins anew each epoch.',
        KilnError,
      );
    }
    this.#epoch++;
    this.#batch = 0;
  }
}

function chooseFields(where: string, fields: readonly string[], names: FieldNames): Required<FieldNames> {
  const [first, second] = fields;
  const { inputs = first, targets = second } = names;
  for (const [role, name] of [
    ['inputs', inputs],
    ['targets', targets],
  ] as const) {
    if (name !== undefined && fields.includes(name)) continue;
    const likely = name === undefined ? undefined : nearest(name, fields);
    fail(
      `${where}: there is no field ${name ?? `for ${role}`} (fields: ${fields.join(', ')})`,
      likely ? `Did you mean ${likely}?` : `Name one of them with { ${role} }.`,
      KilnError,
    );
  }
  return { inputs: inputs!, targets: targets! };
}

function labelled(
  fields: Readonly<Record<string, HostArray>>,
  { inputs, targets }: Required<FieldNames>,
): LabelledBatch {
  return { inputs: fields[inputs]!, targets: fields[targets]!, size: fields[inputs]!.shape[0] ?? 0 };
}
