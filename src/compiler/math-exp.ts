import { type Expression, float } from './expression.js';
import {
  abs,
  add,
  atLeast,
  atMost,
  choose,
  div,
  equal,
  floatBits,
  halvingBias,
  less,
  mul,
  nearestInteger,
  polynomial,
  scale,
  shiftLeft,
  sub,
} from './math-operations.js';

/** log 2 in two parts (Cody and Waite 1980): the first has 16 bits, so that its product with an exponent is exact. */
export const log2High = 0.693145751953125;
export const log2Low = Math.fround(Math.LN2 - log2High);

/** Beyond these, eˣ is 0 and infinity in float32. */
const lowest = -104;
const highest = 89;

/** (eʳ − 1 − r) / r² on ±log(2)/2: `scripts/fit-math.ts`, 2^-23.2 of eʳ. */
const expTail = [0.49999228, 0.16667114, 0.041890617, 0.008312659];
/** The same with one coefficient more for expm1: 2^-26.1 of eʳ − 1. */
const expm1Tail = [0.49999997, 0.16666546, 0.041667435, 0.008366272, 0.0013870698];

/** x = n·log 2 + r with |r| ≤ log(2)/2. */
function reduce(x: Expression, bias: number): { rest: Expression; bits: Expression } {
  const { value: n, bits } = nearestInteger(mul(x, Math.LOG2E), bias);
  return { rest: sub(sub(x, mul(n, log2High)), mul(n, log2Low)), bits };
}

/** eˣ for x ≤ 89. */
function expBelow(x: Expression): Expression {
  const { rest: r, bits } = reduce(atLeast(x, lowest), halvingBias);
  // 1 + (r + r²·tail)
  return scale(add(add(mul(mul(r, r), polynomial(r, expTail)), r), 1), bits);
}

export const exp = (x: Expression): Expression => expBelow(atMost(x, highest));

/** 1 / (1 + e⁻ˣ), from e to the −|x|, which cannot overflow: e/(1 + e) on the left, 1/(1 + e) on the right. */
export function sigmoid(x: Expression): Expression {
  const e = expBelow(operationNegAbs(x));
  return div(choose(less(x, 0), e, 1), add(e, 1));
}
