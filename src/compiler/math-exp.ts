import type { Expression } from './expression.js';
import {
  abs,
  add,
  atLeast,
  atMost,
  choose,
  div,
  floatBits,
  halvingBias,
  less,
  mul,
  nearestInteger,
  neg,
  polynomial,
  scale,
  shiftLeft,
  sub,
  withSignOf,
} from './math-operations.js';

/** log 2 in two parts (Cody and Waite 1980): the first has 16 bits, so that its product with an exponent is exact. */
export const log2High = 0.693145751953125;
export const log2Low = Math.fround(Math.LN2 - log2High);

/** Beyond these, eˣ is 0 and infinity in float32. */
const lowest = -104;
const highest = 89;

/** (eʳ − 1 − r) / r² on ±log(2)/2: `scripts/fit-math.ts`, 2^-23.2 of eʳ. */
const expTail = [0.49999228, 0.16667114, 0.041890617, 0.008312659];
/** The same with one coefficient more: 2^-26.1 of eʳ − 1. */
const expm1Tail = [0.49999997, 0.16666546, 0.041667435, 0.008366272, 0.0013870698];

/** x = n·log 2 + r with |r| ≤ log(2)/2; the bits hold n + bias. */
function reduce(x: Expression, bias: number): { rest: Expression; bits: Expression } {
  const { value: n, bits } = nearestInteger(mul(x, Math.LOG2E), bias);
  return { rest: sub(sub(x, mul(n, log2High)), mul(n, log2Low)), bits };
}

/** eˣ for x ≤ 89. */
function expBelow(x: Expression): Expression {
  const { rest: r, bits } = reduce(atLeast(x, lowest), halvingBias);
  return scale(add(add(mul(mul(r, r), polynomial(r, expTail)), r), 1), bits);
}

/** eˣ. */
export const exp = (x: Expression): Expression => expBelow(atMost(x, highest));

/** 1 / (1 + e⁻ˣ), from e to the −|x|, which cannot overflow: e / (1 + e) left of 0, 1 / (1 + e) right of it. */
export function sigmoid(x: Expression): Expression {
  const e = expBelow(neg(abs(x)));
  return div(choose(less(x, 0), e, 1), add(e, 1));
}

/** eʳ − 1 on ±log(2)/2. */
const expm1OfRest = (r: Expression): Expression => add(mul(mul(r, r), polynomial(r, expm1Tail)), r);

/** eˣ − 1. */
export function expm1(x: Expression): Expression {
  // below −30 it is −1; the bits are biased to give 2ⁿ⁻¹, which is finite where 2ⁿ no longer is
  const { rest: r, bits } = reduce(atMost(atLeast(x, -30), highest), 126);
  const half = floatBits(shiftLeft(bits, 23));
  const y = mul(add(mul(expm1OfRest(r), half), sub(half, 0.5)), 2);
  // x itself where x²/2 no longer counts: halving would cut subnormals and lose the sign of 0
  return choose(less(abs(x), 2 ** -26), x, y);
}

/** Hyperbolic tangent: E / (E + 2), E = e^(2|x|) − 1, with the sign of x. Beyond 9.02 it is 1 in float32. */
export function tanh(x: Expression): Expression {
  const held = atMost(abs(x), 9.02);
  const { rest: r, bits } = reduce(add(held, held), 127);
  const power = floatBits(shiftLeft(bits, 23));
  const e = add(mul(expm1OfRest(r), power), sub(power, 1));
  return withSignOf(x, div(e, add(e, 2)));
}
