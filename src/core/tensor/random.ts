import { apply, asTensor } from '../apply.js';
import { fail } from '../errors.js';
import { Parameter } from '../parameter.js';
import { HostRandom } from '../random.js';
import { checkShape, formatShape, type Shape, sizeOf } from '../shape.js';
import { Tensor } from './tensor.js';

/** What random numbers are drawn from inside a program: int32 [3] = (seed, step, scan index), which change from call to call. */
export type RandomKey = Tensor | Parameter;

export interface StreamOptions {
  /** Which of the many independent sequences under the key: `streamOf(path)` of the layer (0). */
  readonly stream?: number;
}

/** Uniform 32-bit integers. The same key, stream and shape give the same ones on every device, whatever is fused. */
export function randomBits(key: RandomKey, shape: Shape, { stream = 0 }: StreamOptions = {}): Tensor {
  const own = asTensor(key);
  if (own.dtype !== 'int32' || own.rank !== 1 || own.shape[0] !== 3)
    fail(
      `randomBits: the key is ${own.dtype} ${formatShape(own.shape)}`,
      'A key is int32 [3]: seed, step, scan index.',
    );
  checkShape('randomBits', shape);
  return apply('randomBits', [own], { shape: [...shape], stream: stream >>> 0 });
}

export interface UniformOptions {
  /** Bounds: low ≤ x < high (0 and 1). */
  readonly low?: number;
  readonly high?: number;
}

/**
 * Uniform float32 numbers: under a key of a program, low + (high − low) · (bits >>> 8) · 2⁻²⁴; or, with a seed, drawn on the host.
 *
 * @example uniform(key, [2, 3], { stream: streamOf('dropout_1') })
 * @example uniform([2, 3], { seed: 7, low: -1, high: 1 })
 */
export function uniform(key: RandomKey, shape: Shape, options?: StreamOptions & UniformOptions): Tensor;
export function uniform(shape: Shape, options?: SeedOptions & UniformOptions): Tensor;
export function uniform(
  first: RandomKey | Shape,
  second: Shape | (SeedOptions & UniformOptions) = {},
  options: StreamOptions & UniformOptions = {},
): Tensor {
  if (first instanceof Tensor || first instanceof Parameter) {
    const { low = 0, high = 1 } = options;
    const units = randomBits(first, second as Shape, options)
      .shiftRightLogical(8)
      .cast('float32')
      .mul(2 ** -24);
    return low === 0 && high === 1 ? units : units.mul(high - low).add(low);
  }
  const { seed = 0, low = 0, high = 1 } = second as SeedOptions & UniformOptions;
  return hostDraw('uniform', first, seed, (random, n) => random.uniform(n).map((u) => low + u * (high - low)));
}

/** bool: true with the given probability. */
export function bernoulli(
  key: RandomKey,
  shape: Shape,
  { probability = 0.5, ...options }: StreamOptions & { readonly probability?: number } = {},
): Tensor {
  return uniform(key, shape, options).less(probability);
}

/**
 * Standard normal float32 numbers: √(−2 log(1 − u)) · cos(2π v) of two uniform numbers.
 * @see Box & Muller 1958, "A note on the generation of random normal deviates"
 */
export function normalFrom(key: RandomKey, shape: Shape, options: StreamOptions = {}): Tensor {
  const pairs = uniform(key, [2, ...shape], options);
  // 1 − u is in (0, 1]: the logarithm stays finite
  const radius = pairs.slice(0).neg().log1p().mul(-2).sqrt();
  return radius.mul(
    pairs
      .slice(1)
      .mul(2 * Math.PI)
      .cos(),
  );
}

export interface SeedOptions {
  /** The same seed gives the same numbers on every device (0). */
  readonly seed?: number;
}

/** Normal float32 numbers with the given mean (0) and standard deviation (1), drawn on the host in float64. */
export function normal(
  shape: Shape,
  { seed = 0, mean = 0, deviation = 1 }: SeedOptions & { readonly mean?: number; readonly deviation?: number } = {},
): Tensor {
  return hostDraw('normal', shape, seed, (random, n) => random.normal(n).map((z) => mean + z * deviation));
}

function hostDraw(
  where: string,
  shape: Shape,
  seed: number,
  draw: (random: HostRandom, n: number) => Float64Array,
): Tensor {
  checkShape(where, shape);
  const data = Float32Array.from(draw(new HostRandom(seed, where), sizeOf(shape)));
  return Tensor.fromHost({ dtype: 'float32', shape, data });
}
