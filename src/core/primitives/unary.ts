import { type Elementwise, floats, numbers, unary } from './elementwise.js';
import { erfReference } from './special.js';

export const neg: Elementwise = unary('neg', { accepts: numbers, reference: (x) => -x, gradient: (dy) => dy.neg() });
export const exp: Elementwise = unary('exp', {
  accepts: floats,
  reference: Math.exp,
  gradient: (dy, { y }) => dy.mul(y),
});
export const expm1: Elementwise = unary('expm1', {
  accepts: floats,
  reference: Math.expm1,
  gradient: (dy, { y }) => dy.mul(y.add(1)),
});
export const log: Elementwise = unary('log', {
  accepts: floats,
  reference: Math.log,
  gradient: (dy, { x }) => dy.div(x),
});
export const log1p: Elementwise = unary('log1p', {
  accepts: floats,
  reference: Math.log1p,
  gradient: (dy, { x }) => dy.div(x.add(1)),
});
export const sqrt: Elementwise = unary('sqrt', {
  accepts: floats,
  reference: Math.sqrt,
  gradient: (dy, { y }) => dy.mul(0.5).div(y),
});
export const rsqrt: Elementwise = unary('rsqrt', {
  accepts: floats,
  reference: (x) => 1 / Math.sqrt(x),
  gradient: (dy, { x, y }) => dy.mul(-0.5).mul(y).div(x),
});
export const sin: Elementwise = unary('sin', {
  accepts: floats,
  reference: Math.sin,
  gradient: (dy, { x }) => dy.mul(x.cos()),
});
export const cos: Elementwise = unary('cos', {
  accepts: floats,
  reference: Math.cos,
  gradient: (dy, { x }) => dy.mul(x.sin()).neg(),
});
export const tanh: Elementwise = unary('tanh', {
  accepts: floats,
  reference: Math.tanh,
  gradient: (dy, { y }) => dy.mul(y.mul(y).neg().add(1)), // 1 − tanh²(x), from the output: nothing is recomputed
});
export const erf: Elementwise = unary('erf', {
  accepts: floats,
  reference: erfReference,
  gradient: (dy, { x }) => dy.mul(x.mul(x).neg().exp()).mul(2 / Math.sqrt(Math.PI)),
});
export const sigmoid: Elementwise = unary('sigmoid', {
  accepts: floats,
  reference: (x) => 1 / (1 + Math.exp(-x)),
  gradient: (dy, { y }) => dy.mul(y).mul(y.neg().add(1)),
});
export const floor: Elementwise = unary('floor', { accepts: floats, reference: Math.floor });
/** To the nearest integer, halves to the even one (IEEE 754 roundTiesToEven, as NumPy). */
export const round: Elementwise = unary('round', {
  accepts: floats,
  reference: (x) => {
    const below = Math.floor(x);
    const rest = x - below;
    if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
    return below % 2 === 0 ? below : below + 1;
  },
});
export const abs: Elementwise = unary('abs', {
  accepts: numbers,
  reference: Math.abs,
  gradient: (dy, { x }) => dy.mul(x.sign()),
});
/** −1, 0 or 1; NaN stays NaN. */
export const sign: Elementwise = unary('sign', { accepts: numbers, reference: Math.sign });
/** Logical not. */
export const not: Elementwise = unary('not', { accepts: ['bool'], reference: (x) => (x === 0 ? 1 : 0) });
