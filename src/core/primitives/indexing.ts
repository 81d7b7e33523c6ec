import { fail, InternalError } from '../errors.js';
import { elementStridesOf, formatShape, type Shape, sizeOf } from '../shape.js';
import { wrap } from './elementwise.js';
import { filledLike } from './filled.js';
import { type Primitive, primitive, type ReferenceArray } from './primitive.js';

/** A data-dependent index outside its axis; the message is the same on every device. */
export function failIndex(op: string, index: number, size: number): never {
  fail(`${op}: index ${index} is out of range for an axis of ${size}`, `Indices go from 0 to ${size - 1}.`);
}

const around = (shape: Shape, axis: number): { outer: number; inner: number } => ({
  outer: sizeOf(shape.slice(0, axis)),
  inner: sizeOf(shape.slice(axis + 1)),
});

/** x at `indices` (int32, any shape) along `axis`: NumPy's take. Result: the axis replaced by the shape of the indices. */
export const gather: Primitive<{ readonly axis: number }> = primitive({
  category: 'indexing',
  infer: ([x, indices], { axis }) => ({
    shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)],
    dtype: x!.dtype,
  }),
  gradient: (dy, { inputs: [x, indices], params: { axis } }) => [
    dy.scatterAdd(indices!, { axis, size: x!.shape[axis]! }),
    undefined,
  ],
  reference: ([x, indices], { axis }, { shape }) => {
    const { outer, inner } = around(x!.shape, axis);
    const size = x!.shape[axis]!;
    const count = indices!.data.length;
    const result = new Float64Array(sizeOf(shape));
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < count; i++) {
        const index = indices!.data[i]!;
        if (index < 0 || index >= size) failIndex('gather', index, size);
        result.set(
          x!.data.subarray((o * size + index) * inner, (o * size + index + 1) * inner),
          (o * count + i) * inner,
        );
      }
    }
    return result;
  },
});

/** Zeros of `size` along `axis`, to which each update is added where its index says: gather's transpose. Adds in the order of the indices. */
export const scatterAdd: Primitive<{ readonly axis: number; readonly size: number; readonly indexRank: number }> =
  primitive({
    category: 'indexing',
    infer: ([updates], { axis, size, indexRank }) => ({
      shape: [...updates!.shape.slice(0, axis), size, ...updates!.shape.slice(axis + indexRank)],
      dtype: updates!.dtype,
    }),
    gradient: (dy, { inputs: [, indices], params: { axis } }) => [dy.take(indices!, { axis }), undefined],
    reference: ([updates, indices], { axis, size }, { shape, dtype }) => {
      const { outer, inner } = around(shape, axis);
      const count = indices!.data.length;
      const result = new Float64Array(sizeOf(shape));
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < count; i++) {
          const index = indices!.data[i]!;
          if (index < 0 || index >= size) failIndex('scatterAdd', index, size);
          for (let k = 0; k < inner; k++) {
            const at = (o * size + index) * inner + k;
            result[at] = wrap(result[at]! + updates!.data[(o * count + i) * inner + k]!, dtype);
          }
        }
      }
      return result;
    },
  });

/** Visits every element of an array of `shape` with its offset, and that of row `indices[offset]` along `axis` of one with `size` rows. */
function eachAlong(
  op: string,
  { shape, data }: ReferenceArray,
  axis: number,
  size: number,
  visit: (element: number, row: number) => void,
): void {
  const { inner } = around(shape, axis);
  const count = shape[axis]!;
  for (let i = 0; i < data.length; i++) {
    const index = data[i]!;
    if (index < 0 || index >= size) failIndex(op, index, size);
    visit(i, (Math.floor(i / (count * inner)) * size + index) * inner + (i % inner));
  }
}

const checkAlong = (op: string, axis: number, x: Shape, indices: Shape): void => {
  if (x.length !== indices.length || x.some((size, i) => i !== axis && size !== indices[i]))
    throw new InternalError(`${op}: shapes differ beside axis ${axis}: ${formatShape(x)} and ${formatShape(indices)}`);
};

/** For each element of `indices` (int32) the element of x at that index along `axis`, elsewhere at the same place: NumPy's take_along_axis. */
export const gatherAlong: Primitive<{ readonly axis: number }> = primitive({
  category: 'indexing',
  infer: ([x, indices], { axis }) => {
    checkAlong('gatherAlong', axis, x!.shape, indices!.shape);
    return { shape: indices!.shape, dtype: x!.dtype };
  },
  gradient: (dy, { inputs: [x, indices], params: { axis } }) => [
    dy.scatterAddAlongAxis(indices!, { axis, size: x!.shape[axis]! }),
    undefined,
  ],
  reference: ([x, indices], { axis }, { shape }) => {
    const result = new Float64Array(sizeOf(shape));
    eachAlong('takeAlongAxis', indices!, axis, x!.shape[axis]!, (i, row) => {
      result[i] = x!.data[row]!;
    });
    return result;
  },
});

/** Zeros of `size` along `axis`, to which each update is added at its own index along it: gatherAlong's transpose. Adds in the order of the axis. */
export const scatterAddAlong: Primitive<{ readonly axis: number; readonly size: number }> = primitive({
  category: 'indexing',
  infer: ([updates, indices], { axis, size }) => {
    checkAlong('scatterAddAlong', updates!.shape.length, updates!.shape, indices!.shape);
    return { shape: updates!.shape.map((own, i) => (i === axis ? size : own)), dtype: updates!.dtype };
  },
  gradient: (dy, { inputs: [, indices], params: { axis } }) => [dy.takeAlongAxis(indices!, { axis }), undefined],
  reference: ([updates, indices], { axis, size }, { shape, dtype }) => {
    const result = new Float64Array(sizeOf(shape));
    eachAlong('scatterAddAlongAxis', indices!, axis, size, (i, row) => {
      result[row] = wrap(result[row]! + updates!.data[i]!, dtype);
    });
    return result;
  },
});

/** Start of the window along each axis, moved inside where it would stick out, so that no start is an error. */
const clampStarts = (starts: Float64Array, shape: Shape, sizes: Shape): number[] =>
  shape.map((size, axis) => Math.min(Math.max(0, starts[axis]!), size - sizes[axis]!));

const checkWindow = (op: string, shape: Shape, sizes: Shape): void => {
  if (sizes.length !== shape.length || sizes.some((size, axis) => size > shape[axis]!)) {
    fail(
      `${op}: window ${formatShape(sizes)} does not fit into ${formatShape(shape)}`,
      'It needs a size for every axis, none larger than the axis.',
    );
  }
};

const checkStarts = (op: string, shape: Shape, starts: Shape): void => {
  if (starts.length !== 1 || starts[0] !== shape.length) {
    fail(
      `${op}: starts are ${formatShape(starts)}, ${formatShape(shape)} takes [${shape.length}]`,
      'Give one start for each axis.',
    );
  }
};

/** Offsets of a window's elements in an array of `shape`. */
function windowOffsets(shape: Shape, sizes: Shape, starts: readonly number[]): Int32Array {
  const strides = elementStridesOf(shape);
  const inside = elementStridesOf(sizes);
  return Int32Array.from({ length: sizeOf(sizes) }, (_, i) =>
    sizes.reduce(
      (sum, size, axis) => sum + (starts[axis]! + (Math.floor(i / inside[axis]!) % size)) * strides[axis]!,
      0,
    ),
  );
}

/** The window of `sizes` that begins at `starts` (int32 [rank]), moved inside where it would stick out. */
export const dynamicSlice: Primitive<{ readonly sizes: Shape }> = primitive({
  category: 'indexing',
  infer: ([x, starts], { sizes }) => {
    checkWindow('dynamicSlice', x!.shape, sizes);
    checkStarts('dynamicSlice', x!.shape, starts!.shape);
    return { shape: sizes, dtype: x!.dtype };
  },
  gradient: (dy, { inputs: [x, starts] }) => [filledLike(x!, 0).dynamicUpdate(dy, starts!), undefined],
  reference: ([x, starts], { sizes }) =>
    Float64Array.from(windowOffsets(x!.shape, sizes, clampStarts(starts!.data, x!.shape, sizes)), (at) => x!.data[at]!),
});

/** x with the window that begins at `starts` replaced by `update`; starts as in dynamicSlice. */
export const dynamicUpdate: Primitive<Record<string, never>> = primitive({
  category: 'indexing',
  infer: ([x, update, starts]) => {
    checkWindow('dynamicUpdate', x!.shape, update!.shape);
    checkStarts('dynamicUpdate', x!.shape, starts!.shape);
    if (update!.dtype !== x!.dtype)
      throw new InternalError(`dynamicUpdate: dtypes differ in the graph: ${x!.dtype} and ${update!.dtype}`);
    return { shape: x!.shape, dtype: x!.dtype };
  },
  gradient: (dy, { inputs: [, update, starts] }) => [
    dy.dynamicUpdate(filledLike(update!, 0), starts!),
    dy.dynamicSlice(starts!, update!.shape),
    undefined,
  ],
  reference: ([x, update, starts]) => {
    const result = x!.data.slice();
    windowOffsets(x!.shape, update!.shape, clampStarts(starts!.data, x!.shape, update!.shape)).forEach((at, i) => {
      result[at] = update!.data[i]!;
    });
    return result;
  },
});
