/**
 * Prints the polynomials and rational functions of src/compiler/math*.ts: minimax fits in float64, rounded to float32
 * one coefficient after the other, lowest power first, the rest fitted again after each.
 *
 * node dist/scripts/fit-math.js
 */
import { erfReference } from '../src/core/primitives/special.js';
import { type Fit, fitRational } from './fit-rational.js';

const { LN2, log, log1p, exp, expm1, sin, cos, PI, SQRT2 } = Math;
const slack = 1.001; // the reduction's rounding leads a little past the interval

/** log(1 + f) = 2·artanh(s) with s = f / (2 + f); the quotient (2·artanh(s) − 2s) / s³ as a function of z = s². */
const artanhTail = (z: number): number => {
  if (z < 1e-4) return 2 / 3 + z * (2 / 5 + z * (2 / 7 + (z * 2) / 9));
  const s = Math.sqrt(z);
  return (log1p(s) - log1p(-s) - 2 * s) / (s * z);
};
const largestS = ((SQRT2 - 1) / (SQRT2 + 1)) * slack;

/** sin and cos: x·2/π is rounded before it is rounded to an integer, for large x by up to 0.005. */
const largestAngle = (PI / 2) * 0.505;
/** Where erf changes from one form to the other. */
const erfBorder = 1.25;
const erfQuotient = (z: number): number =>
  z < 1e-6 ? (2 / Math.sqrt(PI)) * (1 - z / 3) : erfReference(Math.sqrt(z)) / Math.sqrt(z);
/** 1 − erf x, by its continued fraction where the difference would cancel (Abramowitz & Stegun 7.1.14). */
function erfcReference(x: number): number {
  if (x < 2) return 1 - erfReference(x);
  let fraction = x;
  for (let n = 80; n >= 1; n--) fraction = x + n / 2 / fraction;
  return exp(-x * x) / (Math.sqrt(PI) * fraction);
}

const fits: Readonly<Record<string, Fit>> = {
  'exp: (eʳ − 1 − r) / r²': {
    target: (r) => (expm1(r) - r) / (r * r),
    weight: (r) => (r * r) / exp(r),
    from: (-LN2 / 2) * slack,
    to: (LN2 / 2) * slack,
    numerator: 3,
    denominator: 0,
  },
  'expm1: (eʳ − 1 − r) / r²': {
    target: (r) => (expm1(r) - r) / (r * r),
    weight: (r) => (r * r) / expm1(r),
    from: (-LN2 / 2) * slack,
    to: (LN2 / 2) * slack,
    numerator: 4,
    denominator: 0,
  },
  'exp2 for pow: (2ʳ − 1) / r': {
    target: (r) => expm1(r * LN2) / r,
    weight: (r) => r / exp(r * LN2),
    from: -0.5 * slack,
    to: 0.5 * slack,
    numerator: 5,
    denominator: 0,
  },
  'log: (2·artanh(s) − 2s) / s³ of z = s²': {
    target: artanhTail,
    weight: (z) => z,
    from: 0,
    to: largestS ** 2,
    numerator: 2,
    denominator: 0,
  },
  'log2 for pow: the same / log 2': {
    target: (z) => artanhTail(z) / LN2,
    weight: (z) => z,
    from: 0,
    to: largestS ** 2,
    numerator: 3,
    denominator: 0,
  },
  'sin: (sin r / r − 1) / r² of z = r²': {
    target: (z) => (z < 1e-6 ? -1 / 6 + z / 120 : (sin(Math.sqrt(z)) / Math.sqrt(z) - 1) / z),
    weight: (z) => z,
    from: 0,
    to: largestAngle ** 2,
    numerator: 2,
    denominator: 0,
  },
  'cos: (cos r − 1 + r²/2) / r⁴ of z = r²': {
    target: (z) => (z < 1e-3 ? 1 / 24 - z / 720 + (z * z) / 40320 : (cos(Math.sqrt(z)) - 1 + z / 2) / (z * z)),
    weight: (z) => z * z,
    from: 0,
    to: largestAngle ** 2,
    numerator: 2,
    denominator: 0,
  },
  'erf: erf x / x − 1 of z = x², |x| ≤ 1.25': {
    target: (z) => erfQuotient(z) - 1,
    weight: (z) => 1 / erfQuotient(z),
    from: 0,
    to: erfBorder ** 2,
    numerator: 6,
    denominator: 0,
  },
  'erf: (1 − erf x)^(−1/16), x ≥ 1.25': {
    target: (x) => erfcReference(x) ** (-1 / 16),
    weight: (x) => (16 * erfcReference(x) ** (17 / 16)) / erfReference(x),
    from: erfBorder,
    to: 4,
    numerator: 5,
    denominator: 0,
  },
};

for (const [name, fit] of Object.entries(fits)) {
  const { numerator, denominator, error } = fitRational(fit);
  console.log(`${name}\n  largest error ${error.toExponential(2)} = 2^${(log(error) / LN2).toFixed(1)}`);
  console.log(`  [${numerator.join(', ')}]${denominator.length > 1 ? `\n  / [${denominator.join(', ')}]` : ''}`);
}
