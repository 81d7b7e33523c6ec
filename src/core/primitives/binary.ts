import type { DType } from '../dtype.js';
import { anyType, binary, type Elementwise, floats, integers, numbers } from './elementwise.js';
import { filledLike } from './filled.js';

export const add: Elementwise = binary('add', {
  accepts: numbers,
  reference: (a, b) => a + b,
  gradient: (dy) => [dy, dy],
});
export const sub: Elementwise = binary('sub', {
  accepts: numbers,
  reference: (a, b) => a - b,
  gradient: (dy) => [dy, dy.neg()],
});
export const mul: Elementwise = binary('mul', {
  accepts: numbers,
  reference: (a, b, dtype) => (dtype === 'float32' ? a * b : Math.imul(a, b)),
  gradient: (dy, { a, b }) => [dy.mul(b), dy.mul(a)],
});
/** Quotient; for integers cut towards zero, and 0 where the divisor is 0. */
export const div: Elementwise = binary('div', {
  accepts: numbers,
  reference: (a, b, dtype) => (dtype === 'float32' ? a / b : b === 0 ? 0 : Math.trunc(a / b)),
  gradient: (dy, { b, y }) => {
    const scaled = dy.div(b);
    return [scaled, scaled.mul(y).neg()];
  },
});
/** a^b, NaN for a negative base with a fractional exponent. */
export const pow: Elementwise = binary('pow', {
  accepts: floats,
  // IEEE 754 and C say 1 where JavaScript says NaN: pow(1, NaN), pow(±1, ±∞)
  reference: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b),
  gradient: (dy, { a, b, y }) => {
    const one = filledLike(a, 1);
    // 0·0^(−1) would be NaN where the exponent is 0, and 0·log 0 where the base is
    const exponent = b.equal(0).select(one, b.sub(1));
    return [dy.mul(b).mul(a.pow(exponent)), dy.mul(y).mul(a.equal(0).select(one, a).log())];
  },
});
/** The greater; NaN when either is NaN. Where they are equal the gradient is shared evenly, as PyTorch and JAX do. */
export const max: Elementwise = binary('max', {
  accepts: numbers,
  reference: (a, b) => Math.max(a, b),
  gradient: (dy, { a, b }) => {
    const share = a.greater(b).cast('float32').add(a.equal(b).cast('float32').mul(0.5));
    return [dy.mul(share), dy.mul(share.neg().add(1))];
  },
});
/** The lesser; NaN when either is NaN. */
export const min: Elementwise = binary('min', {
  accepts: numbers,
  reference: (a, b) => Math.min(a, b),
  gradient: (dy, { a, b }) => {
    const share = a.less(b).cast('float32').add(a.equal(b).cast('float32').mul(0.5));
    return [dy.mul(share), dy.mul(share.neg().add(1))];
  },
});
/** Remainder with the divisor's sign: a − ⌊a/b⌋·b, as NumPy and Python have it. For integers 0 where the divisor is 0. */
export const mod: Elementwise = binary('mod', {
  accepts: numbers,
  reference: (a, b, dtype) => {
    if (b === 0) return dtype === 'float32' ? Number.NaN : 0;
    const rest = a % b;
    return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
  },
  gradient: (dy, { a, b }) => [dy, dy.mul(a.div(b).floor()).neg()],
});

/** Shifts count modulo 32, as the machine does. */
export const shiftLeft: Elementwise = binary('shiftLeft', { accepts: ['int32'], reference: (a, b) => a << b });
export const shiftRight: Elementwise = binary('shiftRight', { accepts: ['int32'], reference: (a, b) => a >> b });
export const shiftRightLogical: Elementwise = binary('shiftRightLogical', {
  accepts: ['int32'],
  reference: (a, b) => a >>> b,
});

/** Bitwise for integers, logical for bool. */
const bits: readonly DType[] = [...integers, 'bool'];
export const and: Elementwise = binary('and', { accepts: bits, reference: (a, b) => a & b });
export const or: Elementwise = binary('or', { accepts: bits, reference: (a, b) => a | b });
export const xor: Elementwise = binary('xor', { accepts: bits, reference: (a, b) => a ^ b });

export const equal: Elementwise = binary('equal', {
  accepts: anyType,
  result: 'bool',
  reference: (a, b) => Number(a === b),
});
export const notEqual: Elementwise = binary('notEqual', {
  accepts: anyType,
  result: 'bool',
  reference: (a, b) => Number(a !== b),
});
export const less: Elementwise = binary('less', {
  accepts: numbers,
  result: 'bool',
  reference: (a, b) => Number(a < b),
});
export const lessEqual: Elementwise = binary('lessEqual', {
  accepts: numbers,
  result: 'bool',
  reference: (a, b) => Number(a <= b),
});
export const greater: Elementwise = binary('greater', {
  accepts: numbers,
  result: 'bool',
  reference: (a, b) => Number(a > b),
});
export const greaterEqual: Elementwise = binary('greaterEqual', {
  accepts: numbers,
  result: 'bool',
  reference: (a, b) => Number(a >= b),
});
