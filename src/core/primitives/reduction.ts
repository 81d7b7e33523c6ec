import { fail } from '../errors.js';
import type { TensorType } from '../graph.js';
import { elementStridesOf, formatShape, type Shape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { anyType, numbers, wrap } from './elementwise.js';
import { type Primitive, primitive, type ReferenceArray } from './primitive.js';

/** Ascending axes that vanish from the result. */
export interface Axes {
  readonly axes: readonly number[];
}

const without = (shape: Shape, axes: readonly number[]): number[] => shape.filter((_, axis) => !axes.includes(axis));
const kept = (shape: Shape, axes: readonly number[]): number[] =>
  shape.map((size, axis) => (axes.includes(axis) ? 1 : size));

/** A reduced tensor with its vanished axes back as size 1 and repeated to `shape`. */
export const spread = (y: Tensor, shape: Shape, axes: readonly number[]): Tensor =>
  y.reshape(kept(shape, axes)).broadcastTo(shape);

/** Calls `visit` with each output index and each input index that is reduced into it, in row-major order of the input. */
function eachReduced(x: ReferenceArray, axes: readonly number[], visit: (output: number, input: number) => void): void {
  const outputStrides = elementStridesOf(without(x.shape, axes));
  let next = 0;
  const weights = x.shape.map((_, axis) => (axes.includes(axis) ? 0 : outputStrides[next++]!));
  const strides = elementStridesOf(x.shape);
  for (let i = 0; i < x.data.length; i++) {
    let output = 0;
    for (let axis = 0; axis < weights.length; axis++)
      output += (Math.floor(i / strides[axis]!) % x.shape[axis]!) * weights[axis]!;
    visit(output, i);
  }
}

function reduction(
  op: string,
  initial: (dtype: TensorType['dtype']) => number,
  combine: (a: number, b: number, dtype: TensorType['dtype']) => number,
  rest: Pick<Primitive<Axes>, 'gradient'> & { readonly allowEmpty: boolean },
): Primitive<Axes> {
  return primitive<Axes>({
    category: 'reduction',
    infer: ([x], { axes }) => {
      const emptied = axes.find((axis) => x!.shape[axis] === 0);
      if (!rest.allowEmpty && emptied !== undefined && sizeOf(without(x!.shape, axes)) > 0) {
        fail(
          `${op}: ${formatShape(x!.shape)} has no elements along axis ${emptied}`,
          `The ${op} of nothing is not defined.`,
        );
      }
      return { shape: without(x!.shape, axes), dtype: x!.dtype };
    },
    ...(rest.gradient && { gradient: rest.gradient }),
    reference: ([x], { axes }, { shape, dtype }) => {
      const result = new Float64Array(sizeOf(shape)).fill(initial(dtype));
      eachReduced(x!, axes, (output, input) => {
        result[output] = wrap(combine(result[output]!, x!.data[input]!, dtype), dtype);
      });
      return result;
    },
  });
}

export const reduceSum: Primitive<Axes> = reduction(
  'sum',
  () => 0,
  (a, b) => a + b,
  {
    allowEmpty: true,
    gradient: (dy, { inputs: [x], params: { axes } }) => [spread(dy, x!.shape, axes)],
  },
);

export const reduceProd: Primitive<Axes> = reduction(
  'prod',
  () => 1,
  (a, b, dtype) => (dtype === 'float32' ? a * b : Math.imul(a, b)),
  {
    allowEmpty: true,
    // The product of the others, without a division by an x of zero: the reduced axes become one row, and each element's own place is 1.
    gradient: (dy, { inputs: [x], params: { axes } }) => {
      const order = [...x!.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
      const outer = sizeOf(without(x!.shape, axes));
      const n = axes.reduce((product, axis) => product * x!.shape[axis]!, 1);
      const flat = x!.transpose(order).reshape([outer, n]);
      const others = flat.reshape([outer, 1, n]).broadcastTo([outer, n, n]);
      const diagonal = others.indices(1).equal(others.indices(2));
      const product = diagonal.select(1, others).prod({ axis: 2 });
      const moved = product.mul(dy.reshape([outer, 1])).reshape(order.map((axis) => x!.shape[axis]!));
      return [moved.transpose(order.map((_, axis) => order.indexOf(axis)))];
    },
  },
);

const ofExtreme: NonNullable<Primitive<Axes>['gradient']> = (dy, { inputs: [x], y, params: { axes } }) => {
  // shared evenly among ties, as NumPy-minded packages do: the gradient of a symmetric function is symmetric
  const hit = x!.equal(spread(y, x!.shape, axes)).cast('float32');
  return [hit.mul(spread(dy.div(hit.sum({ axis: axes })), x!.shape, axes))];
};
const lowest = { float32: Number.NEGATIVE_INFINITY, int32: -2147483648, uint8: 0, bool: 0 } as Record<string, number>;
const highest = { float32: Number.POSITIVE_INFINITY, int32: 2147483647, uint8: 255, bool: 1 } as Record<string, number>;
export const reduceMax: Primitive<Axes> = reduction(
  'max',
  (dtype) => lowest[dtype]!,
  (a, b) => Math.max(a, b),
  {
    allowEmpty: false,
    gradient: ofExtreme,
  },
);
export const reduceMin: Primitive<Axes> = reduction(
  'min',
  (dtype) => highest[dtype]!,
  (a, b) => Math.min(a, b),
  {
    allowEmpty: false,
    gradient: ofExtreme,
  },
);

function argument(
  op: string,
  better: (candidate: number, best: number) => boolean,
): Primitive<{ readonly axis: number }> {
  return primitive<{ readonly axis: number }>({
    category: 'reduction',
    infer: ([x], { axis }) => {
      if (!anyType.includes(x!.dtype))
        fail(`${op}: takes ${anyType.join(', ')}: got ${x!.dtype}`, "Cast first: x.cast('float32').");
      if (x!.shape[axis] === 0)
        fail(
          `${op}: ${formatShape(x!.shape)} has no elements along axis ${axis}`,
          `The ${op} of nothing is not defined.`,
        );
      return { shape: without(x!.shape, [axis]), dtype: 'int32' };
    },
    reference: ([x], { axis }, { shape }) => {
      const result = new Float64Array(sizeOf(shape));
      const best = new Float64Array(sizeOf(shape));
      const seen = new Uint8Array(sizeOf(shape));
      const stride = elementStridesOf(x!.shape)[axis]!;
      eachReduced(x!, [axis], (output, input) => {
        const value = x!.data[input]!;
        // a NaN wins over every number, and the first of equals wins, as in NumPy
        const wins =
          !seen[output] || better(value, best[output]!) || (Number.isNaN(value) && !Number.isNaN(best[output]));
        if (!wins) return;
        seen[output] = 1;
        best[output] = value;
        result[output] = Math.floor(input / stride) % x!.shape[axis]!;
      });
      return result;
    },
  });
}
/** Index of the greatest along an axis; the first where several are equal, the first NaN where there is one. */
export const argmax: Primitive<{ readonly axis: number }> = argument('argmax', (candidate, best) => candidate > best);
/** Index of the least along an axis; ties and NaN as in argmax. */
export const argmin: Primitive<{ readonly axis: number }> = argument('argmin', (candidate, best) => candidate < best);

/** Running sum along `axis`, from its end when `reverse`. */
export const cumsum: Primitive<{ readonly axis: number; readonly reverse: boolean }> = primitive({
  category: 'reduction',
  infer: ([x]) => {
    if (!numbers.includes(x!.dtype))
      fail(`cumsum: takes ${numbers.join(', ')}: got ${x!.dtype}`, "Cast first: x.cast('int32').");
    return { shape: x!.shape, dtype: x!.dtype };
  },
  gradient: (dy, { params: { axis, reverse } }) => [dy.cumsum({ axis, reverse: !reverse })],
  reference: ([x], { axis, reverse }, { shape, dtype }) => {
    const result = x!.data.slice();
    const stride = elementStridesOf(shape)[axis]!;
    const size = shape[axis]!;
    for (let i = 0; i < result.length; i++) {
      if (Math.floor(i / stride) % size !== 0) continue;
      for (let k = 1; k < size; k++) {
        const at = i + (reverse ? size - 1 - k : k) * stride;
        result[at] = wrap(result[at]! + result[at + (reverse ? stride : -stride)]!, dtype);
      }
    }
    return result;
  },
});
