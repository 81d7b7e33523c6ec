import { elementStridesOf, type Node, sizeOf, type TensorType } from '../core/index.js';
import { type Affine, combine, constantAffine } from './affine.js';
import { type Expression, int, operation, selectOf } from './expression.js';
import { axesOf, KernelBuilder, type StoredValue } from './kernel-builder.js';
import type { Kernel, Store } from './nest.js';

type Argsort = Extract<Node, { op: 'argsort' }>;

/** Elements that a pass holds in registers: it does as many stages of the network at once as its logarithm. */
const atOnce = 8;

const greatestKey = 0x7fffffff;

/**
 * A row is sorted by a bitonic network (Batcher 1968): which elements are compared does not depend on their values, so each pass
 * over it is an elementwise nest with affine places, and lanes and threads work as in any other. Rows are filled up to a power
 * of two with what comes last. Blocks of `size` are in order by turns upwards and downwards, so that two neighbours are bitonic.
 *
 * What is sorted are pairs of a key, an integer ordered as the values are, and the place it came from: no two are equal, so the
 * result is stable. Where fewer are wanted than there are, two blocks that hold enough become one: of each pair at the same
 * distance from their beginnings the lesser stays, which are the least of both, and bitonic again.
 */
interface Pass {
  /** What is done: blocks sorted, two blocks merged, the lesser half of two blocks kept and its order begun. */
  readonly kind: 'sort' | 'merge' | 'keep';
  /** Blocks of the row after it. */
  readonly blocks: number;
  readonly size: number;
  /** Elements that one point of the nest takes, and their distance. */
  readonly width: number;
  readonly distance: number;
}

const log2 = Math.log2;
const powerFrom = (n: number): number => 2 ** Math.ceil(log2(Math.max(1, n)));

/** The passes over rows of `length`, a power of two, of which the first `count` are wanted. */
function sortPasses(length: number, count: number): Pass[] {
  const most = Math.min(length, Math.max(atOnce, powerFrom(count)));
  let size = Math.min(length, atOnce);
  let blocks = length / size;
  if (size === 1) return [];
  const passes: Pass[] = [{ kind: 'sort', blocks, size, width: size, distance: 1 }];
  while (blocks > 1) {
    const isKept = size >= most;
    blocks /= 2;
    if (!isKept) size *= 2;
    let distance = size;
    // as few passes as there can be, and none much wider than the others
    for (let left = Math.ceil(log2(size) / log2(atOnce)); left > 0; left--) {
      const width = 2 ** Math.ceil(log2(distance) / left);
      const isFirst = distance === size;
      distance /= width;
      passes.push({ kind: isKept && isFirst ? 'keep' : 'merge', blocks, size, width, distance });
    }
  }
  return passes;
}

interface Item {
  readonly key: Expression;
  readonly place: Expression;
}

/** Whether `a` comes after `b`. */
const isAfter = (a: Item, b: Item): Expression =>
  operation(
    'or',
    operation('less', b.key, a.key),
    operation('and', operation('equal', b.key, a.key), operation('less', b.place, a.place)),
  );

const choose = (condition: Expression, a: Item, b: Item): Item => ({
  key: selectOf(condition, a.key, b.key),
  place: selectOf(condition, a.place, b.place),
});

/** Puts items i and j in order: i first, or last where `isDown`. */
function exchange(items: Item[], i: number, j: number, isDown: Expression | undefined): void {
  const [a, b] = [items[i]!, items[j]!];
  const after = isAfter(a, b);
  const swaps = isDown ? operation('xor', after, isDown) : after;
  [items[i], items[j]] = [choose(swaps, b, a), choose(swaps, a, b)];
}

/** Brings a bitonic sequence in order. */
function mergeItems(items: Item[], first: number, count: number, isDown: Expression | undefined): void {
  for (let step = count / 2; step >= 1; step /= 2) {
    for (let i = 0; i < count; i++) if ((i & step) === 0) exchange(items, first + i, first + i + step, isDown);
  }
}

function sortItems(items: Item[], isDown: Expression | undefined): void {
  for (let size = 2; size < items.length; size *= 2) {
    for (let first = 0; first < items.length; first += size) {
      const block = items.slice(first, first + size);
      const isTurned = (first & size) !== 0;
      if (isTurned) block.reverse();
      mergeItems(block, 0, size, undefined);
      if (isTurned) block.reverse();
      items.splice(first, size, ...block);
    }
  }
  mergeItems(items, 0, items.length, isDown);
}

/** An int32 that is ordered as x is: NaN greatest, −0 as 0. Turned over for the descending order, with which equals keep theirs. */
function keyOf(x: Expression, isDescending: boolean): Expression {
  let key: Expression;
  if (x.type === 'f32') {
    const bits = operation('intBits', operation('add', x, { kind: 'constant', type: 'f32', value: 0 }));
    // magnitudes of negative numbers grow downwards
    const magnitude = operation('and', operation('shiftRight', bits, int(31)), int(greatestKey));
    key = selectOf(operation('notEqual', x, x), int(greatestKey), operation('xor', bits, magnitude));
  } else {
    key = x.type === 'bool' ? operation('toInt', x) : x;
  }
  return isDescending ? operation('xor', key, int(-1)) : key;
}

/** @param temporary makes a buffer that lives while the program runs */
export function lowerSort(node: Argsort, stored: StoredValue, temporary: (type: TensorType) => number): Kernel[] {
  if (sizeOf(node.shape) === 0) return [];
  return new SortLowering(node, stored, temporary).kernels();
}

class SortLowering {
  readonly #node: Argsort;
  readonly #stored: StoredValue;
  readonly #temporary: (type: TensorType) => number;
  readonly #outer: number;
  readonly #inner: number;
  readonly #size: number;

  constructor(node: Argsort, stored: StoredValue, temporary: (type: TensorType) => number) {
    const { axis } = node.params;
    this.#node = node;
    this.#stored = stored;
    this.#temporary = temporary;
    this.#outer = sizeOf(node.shape.slice(0, axis));
    this.#inner = sizeOf(node.shape.slice(axis + 1));
    this.#size = node.inputs[0]!.shape[axis]!;
  }

  kernels(): Kernel[] {
    const { count } = this.#node.params;
    const target = this.#stored.bufferOf(this.#node)!;
    const length = powerFrom(this.#size);
    const passes = sortPasses(length, count);
    const kernels: Kernel[] = [];
    let keys = this.#buffer(length);
    let places: number | undefined;
    if (passes.length > 0) kernels.push(...this.#prepare(keys, length));
    passes.forEach((pass, i) => {
      const after = pass.blocks * pass.size;
      const isLast = i === passes.length - 1;
      const nextKeys = isLast ? undefined : this.#buffer(after);
      const nextPlaces = isLast && after === count ? target : this.#buffer(after);
      kernels.push(this.#pass(pass, { keys, places }, { keys: nextKeys, places: nextPlaces }));
      keys = nextKeys ?? keys;
      places = nextPlaces;
    });
    if (places !== target) kernels.push(this.#take(places, passes.at(-1)?.size ?? 1, target));
    return kernels;
  }

  #buffer(length: number): number {
    return this.#temporary({ shape: [this.#outer, length, this.#inner], dtype: 'int32' });
  }

  #builder(): KernelBuilder {
    return new KernelBuilder('argsort', this.#node.label, this.#stored);
  }

  /** Where element `position` of a row of `length` lies. */
  #at(outer: Affine, position: Affine, inner: Affine, length: number): Affine {
    return combine([outer, position, inner], [length * this.#inner, this.#inner, 1]);
  }

  #finish(builder: KernelBuilder, axes: Kernel['nest']['axes'], stores: readonly Store[]): Kernel {
    return builder.finish({ kind: 'loop', ordered: undefined, axes, reductions: [], accumulators: [], stores });
  }

  #store(builder: KernelBuilder, buffer: number, address: Affine, value: Expression): Store {
    return { access: builder.access(buffer, 'int32', address), value, mode: 'set' };
  }

  /** Keys of the elements, and after them those that come last. */
  #prepare(keys: number, length: number): Kernel[] {
    const [x] = this.#node.inputs as readonly [Node];
    const { axis, descending } = this.#node.params;
    const builder = this.#builder();
    const { axes, indices } = axesOf(x.shape, 'a');
    const padded = x.shape.map((size, i) => (i === axis ? length : size));
    const address = combine(indices, elementStridesOf(padded));
    const kernel = this.#finish(builder, axes, [
      this.#store(builder, keys, address, keyOf(builder.express(x, indices), descending)),
    ]);
    if (length === this.#size) return [kernel];
    const filling = this.#builder();
    const rest = axesOf([this.#outer, length - this.#size, this.#inner], 'a');
    const [outer, position, inner] = rest.indices as [Affine, Affine, Affine];
    const shifted = { ...position, constant: position.constant + this.#size };
    const fill = this.#store(filling, keys, this.#at(outer, shifted, inner, length), int(greatestKey));
    return [kernel, this.#finish(filling, rest.axes, [fill])];
  }

  #pass(
    { kind, blocks, size, width, distance }: Pass,
    from: { readonly keys: number; readonly places: number | undefined },
    to: { readonly keys: number | undefined; readonly places: number },
  ): Kernel {
    const builder = this.#builder();
    const { axes, indices } = axesOf([this.#outer, blocks, size / (width * distance), distance, this.#inner], 'a');
    const [outer, block, group, first, inner] = indices as [Affine, Affine, Affine, Affine, Affine];
    /** Element e of this point, in rows whose blocks lie `spread` apart. */
    const position = (e: number, spread: number, half = 0): Affine =>
      combine([block, group, first, constantAffine(e * distance + half)], [spread, width * distance, 1, 1]);
    const load = (place: Affine, length: number): Item => {
      const address = this.#at(outer, place, inner, length);
      return {
        key: builder.load(from.keys, 'int32', address),
        place:
          from.places === undefined
            ? { kind: 'index', type: 'i32', index: place }
            : builder.load(from.places, 'int32', address),
      };
    };
    const items = Array.from({ length: width }, (_, e): Item => {
      if (kind !== 'keep') return load(position(e, size), blocks * size);
      const [a, b] = [0, size].map((half) => load(position(e, 2 * size, half), 2 * blocks * size)) as [Item, Item];
      return choose(isAfter(a, b), b, a);
    });
    const isOdd = operation('toBool', operation('and', { kind: 'index', type: 'i32', index: block }, int(1)));
    const isDown = blocks > 1 ? isOdd : undefined;
    if (kind === 'sort') sortItems(items, isDown);
    else mergeItems(items, 0, width, isDown);
    const stores = items.flatMap(({ key, place }, e) => {
      const address = this.#at(outer, position(e, size), inner, blocks * size);
      return [
        ...(to.keys === undefined ? [] : [this.#store(builder, to.keys, address, key)]),
        this.#store(builder, to.places, address, place),
      ];
    });
    return this.#finish(builder, axes, stores);
  }

  /** The first places of each row. */
  #take(places: number | undefined, length: number, target: number): Kernel {
    const builder = this.#builder();
    const { count } = this.#node.params;
    const { axes, indices } = axesOf([this.#outer, count, this.#inner], 'a');
    const [outer, position, inner] = indices as [Affine, Affine, Affine];
    const value =
      places === undefined ? int(0) : builder.load(places, 'int32', this.#at(outer, position, inner, length));
    return this.#finish(builder, axes, [this.#store(builder, target, this.#at(outer, position, inner, count), value)]);
  }
}
