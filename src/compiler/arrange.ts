import { type Affine, addAffine, coefficient, constantAffine, scaleAffine, substitute, variable } from './affine.js';
import type { Access } from './expression.js';
import type { Axis, Component, ContractionNest, Operand } from './nest.js';
import { mapAffines } from './normalize.js';

/**
 * A contraction as schedules and emitters take it: the operand that is read lane by lane stands right, reductions that run
 * backwards through the left run forwards, and components count up from 0 without gaps where no guard needs their own numbers.
 */
export function arrange(nest: ContractionNest, swap: boolean): ContractionNest {
  const [left, right] = swap ? [nest.right, nest.left] : [nest.left, nest.right];
  const backwards = nest.reductions.filter(({ name }) => {
    const steps = left.components.map(({ index }) => coefficient(index, name));
    return steps.some((step) => step < 0) && steps.every((step) => step <= 0);
  });
  const turned = new Map(
    backwards.map(({ name, size }) => [name, addAffine(constantAffine(size - 1), scaleAffine(variable(name), -1))]),
  );
  return { ...nest, left: tidy(left, turned), right: tidy(right, turned) };
}

function tidy({ components, value }: Operand, turned: ReadonlyMap<string, Affine>): Operand {
  const replaced = new Map<string, Affine>();
  const kept: Component[] = [];
  for (const { name, index: original, extent } of components) {
    let index = substitute(original, turned);
    let scale = 1;
    let shift = 0;
    if (Object.values(index.terms).every((factor) => factor < 0)) {
      shift = (extent ?? 1) - 1;
      scale = -1;
      index = addAffine(constantAffine(shift), scaleAffine(index, -1));
    }
    if (extent === undefined) {
      const common = Object.values(index.terms).reduce(greatestCommonDivisor, 0) || 1;
      shift += scale * index.constant;
      scale *= common;
      index = {
        constant: 0,
        terms: Object.fromEntries(Object.entries(index.terms).map(([axis, factor]) => [axis, factor / common])),
      };
    }
    const isFixed = extent === undefined && Object.keys(index.terms).length === 0;
    if (!isFixed) kept.push({ name, index, extent });
    replaced.set(
      name,
      addAffine(constantAffine(shift), isFixed ? constantAffine(0) : scaleAffine(variable(name), scale)),
    );
  }
  const visit = mapAffines(
    (affine) => substitute(affine, replaced),
    () => false,
  );
  return { components: kept, value: visit(value) };
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? Math.abs(a) : greatestCommonDivisor(b, a % b);

/** The load that an operand is, if it is nothing but a float32 load. */
export function plainLoad({ value }: Operand): Access | undefined {
  return value.kind === 'load' && value.access.dtype === 'float32' && value.access.dynamic.length === 0
    ? value.access
    : undefined;
}

export const isGuarded = ({ components }: Operand): boolean => components.some(({ extent }) => extent !== undefined);

export const usesAxis = ({ components }: Operand, axis: string): boolean =>
  components.some(({ index }) => coefficient(index, axis) !== 0);

/** Elements that a plain operand's address moves by for one step of each axis. */
export function axisStride({ components }: Operand, access: Access, axis: string): number {
  return components.reduce(
    (sum, { name, index }) => sum + coefficient(access.address, name) * coefficient(index, axis),
    0,
  );
}

/** Positions of a component that are touched while each axis runs through its span. */
export const componentSpan = ({ index }: Component, spanOf: (axis: string) => number): number =>
  Object.entries(index.terms).reduce((sum, [axis, factor]) => sum + Math.abs(factor) * (spanOf(axis) - 1), 1);

/** The component that an axis alone runs through one by one. */
export const ownComponent = ({ components }: Operand, axis: string): Component | undefined => {
  const [only, second] = components.filter(({ index }) => coefficient(index, axis) !== 0);
  if (!only || second || Object.keys(only.index.terms).length !== 1 || coefficient(only.index, axis) !== 1)
    return undefined;
  return only;
};

/** The component along which most loads of an operand's expression are contiguous. */
export function contiguousComponent(operand: Operand, loads: readonly Access[]): Component | undefined {
  let best: Component | undefined;
  let most = 0;
  for (const component of operand.components) {
    const count = loads.filter(({ address }) => coefficient(address, component.name) === 1).length;
    if (count > most) [best, most] = [component, count];
  }
  return best;
}

export const sizesOf = (axes: readonly Axis[]): Map<string, number> =>
  new Map(axes.map(({ name, size }) => [name, size]));
