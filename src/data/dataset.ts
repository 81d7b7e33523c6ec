import { bytesPerElement, fail, formatShape, type HostArray, ShapeError, sizeOf, viewAs } from '../core/index.js';
import { permutation } from './permutation.js';

export interface DatasetOptions {
  readonly name: string;
  /** Named arrays whose first axis counts the same examples. */
  readonly fields: Readonly<Record<string, HostArray>>;
  /** What the labels 0, 1, 2 … mean. */
  readonly classes?: readonly string[];
  /** What a field is multiplied by before it enters a network; 1 where absent. Bytes stay bytes until then. */
  readonly scale?: Readonly<Record<string, number>>;
}

/**
 * Examples in memory: named arrays with one first axis.
 *
 * @example new Dataset({ name: 'xor', fields: { inputs, labels }, classes: ['equal', 'different'] })
 */
export class Dataset {
  readonly name: string;
  readonly fields: Readonly<Record<string, HostArray>>;
  /** How many examples there are. */
  readonly length: number;
  readonly classes: readonly string[] | undefined;
  readonly scale: Readonly<Record<string, number>>;

  constructor({ name, fields, classes, scale = {} }: DatasetOptions) {
    this.name = name;
    this.fields = fields;
    this.length = commonLength(name, fields);
    this.classes = classes;
    this.scale = scale;
  }

  /** The first `count` examples, or all where there are fewer; shares memory. */
  take(count: number): Dataset {
    return this.slice(0, Math.max(0, count));
  }

  /** The examples from `start` up to but without `end`, counted from the back where negative; shares memory. */
  slice(start: number, end: number = this.length): Dataset {
    const from = fromFront(start, this.length);
    const to = Math.max(from, fromFront(end, this.length));
    return this.#with((array) => sliceRows(array, from, to));
  }

  /** The examples at `indices`, in their order; a copy. */
  gather(indices: ArrayLike<number>): Dataset {
    return this.#with((array, field) => gatherRows(array, indices, `${this.name}.${field}`));
  }

  /**
   * Two parts, the first with `first` of the examples: a fraction where below 1, else a count.
   *
   * @param options seed: draws who goes where, and copies; without it the parts are the beginning and the end
   */
  split(first: number, options: { readonly seed?: number } = {}): [Dataset, Dataset] {
    const count = first < 1 ? Math.round(first * this.length) : first;
    if (!Number.isInteger(count) || count < 0 || count > this.length) {
      fail(
        `${this.name}: cannot split off ${first} of ${this.length} examples`,
        `Give a fraction below 1, or a count up to ${this.length}.`,
      );
    }
    if (options.seed === undefined) return [this.slice(0, count), this.slice(count)];
    const order = permutation(this.length, options.seed);
    return [this.gather(order.subarray(0, count)), this.gather(order.subarray(count))];
  }

  #with(change: (array: HostArray, field: string) => HostArray): Dataset {
    const { name, classes, scale } = this;
    const fields = Object.fromEntries(
      Object.entries(this.fields).map(([field, array]) => [field, change(array, field)]),
    );
    return new Dataset({ name, fields, scale, ...(classes && { classes }) });
  }
}

/** The rows at `indices` of the first axis, copied into a fresh array of the same dtype. */
export function gatherRows(array: HostArray, indices: ArrayLike<number>, where = 'gatherRows'): HostArray {
  const { dtype, shape, data } = array;
  const [rows = 0, ...rest] = shape;
  const width = sizeOf(rest);
  const gathered = viewAs(dtype, new ArrayBuffer(indices.length * width * bytesPerElement[dtype]));
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    if (!(row >= 0 && row < rows))
      fail(`${where}: there is no row ${row} (${rows} rows)`, `Rows go from 0 to ${rows - 1}.`);
    gathered.set(data.subarray(row * width, (row + 1) * width), i * width);
  }
  return { dtype, shape: [indices.length, ...rest], data: gathered };
}

function sliceRows({ dtype, shape, data }: HostArray, from: number, to: number): HostArray {
  const rest = shape.slice(1);
  const width = sizeOf(rest);
  return { dtype, shape: [to - from, ...rest], data: data.subarray(from * width, to * width) };
}

/** As Array.prototype.slice counts. */
const fromFront = (index: number, length: number): number =>
  index < 0 ? Math.max(0, length + Math.trunc(index)) : Math.min(Math.trunc(index), length);

function commonLength(name: string, fields: Readonly<Record<string, HostArray>>): number {
  const [first, ...others] = Object.entries(fields);
  if (!first) fail(`${name}: a dataset without fields`, 'Give it at least one array: { images, labels }.');
  for (const [field, { shape, data }] of Object.entries(fields)) {
    if (shape.length === 0) fail(`${name}.${field}: is a scalar`, 'A field counts its examples along its first axis.');
    if (sizeOf(shape) !== data.length) {
      fail(
        `${name}.${field}: ${data.length} elements do not fill ${formatShape(shape)} (${sizeOf(shape)})`,
        'Give data whose length is the product of the shape.',
        ShapeError,
      );
    }
  }
  const length = first[1].shape[0]!;
  for (const [field, { shape }] of others) {
    if (shape[0] === length) continue;
    fail(
      `${name}: ${first[0]} has ${length} examples, ${field} ${shape[0]} (${length} ≠ ${shape[0]})`,
      'All fields describe the same examples: their first axes must be equal.',
    );
  }
  return length;
}
