import { fail, InternalError } from '../errors.js';
import type { TensorType } from '../graph.js';
import { elementStridesOf, formatShape, type Shape, sizeOf } from '../shape.js';
import { type Primitive, primitive, type ReferenceArray } from './primitive.js';

/** Fills an output by asking, for each of its indices, which input element lands there (−1: `fill`). */
function pull(x: ReferenceArray, shape: Shape, source: (index: readonly number[]) => number, fill = 0): Float64Array {
  const result = new Float64Array(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < result.length; i++) {
    const from = source(index);
    result[i] = from < 0 ? fill : x.data[from]!;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return result;
}

/** The same elements in row-major order under another shape. */
export const reshape: Primitive<{ readonly shape: Shape }> = primitive({
  category: 'movement',
  infer: ([x], { shape }) => {
    if (sizeOf(shape) !== sizeOf(x!.shape)) {
      fail(
        `reshape: ${formatShape(x!.shape)} to ${formatShape(shape)}: element counts differ (${sizeOf(x!.shape)} ≠ ${sizeOf(shape)})`,
        'A reshape keeps the number of elements; -1 stands for the one size that follows from the others.',
      );
    }
    return { shape, dtype: x!.dtype };
  },
  gradient: (dy, { inputs: [x] }) => [dy.reshape(x!.shape)],
  reference: ([x]) => x!.data.slice(),
});

/** Axis i of the result is axis `permutation[i]` of the input. */
export const transpose: Primitive<{ readonly permutation: readonly number[] }> = primitive({
  category: 'movement',
  infer: ([x], { permutation }) => ({ shape: permutation.map((axis) => x!.shape[axis]!), dtype: x!.dtype }),
  gradient: (dy, { params: { permutation } }) => [
    dy.transpose(permutation.map((_, axis) => permutation.indexOf(axis))),
  ],
  reference: ([x], { permutation }, { shape }) => {
    const strides = elementStridesOf(x!.shape);
    return pull(x!, shape, (index) => index.reduce((sum, i, axis) => sum + i * strides[permutation[axis]!]!, 0));
  },
});

/** Repeats axes of size 1, and new leading axes, up to `shape`: NumPy's broadcast_to. */
export const broadcast: Primitive<{ readonly shape: Shape }> = primitive({
  category: 'movement',
  infer: ([x], { shape }) => ({ shape, dtype: x!.dtype }),
  gradient: (dy, { inputs: [x], params: { shape } }) => {
    const added = shape.length - x!.shape.length;
    const axes = shape.flatMap((size, axis) =>
      axis < added || (x!.shape[axis - added] === 1 && size !== 1) ? [axis] : [],
    );
    return [dy.sum({ axis: axes }).reshape(x!.shape)];
  },
  reference: ([x], { shape }) => {
    const strides = elementStridesOf(x!.shape);
    const added = shape.length - x!.shape.length;
    return pull(x!, shape, (index) =>
      x!.shape.reduce((sum, size, axis) => sum + (size === 1 ? 0 : index[axis + added]! * strides[axis]!), 0),
    );
  },
});

/** Elements start, start + step, … below stop along every axis; steps are positive. */
export const slice: Primitive<{
  readonly start: readonly number[];
  readonly stop: readonly number[];
  readonly step: readonly number[];
}> = primitive({
  category: 'movement',
  infer: ([x], { start, stop, step }) => ({
    shape: start.map((first, axis) => {
      if (first < 0 || stop[axis]! > x!.shape[axis]! || step[axis]! < 1)
        throw new InternalError(`slice ${first}:${stop[axis]}:${step[axis]} of ${formatShape(x!.shape)}`);
      return Math.max(0, Math.ceil((stop[axis]! - first) / step[axis]!));
    }),
    dtype: x!.dtype,
  }),
  gradient: (dy, { inputs: [x], params: { start, step } }) => [
    dy.padConstant({
      low: start,
      high: x!.shape.map(
        (size, axis) => size - start[axis]! - (dy.shape[axis] === 0 ? 0 : (dy.shape[axis]! - 1) * step[axis]! + 1),
      ),
      interior: step.map((s) => s - 1),
    }),
  ],
  reference: ([x], { start, step }, { shape }) => {
    const strides = elementStridesOf(x!.shape);
    return pull(x!, shape, (index) =>
      index.reduce((sum, i, axis) => sum + (start[axis]! + i * step[axis]!) * strides[axis]!, 0),
    );
  },
});

/** Reverses the order along `axes`. */
export const flip: Primitive<{ readonly axes: readonly number[] }> = primitive({
  category: 'movement',
  infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  gradient: (dy, { params: { axes } }) => [dy.flip(axes)],
  reference: ([x], { axes }, { shape }) => {
    const strides = elementStridesOf(x!.shape);
    return pull(x!, shape, (index) =>
      index.reduce((sum, i, axis) => sum + (axes.includes(axis) ? shape[axis]! - 1 - i : i) * strides[axis]!, 0),
    );
  },
});

/** `value` around the elements: `low` before, `high` after, `interior` between neighbours, for every axis; none is negative. */
export const pad: Primitive<{
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly interior: readonly number[];
  readonly value: number;
}> = primitive({
  category: 'movement',
  infer: ([x], { low, high, interior }) => {
    if ([...low, ...high, ...interior].some((amount) => !Number.isInteger(amount) || amount < 0)) {
      fail(
        `pad: low ${formatShape(low)}, high ${formatShape(high)}, interior ${formatShape(interior)}`,
        'Amounts are integers of at least 0; slice to remove elements.',
      );
    }
    return {
      shape: x!.shape.map((size, axis) => low[axis]! + size + Math.max(0, size - 1) * interior[axis]! + high[axis]!),
      dtype: x!.dtype,
    };
  },
  gradient: (dy, { inputs: [x], params: { low, interior } }) => [
    dy.sliceStrided(
      low,
      x!.shape.map((size, axis) => low[axis]! + (size === 0 ? 0 : (size - 1) * (interior[axis]! + 1) + 1)),
      interior.map((amount) => amount + 1),
    ),
  ],
  reference: ([x], { low, interior, value }, { shape }) => {
    const strides = elementStridesOf(x!.shape);
    return pull(
      x!,
      shape,
      (index) => {
        let from = 0;
        for (let axis = 0; axis < index.length; axis++) {
          const distance = index[axis]! - low[axis]!;
          const step = interior[axis]! + 1;
          if (distance < 0 || distance % step !== 0 || distance / step >= x!.shape[axis]!) return -1;
          from += (distance / step) * strides[axis]!;
        }
        return from;
      },
      value,
    );
  },
});

/** The inputs one after another along `axis`; all other axes are equal. */
export const concat: Primitive<{ readonly axis: number }> = primitive({
  category: 'movement',
  infer: (inputs, { axis }) => {
    const [first] = inputs as readonly [TensorType];
    for (const { shape, dtype } of inputs) {
      if (dtype !== first.dtype)
        throw new InternalError(`concat: dtypes differ in the graph: ${first.dtype} and ${dtype}`);
      if (shape.length !== first.shape.length || shape.some((size, i) => i !== axis && size !== first.shape[i])) {
        fail(
          `concat: ${inputs.map((input) => formatShape(input.shape)).join(', ')} along axis ${axis}`,
          'All axes but the joined one must be equal.',
        );
      }
    }
    return {
      shape: first.shape.map((size, i) => (i === axis ? inputs.reduce((sum, { shape }) => sum + shape[i]!, 0) : size)),
      dtype: first.dtype,
    };
  },
  gradient: (dy, { inputs, params: { axis } }) => {
    let from = 0;
    return inputs.map(({ shape }) => {
      const start = shape.map((_, i) => (i === axis ? from : 0));
      from += shape[axis]!;
      return dy.sliceStrided(
        start,
        shape.map((size, i) => (i === axis ? from : size)),
        shape.map(() => 1),
      );
    });
  },
  reference: (inputs, { axis }, { shape }) => {
    const result = new Float64Array(sizeOf(shape));
    const inner = sizeOf(shape.slice(axis + 1));
    const outer = sizeOf(shape.slice(0, axis));
    let at = 0;
    for (let o = 0; o < outer; o++) {
      for (const x of inputs) {
        const run = x.shape[axis]! * inner;
        result.set(x.data.subarray(o * run, (o + 1) * run), at);
        at += run;
      }
    }
    return result;
  },
});
