import { type Expression, float, int, operation } from './expression.js';
import { splitExponent } from './math-log.js';
import {
  abs,
  add,
  and,
  atLeast,
  atMost,
  choose,
  div,
  equal,
  floatBits,
  greater,
  halvingBias,
  intBits,
  less,
  mul,
  nearestInteger,
  notEqual,
  or,
  polynomial,
  scale,
  sub,
  upperHalf,
  xor,
} from './math-operations.js';

/** (2·artanh(s) − 2s) / s³ / log 2 as a function of s², |s| ≤ 0.1716: `scripts/fit-math.ts`, 2^-34.9 of log₂. */
const log2Tail = [0.9617967, 0.5770789, 0.41192162, 0.33661747];
/** (2ʳ − 1) / r on ±½: `scripts/fit-math.ts`, 2^-28.3 of 2ʳ. */
const exp2Tail = [Math.LN2, 0.24022648, 0.055503596, 0.009618503, 0.0013390997, 0.00015327828];

/** 2 / log 2 in two parts, the first of twelve bits. */
const twoLog2e = 2 * Math.LOG2E;
const twoLog2eHigh = Math.round(twoLog2e * 2 ** 10) / 2 ** 10;
const twoLog2eLow = Math.fround(twoLog2e - twoLog2eHigh);

interface Pair {
  /** Twelve bits, so that its product with twelve other bits is exact. */
  readonly high: Expression;
  readonly low: Expression;
}

/**
 * log₂ x for positive finite x, to some 2^-31 absolute or 2^-32 relative: an exponent of 128 turns an absolute error of
 * the product into a relative error of the power. log₂ m = (2/log 2)·artanh(s), s = f / g with f = m − 1, g = m + 1;
 * the leading term has s with its remainder, the small rest of the series has it rounded.
 */
function log2Pair(x: Expression): Pair {
  const { n, m } = splitExponent(x, true);
  const f = sub(m, 1);
  const g = add(m, 1);
  const gHigh = upperHalf(g);
  const gLow = sub(m, sub(gHigh, 1));
  const s = div(f, g);
  const sHigh = upperHalf(s);
  const sLow = div(sub(sub(f, mul(sHigh, gHigh)), mul(sHigh, gLow)), g);
  const z = add(mul(sHigh, sHigh), mul(sLow, add(sHigh, s)));
  const lead = mul(sHigh, twoLog2eHigh);
  const small = add(mul(sLow, twoLog2e), mul(sHigh, twoLog2eLow));
  const rest = add(mul(mul(z, polynomial(z, log2Tail)), s), small);
  const high = upperHalf(add(n, add(lead, rest)));
  return { high, low: add(sub(lead, sub(high, n)), rest) };
}

/** 2^(a·b). Far outside what float32 holds a·b is cut, so that its parts stay finite. */
function exp2OfProduct(a: Pair, b: Expression): Expression {
  // the least |log₂ x| but 0 is 2^-24·log₂e, so that 2³² still makes 0 and infinity of it
  const held = atMost(atLeast(b, -(2 ** 32)), 2 ** 32);
  const bHigh = upperHalf(held);
  const bLow = sub(held, bHigh);
  const high = atMost(atLeast(mul(bHigh, a.high), -160), 160);
  const low = atMost(atLeast(add(mul(bLow, a.high), mul(held, a.low)), -1), 1);
  const { value: n, bits } = nearestInteger(add(high, low), halvingBias);
  const r = add(sub(high, n), low);
  return scale(add(mul(polynomial(r, exp2Tail), r), 1), bits);
}

/**
 * a^b with the special cases of IEEE 754 and C: 1 for a = 1 and for b = 0 even of NaN, NaN for negative finite a with
 * fractional b, the sign of a for odd b.
 */
export function pow(a: Expression, b: Expression): Expression {
  if (b.kind === 'constant' && b.value === 2) return mul(a, a);
  if (b.kind === 'constant' && b.value === -1) return div(float(1), a);
  const infinity = Number.POSITIVE_INFINITY;
  const magnitude = abs(a);
  const isZero = equal(magnitude, 0);
  const isWhole = equal(operation('floor', b), b);
  const half = mul(b, 0.5);
  const isOdd = and(isWhole, notEqual(operation('floor', half), half));

  const regular = exp2OfProduct(log2Pair(magnitude), b);
  const growsFromEdge = equal(less(b, 0), isZero);
  const positive = choose(or(isZero, equal(magnitude, infinity)), choose(growsFromEdge, infinity, 0), regular);
  const sign = and(intBits(a), choose(isOdd, int(1 << 31), int(0)));
  const signed = floatBits(xor(intBits(positive), sign));

  const isUnordered = or(notEqual(a, a), notEqual(b, b));
  const isImaginary = and(and(less(a, 0), greater(a, -infinity)), operation('not', isWhole));
  const isOne = or(equal(a, 1), equal(b, 0));
  return choose(isOne, 1, choose(or(isUnordered, isImaginary), Number.NaN, signed));
}
