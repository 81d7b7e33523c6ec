import type { Expression } from './expression.js';
import { atLeast, atMost, div, mul, polynomial } from './math-operations.js';

/** tanh x / x as P/Q of x², |x| ≤ 9.02: `scripts/fit-math.ts`, 2^-26.8 relative. */
const tanhNumerator = [
  1, 0.13084939122200012, 0.0031050241086632013, 0.00001116665134759387, -2.0282957535755486e-8, 5.3095038782258186e-11,
  -8.57707256455599e-14,
];
const tanhDenominator = [1, 0.46418267488479614, 0.02449933998286724, 0.00025477653252892196];

/** erf x / x likewise, |x| ≤ 3.93: `scripts/fit-math.ts`, 2^-24.2 relative. */
const erfNumerator = [
  1.1283791065216064, 0.20080934464931488, 0.05068955570459366, 0.0037369700148701668, 0.00014250370441004634,
  -0.0000019555263861548156, 1.981720210153526e-8,
];
const erfDenominator = [1, 0.5112942457199097, 0.11536304652690887, 0.01442718505859375, 0.0009639710187911987];

/** x · P(x²) / Q(x²), x held within ±`bound`, beyond which the function is ±1 in float32. */
function oddRational(
  x: Expression,
  bound: number,
  numerator: readonly number[],
  denominator: readonly number[],
): Expression {
  const held = atMost(atLeast(x, -bound), bound);
  const z = mul(held, held);
  return div(mul(held, polynomial(z, numerator)), polynomial(z, denominator));
}

/** Hyperbolic tangent. */
export const tanh = (x: Expression): Expression => oddRational(x, 9.01, tanhNumerator, tanhDenominator);

/** Error function, 2/√π · ∫₀ˣ e^(−t²) dt. */
export const erf = (x: Expression): Expression => oddRational(x, 3.92, erfNumerator, erfDenominator);
