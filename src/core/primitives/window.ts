import { fail } from '../errors.js';
import type { TensorType } from '../graph.js';
import { elementStridesOf, formatShape, type Shape, sizeOf } from '../shape.js';
import { type Primitive, primitive } from './primitive.js';

/** Windows over the spatial axes of [batch, …spatial, channels]. Ceil mode is more padding after. */
export interface WindowParams {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  /** Elements [before, after] each spatial axis that no window sees: −∞ for the max, 0 for the sum. */
  readonly padding: readonly (readonly [number, number])[];
}

export const windowOutputSizes = (sizes: Shape, { window, strides, padding }: WindowParams): number[] =>
  sizes.map(
    (size, axis) => Math.floor((size + padding[axis]![0] + padding[axis]![1] - window[axis]!) / strides[axis]!) + 1,
  );

function inferWindow(op: string, x: TensorType, params: WindowParams): TensorType {
  const sizes = x.shape.slice(1, -1);
  if (x.dtype !== 'float32') fail(`${op}: takes float32: got ${x.dtype}`, "Cast first: x.cast('float32').");
  if (sizes.length !== params.window.length) {
    fail(
      `${op}: a window over ${params.window.length} axes on ${formatShape(x.shape)}`,
      'The input is [batch, …spatial, channels], a size of the window for each spatial axis.',
    );
  }
  const output = windowOutputSizes(sizes, params);
  if (output.some((size) => size < 1)) {
    fail(
      `${op}: window ${formatShape(params.window)} is larger than the input ${formatShape(sizes)}`,
      'Use a smaller window, padding, or larger pictures.',
    );
  }
  params.padding.forEach(([before, after], axis) => {
    const lastStart = (output[axis]! - 1) * params.strides[axis]! - before;
    if (before >= params.window[axis]! || lastStart >= sizes[axis]!) {
      fail(
        `${op}: padding [${before}, ${after}] leaves windows of ${params.window[axis]} without an element`,
        'Pad less than the window.',
      );
    }
  });
  return { shape: [x.shape[0]!, ...output, x.shape.at(-1)!], dtype: x.dtype };
}

/** Visits every (input element, output element, position in the window) as offsets, windows in order. */
function eachSeen(
  xShape: Shape,
  yShape: Shape,
  { window, strides, padding }: WindowParams,
  visit: (x: number, y: number, position: number) => void,
): void {
  const xs = elementStridesOf(xShape);
  const channels = xShape.at(-1)!;
  const positions = (sizes: Shape): number[][] => {
    const inner = elementStridesOf(sizes);
    return Array.from({ length: sizeOf(sizes) }, (_, i) =>
      sizes.map((size, axis) => Math.floor(i / inner[axis]!) % size),
    );
  };
  const outputs = positions(yShape.slice(1, -1));
  const offsets = positions(window);
  for (let n = 0; n < xShape[0]!; n++) {
    for (const [p, position] of outputs.entries()) {
      for (const [q, offset] of offsets.entries()) {
        let x = n * xs[0]!;
        let inside = true;
        for (let axis = 0; axis < window.length; axis++) {
          const at = position[axis]! * strides[axis]! + offset[axis]! - padding[axis]![0];
          inside &&= at >= 0 && at < xShape[axis + 1]!;
          x += at * xs[axis + 1]!;
        }
        if (inside) for (let c = 0; c < channels; c++) visit(x + c, (n * outputs.length + p) * channels + c, q);
      }
    }
  }
}

/** Greatest element of each window. */
export const windowMax: Primitive<WindowParams> = primitive({
  category: 'window',
  infer: ([x], params) => inferWindow('windowMax', x!, params),
  gradient: (dy, { inputs: [x], params }) => [
    dy.windowPut(x!.windowArgmax(params), { ...params, inputSizes: x!.shape.slice(1, -1) }),
  ],
  reference: ([x], params, { shape }) => {
    const result = new Float64Array(sizeOf(shape)).fill(Number.NEGATIVE_INFINITY);
    eachSeen(x!.shape, shape, params, (i, o) => {
      result[o] = Math.max(result[o]!, x!.data[i]!);
    });
    return result;
  },
});

/** Row-major position of the greatest element inside its window; the first of equals, the first NaN. */
export const windowArgmax: Primitive<WindowParams> = primitive({
  category: 'window',
  infer: ([x], params) => ({ ...inferWindow('windowArgmax', x!, params), dtype: 'int32' }),
  reference: ([x], params, { shape }) => {
    const best = new Float64Array(sizeOf(shape));
    const result = new Float64Array(sizeOf(shape)).fill(-1);
    eachSeen(x!.shape, shape, params, (i, o, position) => {
      const value = x!.data[i]!;
      if (result[o]! >= 0 && !(value > best[o]! || (Number.isNaN(value) && !Number.isNaN(best[o])))) return;
      best[o] = value;
      result[o] = position;
    });
    return result;
  },
});

/** Sum of each window. */
export const windowSum: Primitive<WindowParams> = primitive({
  category: 'window',
  infer: ([x], params) => inferWindow('windowSum', x!, params),
  // each input belongs to the windows that begin up to window − 1 before it: a sum over windows of the spread gradient
  gradient: (dy, { inputs: [x], params: { window, strides, padding } }) => {
    const sizes = x!.shape.slice(1, -1);
    const spreadSizes = sizes.map((_, axis) => (dy.shape[axis + 1]! - 1) * strides[axis]! + 1);
    const before = padding.map(([low], axis) => window[axis]! - 1 - low);
    const after = sizes.map((size, axis) => size + padding[axis]![0] - spreadSizes[axis]!);
    const edge = (amounts: readonly number[]): number[] => [0, ...amounts, 0];
    const spread = dy.padConstant({
      low: edge(before),
      high: edge(after.map((amount) => Math.max(0, amount))),
      interior: edge(strides.map((s) => s - 1)),
    });
    const stop = spread.shape.map((size, axis) => size + Math.min(0, [0, ...after, 0][axis]!));
    const cut = spread.sliceStrided(
      spread.shape.map(() => 0),
      stop,
      spread.shape.map(() => 1),
    );
    return [cut.windowSum({ window, strides: window.map(() => 1), padding: window.map(() => [0, 0] as const) })];
  },
  reference: ([x], params, { shape }) => {
    const result = new Float64Array(sizeOf(shape));
    eachSeen(x!.shape, shape, params, (i, o) => {
      result[o]! += x!.data[i]!;
    });
    return result;
  },
});

/** For each window the element of x at the position that `index` (windowArgmax) names. */
export const windowTake: Primitive<WindowParams> = primitive({
  category: 'window',
  infer: ([x], params) => inferWindow('windowTake', x!, params),
  gradient: (dy, { inputs: [x, index], params }) => [
    dy.windowPut(index!, { ...params, inputSizes: x!.shape.slice(1, -1) }),
    undefined,
  ],
  reference: ([x, index], params, { shape }) => {
    const result = new Float64Array(sizeOf(shape));
    eachSeen(x!.shape, shape, params, (i, o, position) => {
      if (index!.data[o] === position) result[o] = x!.data[i]!;
    });
    return result;
  },
});

/** windowTake's transpose: y's elements go back to where `index` says they came from; what several windows took is summed. */
export const windowPut: Primitive<WindowParams & { readonly inputSizes: Shape }> = primitive({
  category: 'window',
  infer: ([y], { inputSizes }) => ({ shape: [y!.shape[0]!, ...inputSizes, y!.shape.at(-1)!], dtype: y!.dtype }),
  gradient: (dx, { inputs: [, index], params: { inputSizes: _, ...params } }) => [
    dx.windowTake(index!, params),
    undefined,
  ],
  reference: ([y, index], params, { shape }) => {
    const result = new Float64Array(sizeOf(shape));
    eachSeen(shape, y!.shape, params, (i, o, position) => {
      if (index!.data[o] === position) result[i]! += y!.data[o]!;
    });
    return result;
  },
});
