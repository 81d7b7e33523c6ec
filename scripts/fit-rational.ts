/** What to approximate by P(z) / Q(z), Q(0) = 1. */
export interface Fit {
  readonly target: (z: number) => number;
  /** The error is weighted so: 1 / target for the relative error, and so on. */
  readonly weight: (z: number) => number;
  readonly from: number;
  readonly to: number;
  /** Degrees. */
  readonly numerator: number;
  readonly denominator: number;
  /** P(0), where it is given. */
  readonly first?: number;
}

export interface FittedRational {
  readonly numerator: readonly number[];
  readonly denominator: readonly number[];
  /** Largest weighted error with the rounded coefficients, evaluated in float64. */
  readonly error: number;
}

const points = 240;
const rounds = 150;

/** The minimax fit with float32 coefficients: each is rounded in turn, and those not yet rounded are fitted again. */
export function fitRational(fit: Fit): FittedRational {
  const { numerator, denominator, first } = fit;
  const count = numerator + 1 + denominator;
  const fixed: (number | undefined)[] = new Array(count).fill(undefined);
  if (first !== undefined) fixed[0] = first;
  // p0, then q1, p1, q2, p2 …: what weighs most is rounded first
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => power(a) - power(b));
  function power(i: number): number {
    return i <= numerator ? i : i - numerator - 0.5;
  }
  let best = { coefficients: new Array<number>(count).fill(0), error: 0 };
  best = lawson(fit, fixed);
  for (const i of order) {
    fixed[i] = Math.fround(best.coefficients[i]!);
    best = lawson(fit, fixed);
  }
  return {
    numerator: best.coefficients.slice(0, numerator + 1),
    denominator: [1, ...best.coefficients.slice(numerator + 1)],
    error: best.error,
  };
}

/**
 * Lawson's algorithm: weighted least squares whose weights grow where the error is large, which tends to the minimax
 * fit; the rational problem is made linear by dividing by the denominator of the round before.
 *
 * @see Lawson 1961; Nakatsukasa, Sète, Trefethen 2018, "The AAA algorithm", section 8 for the rational form
 */
function lawson(fit: Fit, fixed: readonly (number | undefined)[]): { coefficients: number[]; error: number } {
  const { target, weight, from, to, numerator } = fit;
  const zs = Array.from({ length: points }, (_, i) => {
    const c = (1 - Math.cos((Math.PI * (i + 0.5)) / points)) / 2;
    return from + (to - from) * c;
  });
  const scale = Math.max(Math.abs(from), Math.abs(to));
  const free = fixed.flatMap((value, i) => (value === undefined ? [i] : []));
  const values = zs.map(target);
  const weights = zs.map(weight);
  const column = (i: number, at: number): number =>
    i <= numerator ? (zs[at]! / scale) ** i : -values[at]! * (zs[at]! / scale) ** (i - numerator);
  const scaleOf = (i: number): number => scale ** (i <= numerator ? i : i - numerator);
  const lawsonWeights = new Array<number>(points).fill(1);
  let denominators = new Array<number>(points).fill(1);
  let best: { coefficients: number[]; error: number } | undefined;
  for (let round = 0; round < rounds; round++) {
    const rows = zs.map((_, at) => {
      const factor = (weights[at]! * Math.sqrt(lawsonWeights[at]!)) / denominators[at]!;
      const known = fixed.reduce<number>(
        (sum, value, i) => (value === undefined ? sum : sum + value * scaleOf(i) * column(i, at)),
        0,
      );
      return [...free.map((i) => factor * column(i, at)), factor * (values[at]! - known)];
    });
    const solution = leastSquares(rows, free.length);
    const coefficients = fixed.map((value, i) => value ?? solution[free.indexOf(i)]! / scaleOf(i));
    denominators = zs.map((z) => coefficients.slice(numerator + 1).reduce((sum, q, i) => sum + q * z ** (i + 1), 1));
    const errors = zs.map((z, at) => {
      const p = coefficients.slice(0, numerator + 1).reduce((sum, c, i) => sum + c * z ** i, 0);
      return Math.abs(weights[at]! * (p / denominators[at]! - values[at]!));
    });
    const error = Math.max(...errors);
    if (!best || error < best.error) best = { coefficients, error };
    if (free.length === 0 || error === 0) break;
    for (let at = 0; at < points; at++) lawsonWeights[at]! *= errors[at]! / error + 1e-12;
    const largest = Math.max(...lawsonWeights);
    for (let at = 0; at < points; at++) lawsonWeights[at]! /= largest;
  }
  return best!;
}

/** Least squares by Householder reflections; each row ends in its right-hand side. */
function leastSquares(rows: number[][], columns: number): number[] {
  for (let k = 0; k < columns; k++) {
    let norm = 0;
    for (let i = k; i < rows.length; i++) norm += rows[i]![k]! ** 2;
    norm = Math.sqrt(norm);
    if (norm === 0) continue;
    const alpha = rows[k]![k]! > 0 ? -norm : norm;
    const v = rows.slice(k).map((row) => row[k]!);
    v[0]! -= alpha;
    const length = v.reduce((sum, x) => sum + x * x, 0);
    for (let j = k; j <= columns; j++) {
      let dot = 0;
      for (let i = 0; i < v.length; i++) dot += v[i]! * rows[k + i]![j]!;
      const factor = (2 * dot) / length;
      for (let i = 0; i < v.length; i++) rows[k + i]![j]! -= factor * v[i]!;
    }
  }
  const solution = new Array<number>(columns).fill(0);
  for (let k = columns - 1; k >= 0; k--) {
    let sum = rows[k]![columns]!;
    for (let j = k + 1; j < columns; j++) sum -= rows[k]![j]! * solution[j]!;
    solution[k] = sum / rows[k]![k]!;
  }
  return solution;
}
