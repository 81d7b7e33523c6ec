import { type Expression, float, int, operation, selectOf } from './expression.js';
import { log2High, log2Low } from './math-exp.js';
import {
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
  polynomial,
  shiftRight,
  sub,
} from './math-operations.js';

/** (2·artanh(s) − 2s) / s³ as a function of s², |s| ≤ 0.1716: `scripts/fit-math.ts`, 2^-29.2 of the whole. */
const artanhTail = [0.66666776, 0.39977553, 0.29872122];

const smallestNormal = 2 ** -126;
/** The bits of √½. */
export const rootOfHalf = 0x3f3504f3;

/**
 * x = 2ⁿ · m with m in [√½, √2), for positive finite x.
 * Subnormals are multiplied by 2²³ first, and the exponent that is subtracted from the bits is raised as much.
 */
export function splitExponent(x: Expression, mayBeSubnormal: boolean): { n: Expression; m: Expression } {
  const isSubnormal = less(x, smallestNormal);
  const normal = mayBeSubnormal ? choose(isSubnormal, mul(x, 2 ** 23), x) : x;
  const base = mayBeSubnormal ? selectOf(isSubnormal, int(rootOfHalf + (23 << 23)), int(rootOfHalf)) : rootOfHalf;
  const above = sub(intBits(normal), base);
  const n = operation('toFloat', shiftRight(above, 23));
  return { n, m: floatBits(add(and(above, 0x7fffff), rootOfHalf)) };
}

/**
 * n·log 2 + log m + small, with log m = 2·artanh(s), s = f / (2 + f), f = m − 1.
 * The leading 2s is written f − (f²/2 − s·f²/2), so that the rounding of s hardly counts.
 */
function logOfParts({ n, m }: { n: Expression; m: Expression }, small?: Expression): Expression {
  const f = sub(m, 1);
  const s = div(f, add(f, 2));
  const z = mul(s, s);
  const halfSquare = mul(mul(f, f), 0.5);
  const tail = mul(s, add(halfSquare, mul(z, polynomial(z, artanhTail))));
  const low = add(tail, mul(n, log2Low));
  return add(mul(n, log2High), add(f, sub(small ? add(low, small) : low, halfSquare)));
}

/** `value` where 0 < x < ∞, and what a logarithm is elsewhere: −∞ at 0, ∞ at ∞, NaN below 0 and for NaN. */
const withEdges = (x: Expression, value: Expression): Expression =>
  choose(
    greater(x, 0),
    choose(equal(x, Number.POSITIVE_INFINITY), x, value),
    choose(equal(x, 0), Number.NEGATIVE_INFINITY, Number.NaN),
  );

/** Natural logarithm. */
export const log = (x: Expression): Expression => withEdges(x, logOfParts(splitExponent(x, true)));

/** log(1 + x): the logarithm of the rounded sum u, and what the rounding took, over u. */
export function log1p(x: Expression): Expression {
  const u = add(x, 1);
  const added = sub(u, 1);
  // the exact 1 + x − u, whichever of the two is larger (Knuth's two-sum)
  const lost = add(sub(x, added), sub(float(1), sub(u, added)));
  const value = withEdges(u, logOfParts(splitExponent(u, false), div(lost, u)));
  return choose(less(operation('abs', x), 2 ** -26), x, value);
}
