import { type Affine, addAffine, coefficient, constantAffine, scaleAffine, substitute, variable } from './affine.js';
import { type Access, loadsOf } from './expression.js';
import type { Axis, Component, ContractionNest, Operand } from './nest.js';
import { mapAffines } from './normalize.js';

/**
 * A contraction as schedules and emitters take it: the operand that is read lane by lane stands right, reductions that run
 * backwards through the nest's left run forwards, and components count up from 0 without gaps where no guard needs their own numbers.
 */
export function arrange(nest: ContractionNest, swap: boolean): ContractionNest {
  const [left, right] = swap ? [nest.right, nest.left] : [nest.left, nest.right];
  // by the nest's own left: the order of the sums must not depend on which operand stands where
  const backwards = nest.reductions.filter(({ name }) => {
    const steps = nest.left.components.map(({ index }) => coefficient(index, name));
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

/** The load that stands for an operand's layout: the one that more components move than any other. */
export function mainLoad({ components, value }: Operand): Access | undefined {
  const reach = ({ address }: Access): number =>
    components.filter(({ name }) => coefficient(address, name) !== 0).length;
  return loadsOf([value]).reduce<Access | undefined>(
    (best, access) => (best && reach(best) >= reach(access) ? best : access),
    undefined,
  );
}

/** Whether neighbours on an axis are neighbours in an operand's main load. */
export function isContiguous(operand: Operand, axis: string): boolean {
  const access = mainLoad(operand);
  return access !== undefined && axisStride(operand, access, axis) === 1;
}

export const sizesOf = (axes: readonly Axis[]): Map<string, number> =>
  new Map(axes.map(({ name, size }) => [name, size]));
