import { fail, type HostRandom, KilnError, nearest, type Shape, sizeOf } from '../core/index.js';
import { orthogonal } from './orthogonal.js';
import type { Fans } from './parameter-entry.js';

/** What an initialiser draws from; the same for a seed and a path, whatever was drawn for others. */
export interface Draw {
  readonly random: HostRandom;
  readonly seed: number;
  readonly fans: Fans;
}

/** The first value of a parameter, row-major, in float64. */
export type Initializer = (shape: Shape, draw: Draw) => ArrayLike<number>;

/** An initialiser, or the name of one that needs no options. */
export type InitializerLike = Initializer | InitializerName;

const constant =
  (value: number): Initializer =>
  (shape) =>
    new Float64Array(sizeOf(shape)).fill(value);

const uniform =
  ({ low = -0.05, high = 0.05 }: { readonly low?: number; readonly high?: number } = {}): Initializer =>
  (shape, { random }) =>
    random.uniform(sizeOf(shape)).map((u) => low + (high - low) * u);

interface NormalOptions {
  readonly mean?: number;
  readonly stddev?: number;
}

const normal =
  ({ mean = 0, stddev = 0.05 }: NormalOptions = {}): Initializer =>
  (shape, { random }) =>
    random.normal(sizeOf(shape)).map((z) => mean + stddev * z);

/** Draws beyond two standard deviations are drawn anew. */
const truncatedNormal =
  ({ mean = 0, stddev = 0.05 }: NormalOptions = {}): Initializer =>
  (shape, { random }) =>
    random.truncatedNormal(sizeOf(shape)).map((z) => mean + stddev * z);

/** Standard deviation of a standard normal that is cut at ±2: √(1 − 4φ(2) / (2Φ(2) − 1)). */
const deviationCutAt2 = 0.8796256610342398;

/** Numbers of variance scale / fan, as Keras's VarianceScaling draws them. */
const scaled =
  (scale: number, fanOf: (fans: Fans) => number, distribution: 'uniform' | 'normal'): Initializer =>
  (shape, draw) => {
    const variance = scale / Math.max(1, fanOf(draw.fans));
    const limit = Math.sqrt(3 * variance);
    return distribution === 'uniform'
      ? uniform({ low: -limit, high: limit })(shape, draw)
      : truncatedNormal({ stddev: Math.sqrt(variance) / deviationCutAt2 })(shape, draw);
  };

const fanIn = (fans: Fans): number => fans.in;
const fanAverage = (fans: Fans): number => (fans.in + fans.out) / 2;

/** Those that need no options, by the names that layers take. */
const byName = {
  zeros: constant(0),
  ones: constant(1),
  /** Glorot & Bengio 2010, equation 16. */
  glorotUniform: scaled(1, fanAverage, 'uniform'),
  glorotNormal: scaled(1, fanAverage, 'normal'),
  /** He et al. 2015, arXiv:1502.01852, equation 10: for layers before a relu. */
  heUniform: scaled(2, fanIn, 'uniform'),
  heNormal: scaled(2, fanIn, 'normal'),
  /** LeCun et al. 1998, "Efficient backprop", equation 16: for selu. */
  lecunUniform: scaled(1, fanIn, 'uniform'),
  lecunNormal: scaled(1, fanIn, 'normal'),
} as const satisfies Record<string, Initializer>;

export type InitializerName = keyof typeof byName;

/**
 * First values of parameters. Layers take the names of those without options as strings.
 *
 * @example conv2d(32, 3, { kernelInitializer: 'heNormal', biasInitializer: initializers.constant(0.1) })
 */
export const initializers = {
  ...byName,
  constant,
  /** Keras's default: between −0.05 and 0.05. */
  uniform,
  /** Keras's default: mean 0, standard deviation 0.05. */
  normal,
  truncatedNormal,
  orthogonal,
} as const;

export function initializerOf(initializer: InitializerLike): Initializer {
  if (typeof initializer === 'function') return initializer;
  const found: Initializer | undefined = Object.hasOwn(byName, initializer) ? byName[initializer] : undefined;
  if (!found) {
    const near = nearest(initializer, Object.keys(byName));
    fail(
      `initializer: there is no ${JSON.stringify(initializer)}`,
      near ? `Did you mean '${near}'?` : `There are ${Object.keys(byName).join(', ')}.`,
      KilnError,
    );
  }
  return found;
}

/** Fans of dense [inputs, outputs] and convolution kernels [...window, inputs, outputs], as Keras counts them. */
export function fansOf(shape: Shape): Fans {
  if (shape.length < 2) return { in: shape[0] ?? 1, out: shape[0] ?? 1 };
  const window = sizeOf(shape.slice(0, -2));
  return { in: window * shape.at(-2)!, out: window * shape.at(-1)! };
}
