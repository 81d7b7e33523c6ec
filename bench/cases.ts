/** What is measured, as data: Kiln and every peer build the same problem from the same entry. */

export type Direction = 'forward' | 'inputGradient' | 'kernelGradient';

export interface GemmCase {
  readonly kind: 'gemm';
  readonly name: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** A 2-D convolution or one of its gradients; 1-D ones have height 1. */
export interface ConvCase {
  readonly kind: 'conv';
  readonly name: string;
  readonly direction: Direction;
  readonly batch: number;
  readonly groups: number;
  /** Over all groups, as are `filters`. */
  readonly inputChannels: number;
  readonly filters: number;
  /** [height, width], as all pairs here. */
  readonly spatial: Pair;
  readonly kernel: Pair;
  readonly strides: Pair;
  /** [[top, bottom], [left, right]]; negative bottom or right crops. */
  readonly padding: readonly [Pair, Pair];
  /** 1 is dense. */
  readonly dilation: Pair;
  readonly output: Pair;
}

/** relu(tanh(x · 1.5 + 0.25) · 2 + x): six operations, one of them transcendental. */
export interface ElementwiseCase {
  readonly kind: 'elementwise';
  readonly name: string;
  readonly elements: number;
}

/** One training step of the MNIST network of the README: forward, backward, Adam; dropout included. */
export interface MnistStepCase {
  readonly kind: 'mnistStep';
  readonly name: string;
  readonly batch: number;
}

export type BenchCase = GemmCase | ConvCase | ElementwiseCase | MnistStepCase;
export type Pair = readonly [number, number];

export const directions: readonly Direction[] = ['forward', 'inputGradient', 'kernelGradient'];

/** A square convolution: n batch, c channels, h height and width, o filters, k kernel, s strides, p padding. */
interface Square {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly o: number;
  readonly k?: number;
  readonly s?: number;
  readonly p?: number;
}

/** The two layers of the MNIST network, and one layer of each resolution of VGG. */
const squares: readonly Square[] = [
  { n: 32, c: 1, h: 28, o: 32 },
  { n: 32, c: 32, h: 26, o: 32 },
  { n: 16, c: 64, h: 56, o: 64, p: 1 },
  { n: 8, c: 128, h: 56, o: 128, p: 1 },
  { n: 4, c: 256, h: 28, o: 256, p: 1 },
  { n: 4, c: 512, h: 14, o: 512, p: 1 },
];

export function squareConv({ n, c, h, o, k = 3, s = 1, p = 0 }: Square, direction: Direction): ConvCase {
  const size = Math.floor((h + 2 * p - k) / s) + 1;
  const name = `conv ${n},${c},${h},${o}${k === 3 ? '' : ` k${k}`}${s === 1 ? '' : ` s${s}`} p${p} ${direction}`;
  return {
    kind: 'conv',
    name,
    direction,
    batch: n,
    groups: 1,
    inputChannels: c,
    filters: o,
    spatial: [h, h],
    kernel: [k, k],
    strides: [s, s],
    padding: [
      [p, p],
      [p, p],
    ],
    dilation: [1, 1],
    output: [size, size],
  };
}

const gemm = (m: number, n = m, k = m): GemmCase => ({ kind: 'gemm', name: `gemm ${m}x${n}x${k}`, m, n, k });

export const cases: readonly BenchCase[] = [
  gemm(256),
  gemm(1024),
  ...squares.flatMap((square) => directions.map((direction) => squareConv(square, direction))),
  { kind: 'elementwise', name: 'elementwise 1M', elements: 1 << 20 },
  { kind: 'elementwise', name: 'elementwise 16M', elements: 1 << 24 },
  { kind: 'mnistStep', name: 'mnist step b32', batch: 32 },
  { kind: 'mnistStep', name: 'mnist step b128', batch: 128 },
];

/**
 * Floating-point operations of one run; a multiply-add counts two. Multiplications with padding count, as they do in
 * every published figure; an elementwise operation counts one, tanh too.
 */
export function flopsOf(problem: BenchCase): number {
  switch (problem.kind) {
    case 'gemm':
      return 2 * problem.m * problem.n * problem.k;
    case 'conv': {
      const { batch, groups, inputChannels, filters, kernel, output } = problem;
      return 2 * batch * output[0] * output[1] * filters * (inputChannels / groups) * kernel[0] * kernel[1];
    }
    case 'elementwise':
      return 6 * problem.elements;
    case 'mnistStep': {
      // two contractions for the first layer, whose input needs no gradient, and three for each of the others
      const first = 26 * 26 * 32 * 9;
      const others = 24 * 24 * 32 * 32 * 9 + 4608 * 128 + 128 * 10;
      return 2 * problem.batch * (2 * first + 3 * others);
    }
  }
}
