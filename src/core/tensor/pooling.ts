import { fail } from '../errors.js';
import { type WindowParams, windowOutputSizes } from '../primitives/index.js';
import { formatShape, sizeOf } from '../shape.js';
import { ones } from './create.js';
import { type Padding, type PerAxis, perAxis, resolvePadding } from './geometry.js';
import { Tensor } from './tensor.js';

export interface PoolOptions {
  /** Sizes of the window along the spatial axes (2). */
  readonly window?: PerAxis;
  /** Distance between neighbouring windows (the window's size). */
  readonly strides?: PerAxis;
  /** 'valid' | 'same' | [[top, bottom], [left, right]] ('valid'). */
  readonly padding?: Padding;
  /** Whether a last window that sticks out counts, as long as it begins inside: Caffe's and Torch's rounding (false). */
  readonly ceilMode?: boolean;
}

declare module './tensor.js' {
  interface Tensor {
    /**
     * The greatest of each window, of [batch, height, width, channels]. Padding never wins.
     *
     * @param options window (2), strides (the window), padding ('valid'), ceilMode (false)
     * @returns       [batch, ⌊(height + top + bottom − window) / strides⌋ + 1, likewise width, channels]
     * @throws ShapeError if the window is larger than the padded input
     * @example x.maxPool2d({ window: 3, strides: 2, ceilMode: true })
     */
    maxPool2d(options?: PoolOptions): Tensor;
    /** The mean of each window; padding counts neither in the sum nor in the divisor, as in TensorFlow. Options as in maxPool2d. */
    averagePool2d(options?: PoolOptions): Tensor;
    /** The mean over height and width: [batch, height, width, channels] -> [batch, channels]. */
    globalAveragePool2d(): Tensor;
    /** The greatest of each window, of [batch, depth, height, width, channels]. Options as in maxPool2d, for three axes. */
    maxPool3d(options?: PoolOptions): Tensor;
    /** The mean of each window, of [batch, depth, height, width, channels]. Options as in averagePool2d, for three axes. */
    averagePool3d(options?: PoolOptions): Tensor;
  }
}

function geometry(where: string, x: Tensor, rank: number, options: PoolOptions): WindowParams {
  checkSpatial(where, x, rank);
  const window = perAxis(where, 'window', options.window ?? 2, rank);
  const strides = perAxis(where, 'strides', options.strides ?? window, rank);
  const sizes = x.shape.slice(1, -1);
  const padding = resolvePadding(where, options.padding ?? 'valid', sizes, window, strides);
  const padded = sizes.map((size, axis) => size + padding[axis]![0] + padding[axis]![1]);
  if (padded.some((size, axis) => size < window[axis]!) && !options.ceilMode) {
    fail(
      `${where}: window ${formatShape(window)} is larger than the input ${formatShape(padded)}`,
      "Use a smaller window, padding 'same', or larger pictures.",
    );
  }
  if (!options.ceilMode) return { window, strides, padding };
  const extended = padding.map(([before, after], axis) => {
    const size = sizes[axis]!;
    let count = Math.ceil((padded[axis]! - window[axis]!) / strides[axis]!) + 1;
    // a window that would begin in the padding after the input sees nothing
    if ((count - 1) * strides[axis]! >= size + before) count--;
    return [before, Math.max(after, (count - 1) * strides[axis]! + window[axis]! - size - before)] as const;
  });
  return { window, strides, padding: extended };
}

function checkSpatial(where: string, x: Tensor, rank: number): void {
  if (x.rank !== rank + 2)
    fail(
      `${where}: input ${formatShape(x.shape)} has ${x.rank} axes, takes ${rank + 2}`,
      `The input is [batch, ${rank === 3 ? 'depth, ' : ''}height, width, channels]. Use expandDims(0) for a single one without a batch.`,
    );
}

function averages(where: string, x: Tensor, rank: number, options: PoolOptions): Tensor {
  const params = geometry(where, x, rank, options);
  const sums = x.cast('float32').windowSum(params);
  const isPadded = params.padding.some(([before, after]) => before > 0 || after > 0);
  if (!isPadded) return sums.div(sizeOf(params.window));
  const sizes = x.shape.slice(1, -1);
  const counts = ones([1, ...sizes, 1]).windowSum(params);
  return sums.div(counts.reshape([1, ...windowOutputSizes(sizes, params), 1]));
}

Tensor.prototype.maxPool2d = function (this: Tensor, options: PoolOptions = {}): Tensor {
  return this.cast('float32').windowMax(geometry('maxPool2d', this, 2, options));
};

Tensor.prototype.averagePool2d = function (this: Tensor, options: PoolOptions = {}): Tensor {
  return averages('averagePool2d', this, 2, options);
};

Tensor.prototype.globalAveragePool2d = function (this: Tensor): Tensor {
  checkSpatial('globalAveragePool2d', this, 2);
  return this.mean({ axis: [1, 2] });
};

Tensor.prototype.maxPool3d = function (this: Tensor, options: PoolOptions = {}): Tensor {
  return this.cast('float32').windowMax(geometry('maxPool3d', this, 3, options));
};

Tensor.prototype.averagePool3d = function (this: Tensor, options: PoolOptions = {}): Tensor {
  return averages('averagePool3d', this, 3, options);
};
