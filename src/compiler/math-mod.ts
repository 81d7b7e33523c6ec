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
  upperHalf,
  xor,
} from './math-operations.js';

/** Remainder of int32 with the divisor's sign, a − ⌊a/b⌋·b; 0 where the divisor is 0. */
export function modInt(a: Expression, b: Expression): Expression {
  const rest = sub(a, mul(div(a, b), b));
  const isOpposite = and(less(xor(rest, b), 0), operation('notEqual', rest, int(0)));
  return selectOf(equal(b, 0), int(0), selectOf(isOpposite, add(rest, b), rest));
}

/**
 * Remainder of float32 with the divisor's sign, a − ⌊a/b⌋·b; NaN where the divisor is 0 or a is infinite.
 *
 * Exact for quotients up to 2²⁴ and |a| < 2¹²⁷ (where the signs differ and |a| < |b| it is the sum a + b, rounded): the
 * product ⌊a/b⌋·b is taken with its rounding error. Beyond 2²⁴, where ⌊a/b⌋ need not be a float32 and neighbouring a
 * are more than b apart, it is 0; an exact remainder, as C's fmod, would take a loop.
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
  const lowered = choose(greater(rest, divisor), sub(rest, divisor), rest);
  const near = choose(less(rest, 0), add(rest, divisor), lowered);
  // 0 for finite a and b not 0, else NaN
  const far = div(mul(dividend, 0), divisor);
  const value = choose(greater(abs(quotient), 2 ** 24), far, near);
  // 0·∞ in the product
  const isWhole = and(equal(divisor, Number.POSITIVE_INFINITY), less(abs(a), Number.POSITIVE_INFINITY));
  return turn(choose(isWhole, choose(less(dividend, 0), divisor, dividend), value));
}
