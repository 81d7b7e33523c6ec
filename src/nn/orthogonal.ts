import { sizeOf } from '../core/index.js';
import type { Initializer } from './initializers.js';

/**
 * Kernels whose rows or columns, whichever are fewer, are orthonormal: [...leading, last] as a matrix of sizeOf(leading) rows.
 *
 * @param options gain: what the matrix is multiplied by (1)
 * @see Saxe, McClelland & Ganguli 2014, arXiv:1312.6120
 */
export const orthogonal =
  ({ gain = 1 }: { readonly gain?: number } = {}): Initializer =>
  (shape, { random }) => {
    const columns = shape.at(-1) ?? 1;
    const rows = sizeOf(shape.slice(0, -1));
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    const vectors = Array.from({ length: count }, () => random.normal(length));
    // Gram-Schmidt, each vector twice: the second pass takes away what rounding left in the first
    vectors.forEach((vector, i) => {
      for (let pass = 0; pass < 2; pass++) for (const before of vectors.slice(0, i)) subtractProjection(vector, before);
      const norm = Math.sqrt(dot(vector, vector));
      for (let k = 0; k < length; k++) vector[k]! /= norm;
    });
    return Float64Array.from({ length: rows * columns }, (_, at) => {
      const [row, column] = [Math.floor(at / columns), at % columns];
      return gain * (rows >= columns ? vectors[column]![row]! : vectors[row]![column]!);
    });
  };

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

function subtractProjection(vector: Float64Array, unit: Float64Array): void {
  const along = dot(vector, unit);
  for (let k = 0; k < vector.length; k++) vector[k]! -= along * unit[k]!;
}
