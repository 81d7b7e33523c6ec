import { apply, asTensor, type TensorLike } from '../apply.js';
import { fail } from '../errors.js';
import type { ConvParams, DotParams, WindowParams } from '../primitives/index.js';
import { broadcastShapes, formatShape, type Shape } from '../shape.js';
import { Tensor } from './tensor.js';

declare module './tensor.js' {
  interface Tensor {
    /** Matrix product; leading axes are a batch and broadcast, vectors are rows or columns: as NumPy's matmul. */
    matmul(other: TensorLike): Tensor;
    /** Sum of products over any axes. */
    dot(other: TensorLike, params: DotParams): Tensor;
    /** The primitives of convolution and windows, with all of their geometry spelled out; `conv2d` and `maxPool2d` are for people. */
    conv(kernel: TensorLike, params: ConvParams): Tensor;
    convInputGradient(kernel: TensorLike, params: ConvParams & { readonly inputSizes: Shape }): Tensor;
    convKernelGradient(dy: TensorLike, params: ConvParams & { readonly kernelSizes: Shape }): Tensor;
    windowMax(params: WindowParams): Tensor;
    windowArgmax(params: WindowParams): Tensor;
    windowSum(params: WindowParams): Tensor;
    windowTake(index: Tensor, params: WindowParams): Tensor;
    windowPut(index: Tensor, params: WindowParams & { readonly inputSizes: Shape }): Tensor;
  }
}

Tensor.prototype.dot = function (this: Tensor, other: TensorLike, params: DotParams): Tensor {
  return apply('dot', [this, asTensor(other)], params);
};

Tensor.prototype.matmul = function (this: Tensor, other: TensorLike): Tensor {
  const right = asTensor(other).cast('float32');
  const left = this.cast('float32');
  if (left.rank === 0 || right.rank === 0)
    fail('matmul: takes vectors and matrices: got a scalar', 'Multiply by a number with mul().');
  if (left.rank === 1)
    return left
      .expandDims(0)
      .matmul(right)
      .squeeze(right.rank === 1 ? 0 : -2);
  if (right.rank === 1) return left.matmul(right.expandDims(1)).squeeze(-1);
  const inner = left.shape.at(-1)!;
  if (inner !== right.shape.at(-2)) {
    fail(
      `matmul: inner dimensions differ: ${formatShape(left.shape)} × ${formatShape(right.shape)} (${inner} ≠ ${right.shape.at(-2)})`,
      `The left's last axis must equal the right's last but one. Was the layer built for ${right.shape.at(-2)} inputs?`,
    );
  }
  if (right.rank === 2)
    return left.dot(right, { leftContract: [left.rank - 1], rightContract: [0], leftBatch: [], rightBatch: [] });
  const batch = broadcastShapes('matmul', left.shape.slice(0, -2), right.shape.slice(0, -2));
  const axes = batch.map((_, axis) => axis);
  const spread = (x: Tensor): Tensor => x.broadcastTo([...batch, ...x.shape.slice(-2)]);
  return spread(left).dot(spread(right), {
    leftContract: [axes.length + 1],
    rightContract: [axes.length],
    leftBatch: axes,
    rightBatch: axes,
  });
};

Tensor.prototype.conv = function (
  this: Tensor,
  kernel: TensorLike,
  { strides, padding, dilation, groups }: ConvParams,
): Tensor {
  return apply('conv', [this, asTensor(kernel)], { strides, padding, dilation, groups });
};
Tensor.prototype.convInputGradient = function (
  this: Tensor,
  kernel: TensorLike,
  { strides, padding, dilation, groups, inputSizes }: ConvParams & { readonly inputSizes: Shape },
): Tensor {
  return apply('convInputGradient', [this, asTensor(kernel)], { strides, padding, dilation, groups, inputSizes });
};
Tensor.prototype.convKernelGradient = function (
  this: Tensor,
  dy: TensorLike,
  { strides, padding, dilation, groups, kernelSizes }: ConvParams & { readonly kernelSizes: Shape },
): Tensor {
  return apply('convKernelGradient', [this, asTensor(dy)], { strides, padding, dilation, groups, kernelSizes });
};
Tensor.prototype.windowMax = function (this: Tensor, { window, strides, padding }: WindowParams): Tensor {
  return apply('windowMax', [this], { window, strides, padding });
};
Tensor.prototype.windowArgmax = function (this: Tensor, { window, strides, padding }: WindowParams): Tensor {
  return apply('windowArgmax', [this], { window, strides, padding });
};
Tensor.prototype.windowSum = function (this: Tensor, { window, strides, padding }: WindowParams): Tensor {
  return apply('windowSum', [this], { window, strides, padding });
};
Tensor.prototype.windowTake = function (
  this: Tensor,
  index: Tensor,
  { window, strides, padding }: WindowParams,
): Tensor {
  return apply('windowTake', [this, index], { window, strides, padding });
};
Tensor.prototype.windowPut = function (
  this: Tensor,
  index: Tensor,
  { window, strides, padding, inputSizes }: WindowParams & { readonly inputSizes: Shape },
): Tensor {
  return apply('windowPut', [this, index], { window, strides, padding, inputSizes });
};
