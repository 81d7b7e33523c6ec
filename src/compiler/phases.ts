import { type Affine, addAffine, constantAffine, scaleAffine, variable } from './affine.js';
import type { Axis } from './nest.js';

/** One of the dense pieces of a strided gradient: input positions that see the same residue of kernel offsets. */
export interface Phase {
  /** Loops over the phase's input positions, and the position itself: stride · loop + residue. */
  readonly inputAxes: readonly Axis[];
  readonly input: readonly Affine[];
  /** Loops over the kernel offsets that reach it, and the offset itself. */
  readonly kernelAxes: readonly Axis[];
  readonly kernel: readonly Affine[];
  /** The output position that this offset connects with this input position; it may lie outside 0 … extent − 1. */
  readonly output: readonly { readonly index: Affine; readonly extent: number; readonly isGuarded: boolean }[];
  /** No kernel offset reaches it: its gradient is zero. */
  readonly isEmpty: boolean;
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/**
 * Splits the positions of an input into phases: input h = stride·i + p meets output y through offset k where
 * y·stride + k·dilation − padding = h, which fixes k modulo stride / gcd(stride, dilation).
 */
export function phasesOf(
  inputSizes: readonly number[],
  kernelSizes: readonly number[],
  strides: readonly number[],
  padding: readonly (readonly [number, number])[],
  dilation: readonly number[],
  outputSizes: readonly number[],
): Phase[] {
  const perAxis = inputSizes.map((size, axis) => {
    const stride = strides[axis]!;
    const common = greatestCommonDivisor(stride, dilation[axis]!);
    const step = stride / common;
    return Array.from({ length: Math.min(stride, size) }, (_, residue) => {
      const shifted = residue + padding[axis]![0];
      let first = 0;
      while (first < step && (((shifted - first * dilation[axis]!) % stride) + stride) % stride !== 0) first++;
      const count = first === step ? 0 : Math.max(0, Math.ceil((kernelSizes[axis]! - first) / step));
      return {
        positions: Math.ceil((size - residue) / stride),
        residue,
        first,
        step,
        count,
        start: (shifted - first * dilation[axis]!) / stride,
        back: dilation[axis]! / common,
      };
    });
  });
  const combinations = perAxis.reduce<(typeof perAxis)[number][]>(
    (all, choices) => all.flatMap((chosen) => choices.map((choice) => [...chosen, choice])),
    [[]],
  );
  return combinations.map((chosen) => {
    const inputAxes: Axis[] = [];
    const kernelAxes: Axis[] = [];
    const loop = (axes: Axis[], name: string, size: number): Affine => {
      if (size === 1) return constantAffine(0);
      axes.push({ name, size });
      return variable(name);
    };
    const places = chosen.map(({ positions, residue, first, step, count, start, back }, axis) => {
      const i = loop(inputAxes, `y${axis}`, positions);
      const k = loop(kernelAxes, `k${axis}`, Math.max(1, count));
      const index = addAffine(addAffine(i, constantAffine(start)), scaleAffine(k, -back));
      const extent = outputSizes[axis]!;
      const isGuarded = start - back * (Math.max(1, count) - 1) < 0 || positions - 1 + start >= extent;
      return {
        input: addAffine(scaleAffine(i, strides[axis]!), constantAffine(residue)),
        kernel: addAffine(scaleAffine(k, step), constantAffine(first)),
        output: { index, extent, isGuarded },
      };
    });
    return {
      inputAxes,
      kernelAxes,
      input: places.map(({ input }) => input),
      kernel: places.map(({ kernel }) => kernel),
      output: places.map(({ output }) => output),
      isEmpty: chosen.some(({ count }) => count === 0),
    };
  });
}
