import type { Expression } from '../../src/compiler/expression.js';
import * as math from '../../src/compiler/math.js';
import { philox4x32 } from '../../src/core/philox.js';
import { erfReference } from '../../src/core/primitives/special.js';
import { closureOf } from './closure.js';

const argument = (number: number): Expression => ({ kind: 'accumulator', type: 'f32', number });
const largest = (2 - 2 ** -23) * 2 ** 127;

export interface Swept {
  readonly name: string;
  readonly expression: Expression;
  /** The expression as a function. */
  readonly computed: (x: number, y: number) => number;
  readonly reference: (x: number, y: number) => number;
  readonly arguments: 1 | 2;
  /** Where accuracy is promised; everywhere where missing. */
  readonly within?: number;
}

function unary(
  name: string,
  f: (x: Expression) => Expression,
  reference: (x: number) => number,
  within?: number,
): Swept {
  const expression = f(argument(0));
  return { name, expression, computed: closureOf(expression), reference, arguments: 1, ...(within && { within }) };
}

const power = math.pow(argument(0), argument(1));

/** Each function with its meaning in float64. */
export const swept: readonly Swept[] = [
  unary('exp', math.exp, Math.exp),
  unary('expm1', math.expm1, Math.expm1),
  unary('log', math.log, Math.log),
  unary('log1p', math.log1p, Math.log1p),
  unary('tanh', math.tanh, Math.tanh),
  unary('sigmoid', math.sigmoid, (x) => 1 / (1 + Math.exp(-x))),
  unary('erf', math.erf, erfReference),
  unary('rsqrt', math.rsqrt, (x) => 1 / Math.sqrt(x)),
  unary('sin', math.sin, Math.sin, 1e5),
  unary('cos', math.cos, Math.cos, 1e5),
  {
    name: 'pow',
    expression: power,
    computed: closureOf(power),
    reference: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b),
    arguments: 2,
  },
];

/** |value − exact| in units in the last place of the float32 numbers around `exact`; 0 where both are NaN or infinite. */
export function ulpsBetween(value: number, exact: number): number {
  if (Object.is(value, exact)) return 0;
  if (Number.isNaN(value) || Number.isNaN(exact)) return Number.POSITIVE_INFINITY;
  if (Math.abs(exact) > largest) exact = Math.sign(exact) * 2 ** 128;
  if (Math.abs(value) > largest) value = Math.sign(value) * 2 ** 128;
  return Math.abs(value - exact) / 2 ** (Math.max(-126, exponentOf(Math.min(Math.abs(exact), largest))) - 23);
}

const double = new DataView(new ArrayBuffer(8));
/** ⌊log₂ x⌋ of a normal float64. */
function exponentOf(x: number): number {
  double.setFloat64(0, x);
  return (double.getUint16(0) >>> 4) - 1023;
}

/** Values at which something ends or begins. */
export const edges: readonly number[] = [
  0, 2 ** -149, 2 ** -126 - 2 ** -149, 2 ** -126, 1e-7, 2 ** -26, 2 ** -25, 2 ** -24, 2 ** -12, 0.25, 0.5, Math.SQRT1_2,
  1 - 2 ** -24, 1, 1 + 2 ** -23, Math.SQRT2, 2, 3, 3.92, 9.01, 17.3, 87.33655, 88, 88.72283, 88.72284, 89, 103.27892,
  103.97208, 104, 2 ** 23, 2 ** 24, 2 ** 127, largest, Number.POSITIVE_INFINITY,
].flatMap((x) => [Math.fround(x), -Math.fround(x)]); // biome-ignore format: a table

const words = new Int32Array(1);
const floats = new Float32Array(words.buffer);

/** `count` float32 numbers: the edges, random bits over all exponents, and numbers spread around 1 as most are. */
export function* numbers(count: number, seed: number): Generator<number> {
  yield* edges;
  const draws = new Uint32Array(4);
  for (let i = 0; i < count; i += 4) {
    philox4x32([i, 0, 0, 0], [seed, 0], draws);
    for (let j = 0; j < 4; j++) {
      words[0] = draws[j]!;
      if (j % 2 === 1) words[0] = (words[0] & ~0x7f800000) | ((117 + (draws[j - 1]! % 18)) << 23); // 2^-10 … 2^7
      yield floats[0]!;
    }
  }
}

export interface Worst {
  readonly ulps: number;
  readonly at: readonly number[];
}

/** The largest error over `count` arguments. */
export function worstOf(f: Swept, count: number, seed = 1): Worst {
  let worst: Worst = { ulps: 0, at: [] };
  const others = f.arguments === 2 ? numbers(count, seed + 1) : undefined;
  for (const x of numbers(count, seed)) {
    if (f.within !== undefined && Math.abs(x) > f.within) continue;
    const y = others?.next().value ?? 0;
    const ulps = ulpsBetween(f.computed(x, y), f.reference(x, y));
    if (!(ulps <= worst.ulps)) worst = { ulps, at: f.arguments === 2 ? [x, y] : [x] };
  }
  return worst;
}

/** The largest error over every float32 argument with a magnitude from `low` to `high`. */
export function worstBetween(f: Swept, low: number, high: number): Worst {
  let worst: Worst = { ulps: 0, at: [] };
  floats[0] = low;
  const first = words[0]!;
  floats[0] = high;
  const last = words[0]!;
  for (const sign of [1, -1]) {
    for (let bits = first; bits <= last; bits++) {
      words[0] = bits;
      const x = sign * floats[0]!;
      const ulps = ulpsBetween(f.computed(x, 0), f.reference(x, 0));
      if (!(ulps <= worst.ulps)) worst = { ulps, at: [x] };
    }
  }
  return worst;
}
