import { fail } from '../errors.js';
import { formatShape, normalizeAxis } from '../shape.js';
import { Tensor } from './tensor.js';

declare module './tensor.js' {
  interface Tensor {
    /** The whole tensor repeated, so many times along each axis; new leading axes where there are more numbers than axes. */
    tile(repetitions: number | readonly number[]): Tensor;
    /** Each element `count` times in a row along an axis (of the elements as one row). */
    repeat(count: number, options?: { readonly axis?: number }): Tensor;
    /** Pieces along an axis (0): `parts` equal ones, or cut before each of the given indices. */
    split(parts: number | readonly number[], options?: { readonly axis?: number }): Tensor[];
    /** The slices along an axis (0), which goes. */
    unstack(options?: { readonly axis?: number }): Tensor[];
    /** The axis `source` moved to `destination`; the others keep their order. */
    moveAxis(source: number, destination: number): Tensor;
    swapAxes(a: number, b: number): Tensor;
  }
}

Tensor.prototype.tile = function (this: Tensor, repetitions: number | readonly number[]): Tensor {
  const given = typeof repetitions === 'number' ? [repetitions] : repetitions;
  checkCounts('tile', given);
  const rank = Math.max(this.rank, given.length);
  const counts = [...new Array<number>(rank - given.length).fill(1), ...given];
  const shape = [...new Array<number>(rank - this.rank).fill(1), ...this.shape];
  const spread = shape.flatMap((size, axis) => [counts[axis]!, size]);
  return this.reshape(shape.flatMap((size) => [1, size]))
    .broadcastTo(spread)
    .reshape(shape.map((size, axis) => size * counts[axis]!));
};

Tensor.prototype.repeat = function (this: Tensor, count: number, { axis }: { readonly axis?: number } = {}): Tensor {
  checkCounts('repeat', [count]);
  if (axis === undefined) return this.reshape([this.size]).repeat(count, { axis: 0 });
  const at = normalizeAxis('repeat', axis, this.rank);
  const before = this.shape.slice(0, at + 1);
  const after = this.shape.slice(at + 1);
  return this.reshape([...before, 1, ...after])
    .broadcastTo([...before, count, ...after])
    .reshape([...this.shape.slice(0, at), this.shape[at]! * count, ...after]);
};

function checkCounts(where: string, counts: readonly number[]): void {
  const odd = counts.find((count) => !Number.isInteger(count) || count < 0);
  if (odd !== undefined) fail(`${where}: ${odd} times`, 'Give integers of at least 0.');
}

Tensor.prototype.split = function (
  this: Tensor,
  parts: number | readonly number[],
  { axis = 0 }: { readonly axis?: number } = {},
): Tensor[] {
  const at = normalizeAxis('split', axis, this.rank);
  const size = this.shape[at]!;
  if (typeof parts === 'number' && (!Number.isInteger(parts) || parts < 1 || size % parts !== 0)) {
    fail(
      `split: axis ${at} of ${formatShape(this.shape)} does not divide into ${parts} parts`,
      'Give a divisor of its size, or the indices before which to cut.',
    );
  }
  const cuts =
    typeof parts === 'number'
      ? Array.from({ length: parts + 1 }, (_, i) => (i * size) / parts)
      : [0, ...parts.map((cut) => Math.min(size, Math.max(0, cut < 0 ? cut + size : cut))), size];
  return cuts.slice(1).map((stop, i) =>
    this.sliceStrided(
      this.shape.map((_, own) => (own === at ? cuts[i]! : 0)),
      this.shape.map((whole, own) => (own === at ? Math.max(cuts[i]!, stop) : whole)),
      this.shape.map(() => 1),
    ),
  );
};

Tensor.prototype.unstack = function (this: Tensor, { axis = 0 }: { readonly axis?: number } = {}): Tensor[] {
  const at = normalizeAxis('unstack', axis, this.rank);
  return this.shape[at] === 0 ? [] : this.split(this.shape[at]!, { axis: at }).map((part) => part.squeeze(at));
};

Tensor.prototype.moveAxis = function (this: Tensor, source: number, destination: number): Tensor {
  const from = normalizeAxis('moveAxis', source, this.rank);
  const to = normalizeAxis('moveAxis', destination, this.rank);
  const order = [...this.shape.keys()].filter((axis) => axis !== from);
  order.splice(to, 0, from);
  return this.transpose(order);
};

Tensor.prototype.swapAxes = function (this: Tensor, a: number, b: number): Tensor {
  const [first, second] = [normalizeAxis('swapAxes', a, this.rank), normalizeAxis('swapAxes', b, this.rank)];
  return this.transpose(
    [...this.shape.keys()].map((axis) => (axis === first ? second : axis === second ? first : axis)),
  );
};
