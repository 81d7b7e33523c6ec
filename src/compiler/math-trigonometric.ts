import { type Expression, int } from './expression.js';
import {
  add,
  and,
  atLeast,
  atMost,
  choose,
  equal,
  floatBits,
  intBits,
  mul,
  nearestInteger,
  polynomial,
  shiftLeft,
  sub,
  xor,
} from './math-operations.js';

/** (sin r / r − 1) / r² and (cos r − 1 + r²/2) / r⁴ as functions of r², |r| ≤ 0.794: `scripts/fit-math.ts`, 2^-28 and 2^-33. */
const sinTail = [-0.16666654, 0.0083321016, -0.00019506842];
const cosTail = [0.041666646, -0.0013887301, 0.000024430668];

/** π/2 in parts of eight bits, whose products with integers below 2¹⁶ are exact, and what is left of it; none negative, so that −0 stays −0. */
const halfPi = splitHalfPi(4, 8);

function splitHalfPi(parts: number, bits: number): readonly number[] {
  // π/2 to 80 binary digits: what a float64 holds of it, and the remainder
  let high = Math.PI / 2;
  const split: number[] = [];
  for (let i = 0; i < parts; i++) {
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(high))) - bits + 1);
    split.push(Math.floor(high / unit) * unit);
    high -= split[i]!;
  }
  return [...split, Math.fround(high + 6.123233995736766e-17)];
}

const twoOverPi = 2 / Math.PI;
/** π/4 and what x·2/π loses by rounding while |x| ≤ 10⁵. */
const largestRest = (Math.PI / 2) * 0.505;

/** sin(x + quarters·π/2). */
function sinShifted(x: Expression, quarters: number): Expression {
  const { value: n, bits } = nearestInteger(mul(x, twoOverPi), quarters);
  const reduced = halfPi.reduce((rest, part) => sub(rest, mul(n, part)), x);
  // no change while the reduction holds; far outside it keeps the result within ±1
  const r = atMost(atLeast(reduced, -largestRest), largestRest);
  const z = mul(r, r);
  const sinOfRest = mul(r, add(mul(z, polynomial(z, sinTail)), 1));
  const cosOfRest = add(sub(mul(mul(z, z), polynomial(z, cosTail)), mul(z, 0.5)), 1);
  const value = choose(equal(and(bits, 1), int(0)), sinOfRest, cosOfRest);
  return floatBits(xor(intBits(value), shiftLeft(and(bits, 2), 30)));
}

/**
 * Sine and cosine. Exact to a few ulp for |x| ≤ 10⁵. Beyond, the error of the reduction grows with |x| (all digits are
 * lost near 10⁷), and the result stays within ±1; NaN at infinity.
 */
export const sin = (x: Expression): Expression => sinShifted(x, 0);
export const cos = (x: Expression): Expression => sinShifted(x, 1);
