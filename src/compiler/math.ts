/**
 * Functions of one or two lanes, made only of what machines do lane by lane, so that every backend computes the same
 * bits. Products and sums are rounded each for itself (nothing is contracted to a fused multiply-add), which the
 * compensated steps rely on. `docs/numerics.md` has the measured errors.
 */
import { type Expression, float, operation } from './expression.js';
import { choose, div, greater, less } from './math-operations.js';

export { erf } from './math-erf.js';
export { exp, expm1, sigmoid, tanh } from './math-exp.js';
export { log, log1p } from './math-log.js';
export { modFloat, modInt } from './math-mod.js';
export { pow } from './math-pow.js';
export { philox, randomWord } from './math-random.js';
export { cos, sin } from './math-trigonometric.js';

/** 1 / √x, by a root and a quotient that are both correctly rounded. */
export const rsqrt = (x: Expression): Expression => div(float(1), operation('sqrt', x));

/** −1 or 1; x itself where it is ±0 or NaN. */
export const sign = (x: Expression): Expression => choose(greater(x, 0), 1, choose(less(x, 0), -1, x));
