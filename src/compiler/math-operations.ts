import { type Expression, float, int, operation, selectOf } from './expression.js';

/** An operand: plain numbers are constants of the kind that the other operand has. */
export type Operand = Expression | number;

const ofKind = (x: Operand, like: Expression): Expression =>
  typeof x !== 'number' ? x : like.type === 'f32' ? float(Math.fround(x)) : int(x | 0);

export const add = (a: Expression, b: Operand): Expression => operation('add', a, ofKind(b, a));
export const sub = (a: Expression, b: Operand): Expression => operation('sub', a, ofKind(b, a));
export const mul = (a: Expression, b: Operand): Expression => operation('mul', a, ofKind(b, a));
export const div = (a: Expression, b: Operand): Expression => operation('div', a, ofKind(b, a));
export const neg = (a: Expression): Expression => operation('neg', a);
export const abs = (a: Expression): Expression => operation('abs', a);
export const and = (a: Expression, b: Operand): Expression => operation('and', a, ofKind(b, a));
export const or = (a: Expression, b: Operand): Expression => operation('or', a, ofKind(b, a));
export const xor = (a: Expression, b: Operand): Expression => operation('xor', a, ofKind(b, a));
export const shiftLeft = (a: Expression, count: number): Expression => operation('shiftLeft', a, int(count));
export const shiftRight = (a: Expression, count: number): Expression => operation('shiftRight', a, int(count));
export const less = (a: Expression, b: Operand): Expression => operation('less', a, ofKind(b, a));
export const greater = (a: Expression, b: Operand): Expression => operation('greater', a, ofKind(b, a));
export const equal = (a: Expression, b: Operand): Expression => operation('equal', a, ofKind(b, a));
export const notEqual = (a: Expression, b: Operand): Expression => operation('notEqual', a, ofKind(b, a));
export const intBits = (a: Expression): Expression => operation('intBits', a);
export const floatBits = (a: Expression): Expression => operation('floatBits', a);

/** condition ? a : b of floats. */
export const choose = (condition: Expression, a: Operand, b: Operand): Expression =>
  selectOf(
    condition,
    typeof a === 'number' ? float(Math.fround(a)) : a,
    typeof b === 'number' ? float(Math.fround(b)) : b,
  );

/** max(x, low) and min(x, high) that keep NaN; a select, because a machine's `min` rarely lets NaN win by itself. */
export const atLeast = (x: Expression, low: number): Expression => choose(less(x, low), low, x);
export const atMost = (x: Expression, high: number): Expression => choose(greater(x, high), high, x);

/** c[0] + c[1]·x + c[2]·x² + … by Horner's rule. */
export function polynomial(x: Expression, coefficients: readonly number[]): Expression {
  const last = coefficients.length - 1;
  let sum: Expression = float(coefficients[last]!);
  for (let i = last - 1; i >= 0; i--) sum = add(i === last - 1 ? mul(x, sum) : mul(sum, x), coefficients[i]!);
  return sum;
}

const roundingConstant = 1.5 * 2 ** 23;

/**
 * The integer nearest to x, for |x| < 2²²: adding 1.5·2²³ shifts the fraction out, and the low bits of the sum then
 * hold that integer plus `bias`, so that exponents are built from them by a shift alone.
 */
export function nearestInteger(x: Expression, bias = 0): { value: Expression; bits: Expression } {
  const shifted = add(x, roundingConstant + bias);
  return { value: sub(shifted, roundingConstant + bias), bits: intBits(shifted) };
}

/** Bias that lets `scale` halve the biased integer's bits. */
export const halvingBias = 254;

/** x · 2ⁿ by two factors, n from −252 to 254 in `bits` with halvingBias: right into subnormals and up to infinity. */
export function scale(x: Expression, bits: Expression): Expression {
  // ⌊n/2⌋ + 127 and n − ⌊n/2⌋ + 127 in the low nine bits; the shift drops what is above
  const half = shiftRight(bits, 1);
  const rest = sub(bits, half);
  return mul(mul(x, floatBits(shiftLeft(half, 23))), floatBits(shiftLeft(rest, 23)));
}

/** The upper twelve bits of a significand: products of two such halves are exact. */
export const upperHalf = (x: Expression): Expression => floatBits(and(intBits(x), ~0xfff));

/** `magnitude`, which is not negative, with the sign of x. */
export const withSignOf = (x: Expression, magnitude: Expression): Expression =>
  floatBits(or(and(intBits(x), 1 << 31), intBits(magnitude)));
