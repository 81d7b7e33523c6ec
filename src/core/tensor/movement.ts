import { apply, asTensor, type TensorLike } from '../apply.js';
import { type ComputeDType, promote } from '../dtype.js';
import { fail } from '../errors.js';
import {
  broadcastShapes,
  checkShape,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
} from '../shape.js';
import { Tensor } from './tensor.js';

export interface PadAmounts {
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Between neighbours (0). */
  readonly interior?: readonly number[];
  /** What is put there (0). */
  readonly value?: number;
}

/** One axis of a slice: an index (the axis goes), [start, stop] or [start, stop, step] as in NumPy, or `undefined` for all of it. */
export type SliceItem =
  | number
  | readonly [start: number | undefined, stop?: number | undefined, step?: number]
  | undefined;

declare module './tensor.js' {
  interface Tensor {
    /** The same elements under another shape; one size may be -1 and follows from the others. */
    reshape(shape: Shape): Tensor;
    /** Axis i of the result is axis permutation[i]; all axes in reverse when not given. */
    transpose(permutation?: readonly number[]): Tensor;
    broadcastTo(shape: Shape): Tensor;
    /** Slices as NumPy does: `x.slice(0, [1, -1], undefined, [undefined, undefined, -1])`. */
    slice(...items: readonly SliceItem[]): Tensor;
    /** Elements start, start + step, … below stop on each axis; no negative numbers. */
    sliceStrided(start: readonly number[], stop: readonly number[], step: readonly number[]): Tensor;
    /** Reverses the order along the axes (all). */
    flip(axes?: number | readonly number[]): Tensor;
    padConstant(amounts: PadAmounts): Tensor;
    /** A new axis of size 1 before `axis`. */
    expandDims(axis: number): Tensor;
    /** Without the axes of size 1 (all of them, or those named). */
    squeeze(axes?: number | readonly number[]): Tensor;
    /** The index along `axis` for every element, int32, in this tensor's shape. */
    indices(axis: number): Tensor;
  }
}

Tensor.prototype.reshape = function (this: Tensor, shape: Shape): Tensor {
  const unknown = shape.indexOf(-1);
  let full = [...shape];
  if (unknown >= 0) {
    const known = sizeOf(shape.filter((_, axis) => axis !== unknown));
    if (known <= 0 || this.size % known !== 0) {
      fail(
        `reshape: ${formatShape(this.shape)} to ${formatShape(shape)}: ${known < 0 ? 'more than one size is open' : `${this.size} elements do not divide by ${known}`}`,
        'One size may be -1, and the others must divide the number of elements.',
      );
    }
    full = full.map((size) => (size === -1 ? this.size / known : size));
  }
  checkShape('reshape', full);
  return sameShape(full, this.shape) ? this : apply('reshape', [this], { shape: full });
};

Tensor.prototype.transpose = function (this: Tensor, permutation?: readonly number[]): Tensor {
  const order = (permutation ?? [...this.shape.keys()].reverse()).map((axis) =>
    normalizeAxis('transpose', axis, this.rank),
  );
  if (order.length !== this.rank || new Set(order).size !== this.rank) {
    fail(
      `transpose: ${formatShape(order)} is not an order of the ${this.rank} axes of ${formatShape(this.shape)}`,
      'Name each axis once.',
    );
  }
  return order.every((axis, i) => axis === i) ? this : apply('transpose', [this], { permutation: order });
};

Tensor.prototype.broadcastTo = function (this: Tensor, shape: Shape): Tensor {
  if (sameShape(shape, this.shape)) return this;
  checkShape('broadcastTo', shape);
  if (!sameShape(broadcastShapes('broadcastTo', this.shape, shape), shape)) {
    fail(
      `broadcastTo: ${formatShape(this.shape)} does not broadcast to ${formatShape(shape)}`,
      'Only axes of size 1, and new leading axes, can repeat.',
    );
  }
  return apply('broadcast', [this], { shape: [...shape] });
};

Tensor.prototype.sliceStrided = function (
  this: Tensor,
  start: readonly number[],
  stop: readonly number[],
  step: readonly number[],
): Tensor {
  const isAll = start.every((first, axis) => first === 0 && stop[axis]! >= this.shape[axis]! && step[axis] === 1);
  return isAll
    ? this
    : apply('slice', [this], {
        start,
        stop: stop.map((last, axis) => Math.max(start[axis]!, Math.min(last, this.shape[axis]!))),
        step,
      });
};

Tensor.prototype.slice = function (this: Tensor, ...items: readonly SliceItem[]): Tensor {
  if (items.length > this.rank)
    fail(`slice: ${items.length} items for ${formatShape(this.shape)}`, `Give at most ${this.rank}.`);
  const start: number[] = [];
  const stop: number[] = [];
  const step: number[] = [];
  const flipped: number[] = [];
  const dropped: number[] = [];
  this.shape.forEach((size, axis) => {
    const item = items[axis];
    if (typeof item === 'number') {
      if (!Number.isInteger(item) || item < -size || item >= size)
        fail(
          `slice: index ${item} is out of range for axis ${axis} of ${formatShape(this.shape)}`,
          size === 0 ? 'The axis is empty.' : `Indices go from ${-size} to ${size - 1}.`,
        );
      const at = item < 0 ? item + size : item;
      start.push(at);
      stop.push(at + 1);
      step.push(1);
      dropped.push(axis);
      return;
    }
    const [from, to, by = 1] = item ?? [undefined];
    if (!Number.isInteger(by) || by === 0)
      fail(`slice: step ${by} on axis ${axis}`, 'A step is an integer other than 0.');
    const clamp = (value: number, low: number, high: number): number =>
      Math.min(high, Math.max(low, value < 0 ? value + size : value));
    if (by > 0) {
      const first = from === undefined ? 0 : clamp(from, 0, size);
      start.push(first);
      stop.push(Math.max(first, to === undefined ? size : clamp(to, 0, size)));
      step.push(by);
      return;
    }
    // backwards: the same elements forwards, then flipped
    const first = from === undefined ? size - 1 : clamp(from, -1, size - 1);
    const last = to === undefined ? -1 : clamp(to, -1, size - 1);
    const count = Math.max(0, Math.ceil((first - last) / -by));
    const lowest = count === 0 ? 0 : first + (count - 1) * by;
    start.push(lowest);
    stop.push(count === 0 ? lowest : first + 1);
    step.push(-by);
    flipped.push(axis);
  });
  const cut = this.sliceStrided(start, stop, step);
  const turned = flipped.length > 0 ? cut.flip(flipped) : cut;
  return dropped.length > 0 ? turned.reshape(turned.shape.filter((_, axis) => !dropped.includes(axis))) : turned;
};

Tensor.prototype.flip = function (this: Tensor, axes?: number | readonly number[]): Tensor {
  const list = normalizeAxes('flip', axes, this.rank).filter((axis) => this.shape[axis]! > 1);
  return list.length === 0 ? this : apply('flip', [this], { axes: list });
};

Tensor.prototype.padConstant = function (
  this: Tensor,
  { low, high, interior = this.shape.map(() => 0), value = 0 }: PadAmounts,
): Tensor {
  const isNone =
    [...low, ...high].every((amount) => amount === 0) &&
    interior.every((amount, axis) => amount === 0 || this.shape[axis]! <= 1);
  return isNone ? this : apply('pad', [this], { low, high, interior, value });
};

Tensor.prototype.expandDims = function (this: Tensor, axis: number): Tensor {
  const at = normalizeAxis('expandDims', axis, this.rank + 1);
  return this.reshape([...this.shape.slice(0, at), 1, ...this.shape.slice(at)]);
};

Tensor.prototype.squeeze = function (this: Tensor, axes?: number | readonly number[]): Tensor {
  const named =
    axes === undefined
      ? this.shape.flatMap((size, axis) => (size === 1 ? [axis] : []))
      : normalizeAxes('squeeze', axes, this.rank);
  const wide = named.find((axis) => this.shape[axis] !== 1);
  if (wide !== undefined)
    fail(
      `squeeze: axis ${wide} of ${formatShape(this.shape)} has size ${this.shape[wide]}`,
      'Only axes of size 1 can go.',
    );
  return this.reshape(this.shape.filter((_, axis) => !named.includes(axis)));
};

Tensor.prototype.indices = function (this: Tensor, axis: number): Tensor {
  return apply('iota', [], { shape: this.shape, axis: normalizeAxis('indices', axis, this.rank) });
};

/** Tensors one after another along an axis (0). */
export function concat(tensors: readonly TensorLike[], { axis = 0 }: { readonly axis?: number } = {}): Tensor {
  if (tensors.length === 0) fail('concat: no tensors', 'Give at least one.');
  const given = tensors.map((item) => asTensor(item));
  const dtype = given.map((item) => item.dtype).reduce(promote) as ComputeDType;
  const all = given.map((item) => item.cast(dtype));
  const at = normalizeAxis('concat', axis, all[0]!.rank);
  return all.length === 1 ? all[0]! : apply('concat', all, { axis: at });
}

/** Tensors of one shape side by side along a new axis (0). */
export function stack(tensors: readonly TensorLike[], { axis = 0 }: { readonly axis?: number } = {}): Tensor {
  return concat(
    tensors.map((item) => asTensor(item).expandDims(axis)),
    { axis },
  );
}
