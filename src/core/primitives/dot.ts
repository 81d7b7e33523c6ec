import { fail } from '../errors.js';
import { elementStridesOf, formatShape, type Shape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Primitive, primitive } from './primitive.js';

export interface DotParams {
  readonly leftContract: readonly number[];
  readonly rightContract: readonly number[];
  readonly leftBatch: readonly number[];
  readonly rightBatch: readonly number[];
}

export const freeAxes = (rank: number, ...taken: readonly (readonly number[])[]): number[] =>
  Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !taken.some((list) => list.includes(axis)));

/** dot with the result's axes given as lists of the operands' axes, moved by a transposition to where `wanted` has them. */
function dotTo(a: Tensor, b: Tensor, params: DotParams, from: readonly number[]): Tensor {
  return a.dot(b, params).transpose(from.map((_, axis) => from.indexOf(axis)));
}

/**
 * Sum of products over the contracted axes, apart for each index of the batch axes.
 * Result: [batch axes, free axes of the left, free axes of the right], each in their operand's order.
 */
export const dot: Primitive<DotParams> = primitive({
  category: 'contraction',
  infer: ([a, b], { leftContract, rightContract, leftBatch, rightBatch }) => {
    const pairs = [
      ...leftContract.map((axis, i) => [axis, rightContract[i]!] as const),
      ...leftBatch.map((axis, i) => [axis, rightBatch[i]!] as const),
    ];
    for (const [l, r] of pairs) {
      if (a!.shape[l] !== b!.shape[r]) {
        fail(
          `dot: axis ${l} of ${formatShape(a!.shape)} and axis ${r} of ${formatShape(b!.shape)} differ (${a!.shape[l]} ≠ ${b!.shape[r]})`,
          'Contracted and batch axes must be equal in pairs.',
        );
      }
    }
    if (a!.dtype !== 'float32' || b!.dtype !== 'float32')
      fail(`dot: takes float32: got ${a!.dtype} and ${b!.dtype}`, "Cast first: x.cast('float32').");
    return {
      shape: [
        ...leftBatch.map((axis) => a!.shape[axis]!),
        ...freeAxes(a!.shape.length, leftContract, leftBatch).map((axis) => a!.shape[axis]!),
        ...freeAxes(b!.shape.length, rightContract, rightBatch).map((axis) => b!.shape[axis]!),
      ],
      dtype: 'float32',
    };
  },
  gradient: (dy, { inputs: [a, b], params: { leftContract, rightContract, leftBatch, rightBatch } }) => {
    const leftFree = freeAxes(a!.shape.length, leftContract, leftBatch);
    const rightFree = freeAxes(b!.shape.length, rightContract, rightBatch);
    const batch = leftBatch.map((_, i) => i);
    const left = leftFree.map((_, i) => batch.length + i);
    const right = rightFree.map((_, i) => batch.length + leftFree.length + i);
    // the contracted axes come in the other operand's order: find the pair of each
    const leftOf = rightContract.map((axis, i) => ({ axis, pair: leftContract[i]! })).sort((p, q) => p.axis - q.axis);
    const rightOf = leftContract.map((axis, i) => ({ axis, pair: rightContract[i]! })).sort((p, q) => p.axis - q.axis);
    return [
      dotTo(dy, b!, { leftContract: right, rightContract: rightFree, leftBatch: batch, rightBatch }, [
        ...leftBatch,
        ...leftFree,
        ...leftOf.map(({ pair }) => pair),
      ]),
      // the left first: for a plain product the result has the right's order already
      dotTo(a!, dy, { leftContract: leftFree, rightContract: left, leftBatch, rightBatch: batch }, [
        ...rightBatch,
        ...rightOf.map(({ pair }) => pair),
        ...rightFree,
      ]),
    ];
  },
  reference: ([a, b], { leftContract, rightContract, leftBatch, rightBatch }) => {
    const offsets = (shape: Shape, axes: readonly number[]): Int32Array => {
      const strides = elementStridesOf(shape);
      const sizes = axes.map((axis) => shape[axis]!);
      const inner = elementStridesOf(sizes);
      return Int32Array.from({ length: sizeOf(sizes) }, (_, i) =>
        axes.reduce((sum, axis, q) => sum + (Math.floor(i / inner[q]!) % sizes[q]!) * strides[axis]!, 0),
      );
    };
    const [ab, al, ak] = [leftBatch, freeAxes(a!.shape.length, leftContract, leftBatch), leftContract].map((axes) =>
      offsets(a!.shape, axes),
    );
    const [bb, br, bk] = [rightBatch, freeAxes(b!.shape.length, rightContract, rightBatch), rightContract].map((axes) =>
      offsets(b!.shape, axes),
    );
    const result = new Float64Array(ab!.length * al!.length * br!.length);
    let at = 0;
    for (let n = 0; n < ab!.length; n++) {
      for (const l of al!) {
        for (const r of br!) {
          let sum = 0;
          for (let k = 0; k < ak!.length; k++) sum += a!.data[ab![n]! + l + ak![k]!]! * b!.data[bb![n]! + r + bk![k]!]!;
          result[at++] = sum;
        }
      }
    }
    return result;
  },
});
