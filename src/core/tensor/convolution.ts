import { asTensor, type TensorLike } from '../apply.js';
import { fail } from '../errors.js';
import type { ConvParams } from '../primitives/index.js';
import { formatShape } from '../shape.js';
import { type Padding, type PerAxis, perAxis, resolvePadding } from './geometry.js';
import { Tensor } from './tensor.js';

export interface ConvOptions {
  /** Distance between neighbouring windows (1). */
  readonly strides?: PerAxis;
  /** 'valid' | 'same' | [[top, bottom], [left, right]] ('valid'). */
  readonly padding?: Padding;
  /** Distance between neighbouring kernel elements (1). */
  readonly dilation?: PerAxis;
  /** Channels and filters are split into so many groups that see nothing of each other (1). */
  readonly groups?: number;
}

export interface ConvTransposeOptions extends ConvOptions {
  /** Rows and columns added after the result, where several sizes belong to one input (0). */
  readonly outputPadding?: PerAxis;
}

declare module './tensor.js' {
  interface Tensor {
    /**
     * 2-D convolution (cross-correlation, as everywhere in deep learning), channels last.
     *
     * y[n, i, j, o] = Σ_abc padded[n, i·s + a·d, j·s + b·d, c] · kernel[a, b, c, o]   (groups = 1)
     *
     * This tensor is [batch, height, width, channels].
     * @param kernel  [kernelHeight, kernelWidth, channels / groups, filters]
     * @param options strides (1), dilation (1), groups (1); padding 'valid' | 'same' | [[top, bottom], [left, right]] ('valid')
     * @returns       [batch, ⌊(height + top + bottom − dilation·(kernelHeight − 1) − 1) / strides⌋ + 1, likewise width, filters]
     * @throws ShapeError if channels differ or the padded input is smaller than the kernel
     * @example images.conv2d(kernel, { strides: 2, padding: 'same' })
     * @see Dumoulin & Visin 2016, arXiv:1603.07285, relationship 6 (15 with dilation)
     */
    conv2d(kernel: TensorLike, options?: ConvOptions): Tensor;
    /**
     * 1-D convolution, channels last: [batch, length, channels] with a kernel [size, channels / groups, filters].
     * Options as in conv2d; padding 'valid' | 'same' | [[before, after]].
     */
    conv1d(kernel: TensorLike, options?: ConvOptions): Tensor;
    /**
     * Each channel with kernels of its own.
     *
     * y[n, i, j, c·m + q] = Σ_ab padded[n, i·s + a·d, j·s + b·d, c] · kernel[a, b, c, q]   (m multiplier)
     *
     * @param kernel  [kernelHeight, kernelWidth, channels, multiplier]
     * @param options strides (1), dilation (1); padding as in conv2d ('valid')
     * @returns       [batch, outputHeight, outputWidth, channels · multiplier]
     */
    depthwiseConv2d(kernel: TensorLike, options?: Omit<ConvOptions, 'groups'>): Tensor;
    /**
     * The transposed convolution: what conv2d with the same kernel and options does to gradients, from its output back to its input.
     *
     * @param kernel  [kernelHeight, kernelWidth, filters / groups, channels]: this tensor's channels come last, as in Keras
     * @param options as in conv2d; 'same' gives height · strides, 'valid' all rows that the kernel reaches, amounts are cut from the result;
     *                outputPadding (0)
     * @returns       [batch, (height − 1)·strides + dilation·(kernelHeight − 1) + 1 − top − bottom + outputPadding, likewise width, filters]
     * @throws ShapeError if channels differ or nothing is left
     * @see Dumoulin & Visin 2016, arXiv:1603.07285, relationship 14
     */
    conv2dTranspose(kernel: TensorLike, options?: ConvTransposeOptions): Tensor;
    /**
     * 3-D convolution, channels last: [batch, depth, height, width, channels] with a kernel
     * [kernelDepth, kernelHeight, kernelWidth, channels / groups, filters]. Options as in conv2d, for three axes.
     */
    conv3d(kernel: TensorLike, options?: ConvOptions): Tensor;
    /**
     * The transposed convolution over three axes; kernel [kernelDepth, kernelHeight, kernelWidth, filters / groups, channels].
     * Options and sizes as in conv2dTranspose.
     */
    conv3dTranspose(kernel: TensorLike, options?: ConvTransposeOptions): Tensor;
  }
}

const axisNames = (rank: number): string => ['length', 'height, width', 'depth, height, width'][rank - 1]!;

/** Operands and geometry that every convolution checks in the same way. */
function checkOperands(where: string, x: Tensor, kernel: Tensor, rank: number, groups: number): void {
  if (x.rank !== rank + 2) {
    fail(
      `${where}: input ${formatShape(x.shape)} has ${x.rank} axes, takes ${rank + 2}`,
      `The input is [batch, ${axisNames(rank)}, channels]. Use expandDims(0) for a single one without a batch.`,
    );
  }
  if (kernel.rank !== rank + 2) {
    fail(
      `${where}: kernel ${formatShape(kernel.shape)} has ${kernel.rank} axes, takes ${rank + 2}`,
      `The kernel is [${axisNames(rank)}, channels / groups, filters].`,
    );
  }
  if (!Number.isInteger(groups) || groups < 1) fail(`${where}: groups ${groups}`, 'Give an integer of at least 1.');
}

function mendChannels(have: number, takes: number): string {
  const load = takes === 1 ? 'as grey (channels: 1)' : `with ${takes} channels`;
  return `Load the images ${load}, or build the layer for ${have} channels.`;
}

function convolve(where: string, x: Tensor, kernel: Tensor, rank: number, options: ConvOptions): Tensor {
  const { groups = 1, padding = 'valid' } = options;
  checkOperands(where, x, kernel, rank, groups);
  const strides = perAxis(where, 'strides', options.strides ?? 1, rank);
  const dilation = perAxis(where, 'dilation', options.dilation ?? 1, rank);
  const channels = x.shape.at(-1)!;
  const takes = kernel.shape.at(-2)! * groups;
  if (channels !== takes) {
    fail(
      `${where}: input has ${channels} channels, kernel ${formatShape(kernel.shape)} takes ${takes}`,
      groups === 1
        ? mendChannels(channels, takes)
        : `With ${groups} groups the kernel's last axis but one is channels / groups.`,
    );
  }
  const filters = kernel.shape.at(-1)!;
  if (filters % groups !== 0)
    fail(`${where}: ${filters} filters do not divide into ${groups} groups`, 'Choose filters as a multiple of groups.');
  const sizes = x.shape.slice(1, -1);
  const windows = dilation.map((step, axis) => step * (kernel.shape[axis]! - 1) + 1);
  const amounts = resolvePadding(where, padding, sizes, windows, strides);
  const padded = sizes.map((size, axis) => size + amounts[axis]![0] + amounts[axis]![1]);
  const small = padded.findIndex((size, axis) => size < windows[axis]!);
  if (small >= 0) {
    fail(
      `${where}: kernel ${formatShape(windows)} is larger than the padded input ${formatShape(padded)} (${windows[small]} > ${padded[small]})`,
      "Use padding 'same', a smaller kernel, or larger pictures.",
    );
  }
  return x.cast('float32').conv(kernel.cast('float32'), { strides, padding: amounts, dilation, groups });
}

Tensor.prototype.conv2d = function (this: Tensor, kernel: TensorLike, options: ConvOptions = {}): Tensor {
  return convolve('conv2d', this, asTensor(kernel), 2, options);
};

Tensor.prototype.conv1d = function (this: Tensor, kernel: TensorLike, options: ConvOptions = {}): Tensor {
  return convolve('conv1d', this, asTensor(kernel), 1, options);
};

Tensor.prototype.depthwiseConv2d = function (
  this: Tensor,
  kernel: TensorLike,
  options: Omit<ConvOptions, 'groups'> = {},
): Tensor {
  const own = asTensor(kernel);
  checkOperands('depthwiseConv2d', this, own, 2, 1);
  const [height, width, channels, multiplier] = own.shape as readonly [number, number, number, number];
  const have = this.shape[3]!;
  if (have !== channels)
    fail(
      `depthwiseConv2d: input has ${have} channels, kernel ${formatShape(own.shape)} takes ${channels}`,
      mendChannels(have, channels),
    );
  // a group a channel: filters c·m … c·m + m − 1 are channel c's
  const grouped = own.reshape([height, width, 1, channels * multiplier]);
  return convolve('depthwiseConv2d', this, grouped, 2, { ...options, groups: channels });
};

function transpose(where: string, x: Tensor, kernel: Tensor, rank: number, options: ConvTransposeOptions): Tensor {
  const { groups = 1, padding = 'valid', outputPadding = 0 } = options;
  checkOperands(where, x, kernel, rank, groups);
  const channels = x.shape.at(-1)!;
  if (channels !== kernel.shape.at(-1))
    fail(
      `${where}: input has ${channels} channels, kernel ${formatShape(kernel.shape)} takes ${kernel.shape.at(-1)}`,
      `The kernel is [${axisNames(rank)}, filters / groups, channels]: its last axis is ${channels} here.`,
    );
  const strides = perAxis(where, 'strides', options.strides ?? 1, rank);
  const dilation = perAxis(where, 'dilation', options.dilation ?? 1, rank);
  const added = perAxis(where, 'outputPadding', outputPadding, rank, 0);
  const windows = dilation.map((step, axis) => step * (kernel.shape[axis]! - 1) + 1);
  const sizes = x.shape.slice(1, -1);
  const reached = sizes.map((size, axis) => (size - 1) * strides[axis]! + windows[axis]! + added[axis]!);
  const inputSizes =
    padding === 'same'
      ? sizes.map((size, axis) => size * strides[axis]!)
      : padding === 'valid'
        ? // a stride wider than the kernel leaves rows after the last window that no input reaches: Keras keeps them
          reached.map((size, axis) => size + (added[axis] === 0 ? Math.max(0, strides[axis]! - windows[axis]!) : 0))
        : reached.map((size, axis) => size - (padding[axis]?.[0] ?? 0) - (padding[axis]?.[1] ?? 0));
  const amounts = resolvePadding(where, padding, inputSizes, windows, strides);
  if (inputSizes.some((size) => size < 1) && x.size > 0)
    fail(`${where}: the result would be ${formatShape(inputSizes)}`, 'Cut less with padding, or use a larger kernel.');
  const wide = added.findIndex((amount, axis) => amount >= strides[axis]!);
  if (wide >= 0 && added[wide]! > 0)
    fail(
      `${where}: outputPadding ${added[wide]} with strides ${strides[wide]}`,
      'Only sizes below the stride are in question: outputPadding < strides.',
    );
  const params: ConvParams = { strides, padding: amounts, dilation, groups };
  return x.cast('float32').convInputGradient(kernel.cast('float32'), { ...params, inputSizes });
}

Tensor.prototype.conv2dTranspose = function (
  this: Tensor,
  kernel: TensorLike,
  options: ConvTransposeOptions = {},
): Tensor {
  return transpose('conv2dTranspose', this, asTensor(kernel), 2, options);
};

Tensor.prototype.conv3d = function (this: Tensor, kernel: TensorLike, options: ConvOptions = {}): Tensor {
  return convolve('conv3d', this, asTensor(kernel), 3, options);
};

Tensor.prototype.conv3dTranspose = function (
  this: Tensor,
  kernel: TensorLike,
  options: ConvTransposeOptions = {},
): Tensor {
  return transpose('conv3dTranspose', this, asTensor(kernel), 3, options);
};
