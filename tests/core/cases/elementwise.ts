import type { ComputeDType, PrimitiveName } from '../../../src/core/index.js';
import { type Case, opCase, type Row } from '../../check-op.js';
import type { Operand } from '../../operands.js';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
const special: Operand = { shape: [9], values: [0, -0, 1, -1, infinity, -infinity, nan, 1e-40, 3.4e38] };
const atSpecial = { x: special, noGradient: 'values without a slope', note: 'zeros, infinities, NaN, subnormal' };
const shapes: readonly Operand[] = [[], [7], [3, 5], [0, 3], [2, 1, 33]];
const views: readonly Operand[] = [
  { shape: [3, 4], view: 'transposed' },
  { shape: [3, 4], view: 'sliced' },
  { shape: [3, 4], view: 'flipped' },
  { shape: [3, 4], view: 'broadcast' },
];

/** Sine and cosine of 3.4e38 would need all its digits of π: they are exact up to 10⁵ on every device. */
const atSpecialNear = { ...atSpecial, x: { shape: [8], values: [0, -0, 1, -1, infinity, -infinity, nan, 1e-40] } };

/** Rows for a function of floats that is smooth between `low` and `high`. */
const onRange = (low: number, high: number, special: Row<object> = atSpecial): readonly Row<object>[] => [
  ...[...shapes, ...views].map((operand) => ({
    x: { ...('shape' in operand ? operand : { shape: operand }), low, high },
  })),
  special,
];
const integers = (dtype: 'int32' | 'uint8') => ({ x: { shape: [3, 5], dtype } as const });

export const unaryCases = {
  neg: opCase((x) => x.neg(), [...onRange(-2, 2), integers('int32'), integers('uint8')]),
  exp: opCase(
    (x) => x.exp(),
    [...onRange(-3, 3), { x: { shape: [5], values: [-104, -87.5, 88, 89, 20] }, noGradient: 'infinite' }],
  ),
  expm1: opCase((x) => x.expm1(), [...onRange(-3, 3), { x: { shape: [4], values: [1e-7, -1e-7, -30, 20] } }]),
  log: opCase(
    (x) => x.log(),
    [
      ...onRange(0.1, 4),
      { x: { shape: [4], values: [1e-30, 1e30, 0.999, 1.001] }, noGradient: 'too steep for finite differences' },
    ],
  ),
  log1p: opCase((x) => x.log1p(), [...onRange(-0.9, 4), { x: { shape: [3], values: [1e-7, -1e-7, 1e20] } }]),
  sqrt: opCase((x) => x.sqrt(), onRange(0.1, 4)),
  rsqrt: opCase((x) => x.rsqrt(), onRange(0.1, 4)),
  sin: opCase((x) => x.sin(), [...onRange(-7, 7, atSpecialNear), { x: { shape: [3], values: [100, -1000, 31.4] } }]),
  cos: opCase((x) => x.cos(), [...onRange(-7, 7, atSpecialNear), { x: { shape: [3], values: [100, -1000, 31.4] } }]),
  tanh: opCase((x) => x.tanh(), [...onRange(-3, 3), { x: { shape: [4], values: [20, -20, 1e-5, 0.6] } }]),
  erf: opCase((x) => x.erf(), [...onRange(-3, 3), { x: { shape: [4], values: [6, -6, 1e-5, 0.9] } }]),
  sigmoid: opCase((x) => x.sigmoid(), [...onRange(-5, 5), { x: { shape: [3], values: [-90, 90, -20] } }]),
  floor: opCase((x) => x.floor(), onRange(-3, 3)),
  round: opCase(
    (x) => x.round(),
    [...onRange(-3, 3), { x: { shape: [6], values: [0.5, 1.5, 2.5, -0.5, -1.5, 8388609] }, noGradient: 'steps' }],
  ),
  abs: opCase((x) => x.abs(), [...onRange(-2, 2), integers('int32'), integers('uint8')]),
  sign: opCase((x) => x.sign(), [...onRange(-2, 2), integers('int32'), integers('uint8')]),
  not: opCase((x) => x.not(), [{ x: { shape: [3, 5], dtype: 'bool' } }, { x: { shape: [0], dtype: 'bool' } }]),
  cast: opCase<{ readonly to: ComputeDType }>(
    (x, { to }) => x.cast(to),
    [
      ...(['int32', 'uint8', 'bool'] as const).map((to) => ({
        x: { shape: [9], values: [0, -0.9, 1.9, -1.9, infinity, -infinity, nan, 300, -3e9] } as const,
        p: { to },
        noGradient: 'steps',
      })),
      { x: { shape: [3, 5], dtype: 'int32' }, p: { to: 'float32' } },
      { x: { shape: [3, 5], dtype: 'int32', low: -300, high: 300 }, p: { to: 'uint8' }, note: 'wraps' },
      { x: { shape: [3, 5], dtype: 'bool' }, p: { to: 'float32' } },
      { x: { shape: [3, 5], dtype: 'uint8' }, p: { to: 'bool' } },
    ],
  ),
  stopGradient: opCase((x) => x.stopGradient(), [{ x: [3, 5], noGradient: 'there is none, by definition' }]),
} satisfies Partial<Record<PrimitiveName, Case>>;

/** Pairs of shapes that broadcast. */
const pairs: readonly (readonly [Operand, Operand])[] = [
  [[], []],
  [
    [3, 5],
    [3, 5],
  ],
  [[3, 5], [5]],
  [[5], [3, 1]],
  [
    [3, 1, 5],
    [2, 1],
  ],
  [[2, 3], []],
  [
    [0, 3],
    [1, 3],
  ],
  [
    [1, 33],
    [7, 1],
  ],
  [{ shape: [3, 4], view: 'transposed' }, [3, 4]],
  [
    { shape: [3, 4], view: 'flipped' },
    { shape: [3, 4], view: 'sliced' },
  ],
];
const specials: readonly number[] = [0, -0, 1, -1, infinity, -infinity, nan];
const specialPairs = {
  x: { shape: [7, 7], values: specials.flatMap((a) => specials.map(() => a)) },
  y: { shape: [7], values: specials },
  noGradient: 'values without a slope',
  note: 'zeros, infinities, NaN against each other',
} as const;

const withRange = (operand: Operand, range: readonly [number, number]): Operand => ({
  ...('shape' in operand ? operand : { shape: operand }),
  low: range[0],
  high: range[1],
});
const floatPairs = (left: readonly [number, number] = [-2, 2], right: readonly [number, number] = [-2, 2]) => [
  ...pairs.map(([x, y]) => ({ x: withRange(x, left), y: withRange(y, right) })),
  specialPairs,
];
const integerPairs = (...dtypes: readonly ('int32' | 'uint8' | 'bool')[]) =>
  dtypes.flatMap((dtype) => [
    { x: { shape: [3, 5], dtype } as const, y: { shape: [5], dtype } as const },
    { x: { shape: [40], dtype } as const, y: { shape: [40], dtype } as const },
  ]);
const wide = {
  x: { shape: [4], dtype: 'int32', values: [2147483647, -2147483648, 123456789, -7] },
  y: { shape: [4], dtype: 'int32', values: [1, -1, 987654321, 0] },
  note: 'wraps around',
} as const;
const numbers = [...floatPairs(), ...integerPairs('int32', 'uint8'), wide];
const shifts = [
  { x: { shape: [3, 5], dtype: 'int32' }, y: { shape: [5], dtype: 'int32', low: 0, high: 31 } },
  { x: { shape: [2], dtype: 'int32', values: [-2147483648, 5] }, y: { shape: [2], dtype: 'int32', values: [33, 31] } },
] as const;
const anything = [...floatPairs(), ...integerPairs('int32', 'uint8', 'bool')];

export const binaryCases = {
  add: opCase((x, { y }) => x.add(y), numbers),
  sub: opCase((x, { y }) => x.sub(y), numbers),
  mul: opCase((x, { y }) => x.mul(y), numbers),
  div: opCase((x, { y }) => x.div(y), floatPairs([-2, 2], [0.5, 2])),
  pow: opCase(
    (x, { y }) => x.pow(y),
    [
      ...floatPairs([0.2, 2], [-2, 2]),
      {
        x: { shape: [6], values: [-2, -2, 0, 0, -0.5, 3] },
        y: { shape: [6], values: [3, -2, 2, 0, 0.5, 40] },
        noGradient: 'negative bases have no logarithm',
      },
    ],
  ),
  max: opCase((x, { y }) => x.maximum(y), numbers),
  min: opCase((x, { y }) => x.minimum(y), numbers),
  mod: opCase((x, { y }) => x.mod(y), [...floatPairs([-5, 5], [0.6, 2]), ...integerPairs('int32', 'uint8'), wide]),
  shiftLeft: opCase((x, { y }) => x.shiftLeft(y), shifts),
  shiftRight: opCase((x, { y }) => x.shiftRight(y), shifts),
  shiftRightLogical: opCase((x, { y }) => x.shiftRightLogical(y), shifts),
  and: opCase((x, { y }) => x.and(y), integerPairs('int32', 'uint8', 'bool')),
  or: opCase((x, { y }) => x.or(y), integerPairs('int32', 'uint8', 'bool')),
  xor: opCase((x, { y }) => x.xor(y), integerPairs('int32', 'uint8', 'bool')),
  equal: opCase((x, { y }) => x.equal(y), anything),
  notEqual: opCase((x, { y }) => x.notEqual(y), anything),
  less: opCase((x, { y }) => x.less(y), anything),
  lessEqual: opCase((x, { y }) => x.lessEqual(y), anything),
  greater: opCase((x, { y }) => x.greater(y), anything),
  greaterEqual: opCase((x, { y }) => x.greaterEqual(y), anything),
  select: opCase(
    (x, { y, z }) => x.select(y, z),
    [
      { x: { shape: [3, 5], dtype: 'bool' }, y: [3, 5], z: [3, 5] },
      { x: { shape: [3, 1], dtype: 'bool' }, y: [5], z: [3, 5] },
      { x: { shape: [], dtype: 'bool' }, y: [2, 3], z: [] },
      { x: { shape: [0], dtype: 'bool' }, y: [0], z: [0] },
      { x: { shape: [4], dtype: 'bool' }, y: { shape: [4], dtype: 'int32' }, z: { shape: [4], dtype: 'int32' } },
      {
        x: { shape: [4], dtype: 'bool', values: [1, 0, 1, 0] },
        y: { shape: [4], values: [nan, nan, infinity, 1] },
        z: { shape: [4], values: [1, 2, nan, infinity] },
        noGradient: 'values without a slope',
        note: 'what is not chosen does not leak',
      },
    ],
  ),
} satisfies Partial<Record<PrimitiveName, Case>>;
