import { type Expression, int, operation, selectOf } from './expression.js';
import {
  abs,
  add,
  and,
  choose,
  div,
  equal,
  floatBits,
  greater,
  intBits,
  less,
  mul,
  sub,
  xor,
} from './math-operations.js';

/** Remainder of int32 with the divisor's sign, a − ⌊a/b⌋·b; 0 where the divisor is 0. */
export function modInt(a: Expression, b: Expression): Expression {
  const rest = sub(a, mul(div(a, b), b));
  const isOpposite = and(less(xor(rest, b), 0), operation('notEqual', rest, int(0)));
  return selectOf(equal(b, 0), int(0), selectOf(isOpposite, add(rest, b), rest));
}

/** The upper twelve bits of a significand: products of two such halves are exact. */
const upperHalf = (x: Expression): Expression => floatBits(and(intBits(x), ~0xfff));

/**
 * Remainder of float32 with the divisor's sign, a − ⌊a/b⌋·b; NaN where the divisor is 0 or a is infinite.
 *
 * Exact for quotients up to 2²⁴ (where the signs differ and |a| < |b| it is the sum a + b, rounded): the product
 * ⌊a/b⌋·b is taken with its rounding error. Beyond, ⌊a/b⌋ has no float32, and the result lies anywhere from 0 to b.
 *
 * @see Dekker 1971, "A floating-point technique for extending the available precision", for the error of a product
 */
export function modFloat(a: Expression, b: Expression): Expression {
  // both signs turned so that the divisor is positive
  const sign = and(intBits(b), 1 << 31);
  const turn = (x: Expression): Expression => floatBits(xor(intBits(x), sign));
  const dividend = turn(a);
  const divisor = abs(b);

  const quotient = operation('floor', div(a, b));
  const product = mul(quotient, divisor);
  const qHigh = upperHalf(quotient);
  const qLow = sub(quotient, qHigh);
  const dHigh = upperHalf(divisor);
  const dLow = sub(divisor, dHigh);
  const error = add(add(add(sub(mul(qHigh, dHigh), product), mul(qHigh, dLow)), mul(qLow, dHigh)), mul(qLow, dLow));
  const rest = sub(sub(dividend, product), error);

  // a/b may have been rounded up or down past an integer: one divisor too few or too many
  const lowered = choose(less(rest, divisor), rest, sub(rest, divisor));
  const corrected = choose(less(rest, 0), add(rest, divisor), lowered);
  const held = choose(less(corrected, 0), 0, choose(greater(corrected, divisor), divisor, corrected));
  // 0·∞ in the product
  const isWhole = and(equal(divisor, Number.POSITIVE_INFINITY), less(abs(a), Number.POSITIVE_INFINITY));
  return turn(choose(isWhole, choose(less(dividend, 0), divisor, dividend), held));
}
