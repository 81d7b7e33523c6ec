import { type Expression, float } from './expression.js';
import { abs, add, choose, div, less, mul, polynomial, sub, withSignOf } from './math-operations.js';

const border = 1.25;
/** erf x / x − 1 as a function of x², |x| ≤ border: `scripts/fit-math.ts`, 2^-25.1 of erf. */
const innerTail = [0.12837914, -0.3761246, 0.11282037, -0.026800688, 0.0051048575, -0.0007397313, 0.00006141921];
/** (1 − erf x)^(−1/16), border ≤ x ≤ 4: `scripts/fit-math.ts`, 2^-24.7 of erf. */
const outerRoot = [0.99729764, 0.079743274, 0.029544648, 0.018306596, -0.0032682593, 0.0009140029];

/**
 * Error function, 2/√π · ∫₀ˣ e^(−t²) dt. Outside ±border 1 − 1/q¹⁶ with a polynomial q, without an exponential.
 *
 * @see Hastings 1955, "Approximations for digital computers", sheet 43, for the form outside
 */
export function erf(x: Expression): Expression {
  const inner = add(x, mul(x, polynomial(mul(x, x), innerTail)));
  const magnitude = abs(x);
  let power = polynomial(magnitude, outerRoot);
  for (let i = 0; i < 4; i++) power = mul(power, power);
  const outer = withSignOf(x, sub(float(1), div(float(1), power)));
  return choose(less(magnitude, border), inner, outer);
}
