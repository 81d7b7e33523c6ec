/** constant + Σ terms[name] · name, over loop axes (or, inside an operand, over its components). Zero coefficients are left out. */
export interface Affine {
  readonly constant: number;
  readonly terms: Readonly<Record<string, number>>;
}

export const constantAffine = (constant: number): Affine => ({ constant, terms: {} });

export const variable = (name: string): Affine => ({ constant: 0, terms: { [name]: 1 } });

export const coefficient = (affine: Affine, name: string): number => affine.terms[name] ?? 0;

export function addAffine(a: Affine, b: Affine): Affine {
  const terms: Record<string, number> = { ...a.terms };
  for (const [name, value] of Object.entries(b.terms)) {
    const sum = (terms[name] ?? 0) + value;
    if (sum === 0) delete terms[name];
    else terms[name] = sum;
  }
  return { constant: a.constant + b.constant, terms };
}

export function scaleAffine(a: Affine, factor: number): Affine {
  if (factor === 0) return constantAffine(0);
  return {
    constant: a.constant * factor,
    terms: Object.fromEntries(Object.entries(a.terms).map(([name, value]) => [name, value * factor])),
  };
}

/** Σ indices[i] · weights[i]. */
export const combine = (indices: readonly Affine[], weights: readonly number[]): Affine =>
  indices.reduce((sum, index, i) => addAffine(sum, scaleAffine(index, weights[i]!)), constantAffine(0));

/** The affine with each variable replaced by what `values` has for it. */
export const substitute = (affine: Affine, values: ReadonlyMap<string, Affine>): Affine =>
  Object.entries(affine.terms).reduce(
    (sum, [name, factor]) => addAffine(sum, scaleAffine(values.get(name) ?? variable(name), factor)),
    constantAffine(affine.constant),
  );

/** Least and greatest value while each variable runs from 0 to its size − 1. */
export function rangeOf(affine: Affine, sizes: ReadonlyMap<string, number>): readonly [low: number, high: number] {
  let low = affine.constant;
  let high = affine.constant;
  for (const [name, factor] of Object.entries(affine.terms)) {
    const reach = factor * ((sizes.get(name) ?? 1) - 1);
    if (reach < 0) low += reach;
    else high += reach;
  }
  return [low, high];
}

export const printAffine = ({ constant, terms }: Affine): string => {
  const parts = Object.entries(terms).map(([name, factor]) => (factor === 1 ? name : `${factor}${name}`));
  return [...parts, ...(constant !== 0 || parts.length === 0 ? [`${constant}`] : [])].join('+').replaceAll('+-', '-');
};
