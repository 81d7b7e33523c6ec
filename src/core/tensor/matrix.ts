import { apply, asTensor, type TensorLike } from '../apply.js';
import type { ComputeDType } from '../dtype.js';
import { fail } from '../errors.js';
import { formatShape, normalizeAxis } from '../shape.js';
import { Tensor } from './tensor.js';

declare module './tensor.js' {
  interface Tensor {
    /** Of a vector the matrix with it on the diagonal; of a matrix its diagonal. */
    diag(): Tensor;
    /** The lower triangle of the last two axes, zeros above the diagonal `offset` (0; 1 is the one above the main one). */
    tril(offset?: number): Tensor;
    /** The upper triangle of the last two axes, zeros below the diagonal `offset` (0). */
    triu(offset?: number): Tensor;
    /** Products of all pairs of elements of two tensors taken as vectors: [size, size of the other]. */
    outer(other: TensorLike): Tensor;
    /** For integers: 1 at the index along a new axis (the last) of size `depth`, 0 elsewhere; all 0 where the index is outside. */
    oneHot(depth: number, options?: { readonly axis?: number; readonly dtype?: ComputeDType }): Tensor;
  }
}

Tensor.prototype.diag = function (this: Tensor): Tensor {
  if (this.rank !== 1 && this.rank !== 2)
    fail(`diag: takes a vector or a matrix: got ${formatShape(this.shape)}`, 'Take the diagonal of one matrix.');
  if (this.rank === 2) {
    const size = Math.min(...this.shape);
    const square = this.sliceStrided([0, 0], [size, size], [1, 1]);
    // the diagonal is every (size + 1)-th of the elements in a row
    return square.reshape([size * size]).sliceStrided([0], [size * size], [size + 1]);
  }
  const size = this.shape[0]!;
  return size === 0
    ? this.reshape([0, 0])
    : this.reshape([size, 1])
        .padConstant({ low: [0, 0], high: [0, size] })
        .reshape([size * (size + 1)])
        .sliceStrided([0], [size * size], [1])
        .reshape([size, size]);
};

/** column − row, over the last two axes. */
function offsets(where: string, x: Tensor): Tensor {
  if (x.rank < 2) fail(`${where}: takes matrices: got ${formatShape(x.shape)}`, 'The last two axes are the matrix.');
  return x.indices(-1).sub(x.indices(-2));
}
Tensor.prototype.tril = function (this: Tensor, offset = 0): Tensor {
  return offsets('tril', this).lessEqual(offset).select(this, 0);
};
Tensor.prototype.triu = function (this: Tensor, offset = 0): Tensor {
  return offsets('triu', this).greaterEqual(offset).select(this, 0);
};

Tensor.prototype.outer = function (this: Tensor, other: TensorLike): Tensor {
  const right = asTensor(other);
  return this.reshape([this.size, 1]).mul(right.reshape([1, right.size]));
};

Tensor.prototype.oneHot = function (
  this: Tensor,
  depth: number,
  { axis = -1, dtype = 'float32' }: { readonly axis?: number; readonly dtype?: ComputeDType } = {},
): Tensor {
  if (this.dtype === 'float32') fail('oneHot: indices are float32', "Indices are integers: labels.cast('int32').");
  if (!Number.isInteger(depth) || depth < 0)
    fail(`oneHot: depth ${depth}`, 'The depth is the number of classes, an integer of at least 0.');
  const at = normalizeAxis('oneHot', axis, this.rank + 1);
  const shape = [...this.shape.slice(0, at), depth, ...this.shape.slice(at)];
  return this.cast('int32')
    .expandDims(at)
    .equal(apply('iota', [], { shape, axis: at }))
    .cast(dtype);
};
