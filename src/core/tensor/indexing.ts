import { apply, asTensor, type TensorLike } from '../apply.js';
import type { ComputeDType } from '../dtype.js';
import { fail } from '../errors.js';
import { broadcastShapes, formatShape, normalizeAxis, type Shape, sameShape } from '../shape.js';
import { Tensor } from './tensor.js';

declare module './tensor.js' {
  interface Tensor {
    /** Elements at `indices` (integers, any shape) along an axis (0). Indices out of range are an error. */
    take(indices: TensorLike, options?: { readonly axis?: number }): Tensor;
    /** Zeros of `size` along `axis` (0), to which each slice of this tensor is added where its index says: take's transpose. */
    scatterAdd(indices: TensorLike, options: { readonly axis?: number; readonly size: number }): Tensor;
    /**
     * For each of `indices` (integers, of this tensor's rank) the element at that index along an axis (0), elsewhere at the same
     * place: NumPy's take_along_axis. The other axes broadcast. Indices out of range are an error.
     */
    takeAlongAxis(indices: TensorLike, options?: { readonly axis?: number }): Tensor;
    /** Zeros of `size` along `axis` (0), to which each element is added at its own index (of this tensor's shape): takeAlongAxis's transpose. */
    scatterAddAlongAxis(indices: TensorLike, options: { readonly axis?: number; readonly size: number }): Tensor;
    /** The window of `sizes` that begins at `starts` (integers [rank]), moved inside where it would stick out. */
    dynamicSlice(starts: TensorLike, sizes: Shape): Tensor;
    /** This tensor with the window that begins at `starts` replaced. */
    dynamicUpdate(update: TensorLike, starts: TensorLike): Tensor;
  }
}

function integers(op: string, value: TensorLike): Tensor {
  const tensor = asTensor(value, 'int32');
  if (tensor.dtype === 'float32') fail(`${op}: indices are float32`, "Indices are integers: indices.cast('int32').");
  return tensor.cast('int32');
}

Tensor.prototype.take = function (this: Tensor, indices: TensorLike, { axis = 0 } = {}): Tensor {
  return apply('gather', [this, integers('take', indices)], { axis: normalizeAxis('take', axis, this.rank) });
};
Tensor.prototype.scatterAdd = function (
  this: Tensor,
  indices: TensorLike,
  { axis = 0, size }: { readonly axis?: number; readonly size: number },
): Tensor {
  const at = integers('scatterAdd', indices);
  return apply('scatterAdd', [this, at], {
    axis: normalizeAxis('scatterAdd', axis, this.rank + 1 - at.rank),
    size,
    indexRank: at.rank,
  });
};
Tensor.prototype.takeAlongAxis = function (this: Tensor, indices: TensorLike, { axis = 0 } = {}): Tensor {
  const at = integers('takeAlongAxis', indices);
  const own = normalizeAxis('takeAlongAxis', axis, this.rank);
  if (at.rank !== this.rank) {
    fail(
      `takeAlongAxis: indices ${formatShape(at.shape)} have ${at.rank} axes, the tensor ${formatShape(this.shape)} has ${this.rank}`,
      'Give an index for each element of the result, with the same axes as the tensor.',
    );
  }
  const besides = (shape: Shape): number[] => shape.map((size, i) => (i === own ? 1 : size));
  const common = broadcastShapes('takeAlongAxis', besides(this.shape), besides(at.shape));
  const widened = (x: Tensor): Tensor => x.broadcastTo(common.map((size, i) => (i === own ? x.shape[i]! : size)));
  return apply('gatherAlong', [widened(this), widened(at)], { axis: own });
};
Tensor.prototype.scatterAddAlongAxis = function (
  this: Tensor,
  indices: TensorLike,
  { axis = 0, size }: { readonly axis?: number; readonly size: number },
): Tensor {
  const at = integers('scatterAddAlongAxis', indices);
  if (!sameShape(at.shape, this.shape)) {
    fail(
      `scatterAddAlongAxis: indices ${formatShape(at.shape)} for ${formatShape(this.shape)}`,
      'Give an index for each element.',
    );
  }
  return apply('scatterAddAlong', [this, at], { axis: normalizeAxis('scatterAddAlongAxis', axis, this.rank), size });
};
Tensor.prototype.dynamicSlice = function (this: Tensor, starts: TensorLike, sizes: Shape): Tensor {
  return apply('dynamicSlice', [this, integers('dynamicSlice', starts)], { sizes });
};
Tensor.prototype.dynamicUpdate = function (this: Tensor, update: TensorLike, starts: TensorLike): Tensor {
  const own = this.dtype as ComputeDType;
  return apply('dynamicUpdate', [this, asTensor(update, own).cast(own), integers('dynamicUpdate', starts)], {});
};
