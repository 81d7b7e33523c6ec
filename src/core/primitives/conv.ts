import { fail } from '../errors.js';
import type { TensorType } from '../graph.js';
import { elementStridesOf, formatShape, type Shape, sizeOf } from '../shape.js';
import { type Primitive, primitive } from './primitive.js';

/**
 * The geometry of a convolution over 1 to 3 spatial axes, channels last:
 * y[n, i, o] = Σ_kc padded[n, i·strides + k·dilation, c] · kernel[k, c, o], for each group of channels apart.
 */
export interface ConvParams {
  readonly strides: readonly number[];
  /** Zeros [before, after] each spatial axis; negative amounts leave input out. */
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

export const convOutputSize = (
  size: number,
  kernel: number,
  axis: number,
  { strides, padding, dilation }: ConvParams,
): number =>
  Math.floor((size + padding[axis]![0] + padding[axis]![1] - dilation[axis]! * (kernel - 1) - 1) / strides[axis]!) + 1;

const spatial = (shape: Shape): number[] => shape.slice(1, -1);

function checkFloats(op: string, inputs: readonly TensorType[]): void {
  const other = inputs.find(({ dtype }) => dtype !== 'float32');
  if (other) fail(`${op}: takes float32: got ${other.dtype}`, "Cast first: x.cast('float32').");
}

function inferConv([x, kernel]: readonly TensorType[], params: ConvParams): TensorType {
  checkFloats('conv', [x!, kernel!]);
  const sizes = spatial(x!.shape);
  const kernelSizes = kernel!.shape.slice(0, -2);
  const channels = x!.shape.at(-1)!;
  const filters = kernel!.shape.at(-1)!;
  if (channels !== kernel!.shape.at(-2)! * params.groups) {
    fail(
      `conv: input has ${channels} channels, kernel ${formatShape(kernel!.shape)} takes ${kernel!.shape.at(-2)! * params.groups}`,
      params.groups === 1
        ? `Build the layer for ${channels} channels, or load the images with ${kernel!.shape.at(-2)}.`
        : `The kernel's third axis is channels / groups: ${channels} / ${params.groups}.`,
    );
  }
  if (filters % params.groups !== 0)
    fail(
      `conv: ${filters} filters do not divide into ${params.groups} groups`,
      'Choose filters as a multiple of groups.',
    );
  const output = sizes.map((size, axis) => convOutputSize(size, kernelSizes[axis]!, axis, params));
  const small = output.findIndex((size) => size < 1);
  if (small >= 0 && sizes[small]! > 0) {
    fail(
      `conv: kernel ${formatShape(kernelSizes)} is larger than the padded input ${formatShape(sizes.map((size, i) => size + params.padding[i]![0] + params.padding[i]![1]))}`,
      "Use padding 'same', a smaller kernel, or larger pictures.",
    );
  }
  return { shape: [x!.shape[0]!, ...output.map((size) => Math.max(0, size)), filters], dtype: 'float32' };
}

/** Visits every product of a convolution as (input, kernel, output) offsets. */
function eachProduct(
  xShape: Shape,
  kernelShape: Shape,
  yShape: Shape,
  params: ConvParams,
  visit: (x: number, k: number, y: number) => void,
): void {
  const { strides, padding, dilation, groups } = params;
  const rank = strides.length;
  const xs = elementStridesOf(xShape);
  const ys = elementStridesOf(yShape);
  const kernelSpatial = kernelShape.slice(0, rank);
  const outputSpatial = spatial(yShape);
  const perGroup = kernelShape[rank]!;
  const filters = kernelShape[rank + 1]!;
  const filtersPerGroup = filters / groups;
  const positions = (sizes: Shape): number[][] => {
    const inner = elementStridesOf(sizes);
    return Array.from({ length: sizeOf(sizes) }, (_, i) =>
      sizes.map((size, axis) => Math.floor(i / inner[axis]!) % size),
    );
  };
  const outputs = positions(outputSpatial);
  const offsets = positions(kernelSpatial);
  for (let n = 0; n < xShape[0]!; n++) {
    for (const [p, position] of outputs.entries()) {
      const y = n * ys[0]! + p * filters;
      for (const [q, offset] of offsets.entries()) {
        let x = n * xs[0]!;
        let inside = true;
        for (let axis = 0; axis < rank; axis++) {
          const at = position[axis]! * strides[axis]! + offset[axis]! * dilation[axis]! - padding[axis]![0];
          inside &&= at >= 0 && at < xShape[axis + 1]!;
          x += at * xs[axis + 1]!;
        }
        if (!inside) continue;
        for (let o = 0; o < filters; o++) {
          const group = Math.floor(o / filtersPerGroup);
          for (let c = 0; c < perGroup; c++) visit(x + group * perGroup + c, (q * perGroup + c) * filters + o, y + o);
        }
      }
    }
  }
}

/** Cross-correlation. x [batch, …spatial, channels], kernel [...kernel, channels / groups, filters] -> [batch, …output, filters]. */
export const conv: Primitive<ConvParams> = primitive({
  category: 'contraction',
  infer: inferConv,
  gradient: (dy, { inputs: [x, kernel], params }) => [
    dy.convInputGradient(kernel!, { ...params, inputSizes: spatial(x!.shape) }),
    x!.convKernelGradient(dy, { ...params, kernelSizes: kernel!.shape.slice(0, -2) }),
  ],
  reference: ([x, kernel], params, { shape }) => {
    const result = new Float64Array(sizeOf(shape));
    eachProduct(x!.shape, kernel!.shape, shape, params, (i, k, o) => {
      result[o]! += x!.data[i]! * kernel!.data[k]!;
    });
    return result;
  },
});

/** The transposed convolution: dy [batch, …output, filters], kernel as in conv -> [batch, …inputSizes, channels]. `params` are those of the convolution. */
export const convInputGradient: Primitive<ConvParams & { readonly inputSizes: Shape }> = primitive({
  category: 'contraction',
  infer: ([dy, kernel], params) => {
    const shape = [dy!.shape[0]!, ...params.inputSizes, kernel!.shape.at(-2)! * params.groups];
    const back = inferConv([{ shape, dtype: 'float32' }, kernel!], params);
    checkFloats('convInputGradient', [dy!, kernel!]);
    if (back.shape.some((size, i) => size !== dy!.shape[i])) {
      fail(
        `convInputGradient: an input of ${formatShape(shape)} gives ${formatShape(back.shape)}, not ${formatShape(dy!.shape)}`,
        'inputSizes must be a size that this convolution maps to the given output.',
      );
    }
    return { shape, dtype: 'float32' };
  },
  gradient: (dx, { inputs: [dy, kernel], params: { inputSizes: _, ...params } }) => [
    dx.conv(kernel!, params),
    dx.convKernelGradient(dy!, { ...params, kernelSizes: kernel!.shape.slice(0, -2) }),
  ],
  reference: ([dy, kernel], params, { shape }) => {
    const result = new Float64Array(sizeOf(shape));
    eachProduct(shape, kernel!.shape, dy!.shape, params, (i, k, o) => {
      result[i]! += dy!.data[o]! * kernel!.data[k]!;
    });
    return result;
  },
});

/** x [batch, …spatial, channels], dy [batch, …output, filters] -> [...kernelSizes, channels / groups, filters]. */
export const convKernelGradient: Primitive<ConvParams & { readonly kernelSizes: Shape }> = primitive({
  category: 'contraction',
  infer: ([x, dy], params) => {
    const shape = [...params.kernelSizes, x!.shape.at(-1)! / params.groups, dy!.shape.at(-1)!];
    const back = inferConv([x!, { shape, dtype: 'float32' }], params);
    checkFloats('convKernelGradient', [x!, dy!]);
    if (back.shape.some((size, i) => size !== dy!.shape[i])) {
      fail(
        `convKernelGradient: kernel ${formatShape(shape)} gives ${formatShape(back.shape)}, not ${formatShape(dy!.shape)}`,
        'kernelSizes must be a size that maps this input to the given output.',
      );
    }
    return { shape, dtype: 'float32' };
  },
  gradient: (dk, { inputs: [x, dy], params: { kernelSizes: _, ...params } }) => [
    dy!.convInputGradient(dk, { ...params, inputSizes: spatial(x!.shape) }),
    x!.conv(dk, params),
  ],
  reference: ([x, dy], params, { shape }) => {
    const result = new Float64Array(sizeOf(shape));
    eachProduct(x!.shape, shape, dy!.shape, params, (i, k, o) => {
      result[k]! += x!.data[i]! * dy!.data[o]!;
    });
    return result;
  },
});
