import type { Affine } from './affine.js';
import type { Axis } from './nest.js';

/** One unknown of a sum: factor · d with d in low … high. */
interface Term {
  readonly factor: number;
  readonly low: number;
  readonly high: number;
  /** Any value will do: it does not tell points apart. */
  readonly isFree: boolean;
}

/** Steps of the search before the answer is "perhaps". */
const searchBudget = 20_000;

const termsOf = ({ terms }: Affine, axes: readonly Axis[], sign: 1 | -1): Term[] =>
  axes.flatMap(({ name, size }) => {
    const factor = sign * (terms[name] ?? 0);
    if (factor === 0) return [];
    return [
      factor > 0
        ? { factor, low: 0, high: size - 1, isFree: false }
        : { factor: -factor, low: 1 - size, high: 0, isFree: false },
    ];
  });

/**
 * Whether Σ factor · d can be `target`, and not only with d = 0 for all that are not free where `isZeroKnown`. Goes from the greatest factor down,
 * and tries only values whose remainder the smaller factors can still make up; `true` when that takes too long.
 */
function canSumTo(terms: readonly Term[], target: number, isZeroKnown: boolean): boolean {
  const ordered = terms.toSorted((a, b) => b.factor - a.factor);
  const reach: { readonly low: number; readonly high: number }[] = [{ low: 0, high: 0 }];
  for (const { factor, low, high } of ordered.toReversed()) {
    const rest = reach[0]!;
    reach.unshift({ low: rest.low + factor * low, high: rest.high + factor * high });
  }
  let budget = searchBudget;
  const search = (i: number, rest: number, isZero: boolean): boolean => {
    if (budget-- <= 0) return true;
    const term = ordered[i];
    if (!term) return rest === 0 && !(isZeroKnown && isZero);
    const below = reach[i + 1]!;
    const first = Math.max(term.low, Math.ceil((rest - below.high) / term.factor));
    const last = Math.min(term.high, Math.floor((rest - below.low) / term.factor));
    for (let d = first; d <= last; d++) {
      if (search(i + 1, rest - d * term.factor, isZero && (d === 0 || term.isFree))) return true;
    }
    return false;
  };
  return search(0, target, true);
}

/** Whether the places that two maps reach over their axes have one in common; in doubt, yes. */
export function mayMeet(a: Affine, aAxes: readonly Axis[], b: Affine, bAxes: readonly Axis[]): boolean {
  if ([...aAxes, ...bAxes].some(({ size }) => size === 0)) return false;
  const terms = [...termsOf(a, aAxes, 1), ...termsOf(b, bAxes, -1)];
  return canSumTo(joined(terms), b.constant - a.constant, false);
}

/** Terms of one factor as one: what they reach together is the same, and the search tries each sum once instead of each pair. */
function joined(terms: readonly Term[]): Term[] {
  const byFactor = new Map<number, Term>();
  for (const term of terms) {
    const known = byFactor.get(term.factor);
    byFactor.set(term.factor, known ? { ...term, low: known.low + term.low, high: known.high + term.high } : term);
  }
  return [...byFactor.values()];
}

/**
 * Whether different points of `axes` have different places, whatever the numbers 0 … size − 1 are that `free` adds, times its
 * factors, to each of them; in doubt, no.
 */
export function isInjective(map: Affine, axes: readonly Axis[], free: readonly FreeTerm[] = []): boolean {
  if (axes.some(({ size }) => size === 0)) return true;
  const wide = axes.filter(({ size }) => size > 1);
  if (wide.some(({ name }) => (map.terms[name] ?? 0) === 0)) return false;
  const spread = (factor: number, size: number, isFree: boolean): Term[] =>
    factor === 0 ? [] : [{ factor: Math.abs(factor), low: 1 - size, high: size - 1, isFree }];
  const own = wide.flatMap(({ name, size }) => spread(map.terms[name]!, size, false));
  return !canSumTo([...own, ...free.flatMap(({ factor, size }) => spread(factor, size, true))], 0, true);
}

export interface FreeTerm {
  readonly factor: number;
  readonly size: number;
}
