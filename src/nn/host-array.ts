import { bytesPerElement, elementStridesOf, type HostArray, type Shape, viewAs } from '../core/index.js';

/** The same elements under another shape. */
export const reshaped = ({ dtype, data }: HostArray, shape: Shape): HostArray => ({ dtype, shape, data });

/** Axis i of the result is axis permutation[i]. */
export function permuteAxes({ dtype, shape, data }: HostArray, permutation: readonly number[]): HostArray {
  const strides = elementStridesOf(shape);
  const target = permutation.map((axis) => shape[axis]!);
  const from = permutation.map((axis) => strides[axis]!);
  const result = viewAs(dtype, new ArrayBuffer(data.length * bytesPerElement[dtype]));
  const position = new Array<number>(target.length).fill(0);
  let at = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = data[at]!;
    // the next element in row-major order
    for (let axis = target.length - 1; axis >= 0; axis--) {
      at += from[axis]!;
      if (++position[axis]! < target[axis]!) break;
      at -= from[axis]! * target[axis]!;
      position[axis] = 0;
    }
  }
  return { dtype, shape: target, data: result };
}
