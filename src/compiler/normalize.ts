import { type Affine, coefficient, rangeOf } from './affine.js';
import { withoutEmptyReductions } from './empty.js';
import { type Access, type Expression, operation, selectOf, walk } from './expression.js';
import type { Axis, Component, ContractionNest, LoopNest, Nest, Operand } from './nest.js';

/**
 * The same nest in a simpler form: no reductions over nothing, guards that cannot fail are gone, and neighbouring axes that
 * every map runs through alike are one.
 */
export function normalize(nest: Nest): Nest {
  const full = withoutEmptyReductions(nest);
  return full.kind === 'loop' ? normalizeLoop(full) : normalizeContraction(full);
}

const sizesOf = (axes: readonly Axis[]): Map<string, number> => new Map(axes.map(({ name, size }) => [name, size]));

/** An expression with every affine in it changed, and guards that became empty removed; shared parts stay shared. */
export function mapAffines(
  change: (affine: Affine) => Affine,
  isCertain: (affine: Affine, extent: number) => boolean,
): (expression: Expression) => Expression {
  const made = new Map<Expression, Expression>();
  const access = (old: Access): Access => ({
    ...old,
    address: change(old.address),
    dynamic: old.dynamic.map((index) => ({ ...index, value: visit(index.value) })),
  });
  const visit = (old: Expression): Expression => {
    const known = made.get(old);
    if (known) return known;
    const result = rebuild(old);
    made.set(old, result);
    return result;
  };
  const rebuild = (old: Expression): Expression => {
    switch (old.kind) {
      case 'constant':
      case 'accumulator':
        return old;
      case 'index':
        return { ...old, index: change(old.index) };
      case 'load':
        return { ...old, access: access(old.access) };
      case 'operation':
        return operation(old.op, ...(old.operands.map(visit) as [Expression, ...Expression[]]));
      case 'select':
        return selectOf(visit(old.operands[0]), visit(old.operands[1]), visit(old.operands[2]));
      case 'guard': {
        const bounds = old.bounds
          .filter(({ index, extent }) => !isCertain(index, extent))
          .map(({ index, extent }) => ({ index: change(index), extent }));
        const inside = visit(old.inside);
        return bounds.length === 0 ? inside : { ...old, bounds, inside };
      }
    }
  };
  return visit;
}

/** Every affine of an expression. */
function affinesOf(roots: readonly Expression[]): Affine[] {
  return walk(roots).flatMap((expression) => {
    switch (expression.kind) {
      case 'index':
        return [expression.index];
      case 'load':
        return [expression.access.address];
      case 'guard':
        return expression.bounds.map(({ index }) => index);
      default:
        return [];
    }
  });
}

const storeRoots = ({ stores }: Nest): Expression[] =>
  stores.flatMap(({ value, access }) => [value, ...access.dynamic.map((index) => index.value)]);
const storeAffines = (nest: Nest): Affine[] => [
  ...nest.stores.map(({ access }) => access.address),
  ...affinesOf(storeRoots(nest)),
];

/** Pairs of neighbours in one list of axes that can become one: outer = inner · size everywhere. */
function mergeable(
  axes: readonly Axis[],
  affines: readonly Affine[],
  mayMerge: (outer: Axis, inner: Axis) => boolean = () => true,
): readonly [outer: Axis, inner: Axis] | undefined {
  for (let i = axes.length - 2; i >= 0; i--) {
    const [outer, inner] = [axes[i]!, axes[i + 1]!];
    if (
      affines.every((affine) => coefficient(affine, outer.name) === coefficient(affine, inner.name) * inner.size) &&
      mayMerge(outer, inner)
    )
      return [outer, inner];
  }
  return undefined;
}

const merge = (axes: readonly Axis[], outer: Axis, inner: Axis): Axis[] =>
  axes
    .filter((axis) => axis !== outer)
    .map((axis) => (axis === inner ? { name: inner.name, size: inner.size * outer.size } : axis));

const drop =
  (name: string) =>
  (affine: Affine): Affine => {
    if (!(name in affine.terms)) return affine;
    const { [name]: _, ...terms } = affine.terms;
    return { constant: affine.constant, terms };
  };

function rewriteStores(
  nest: Nest,
  visit: (expression: Expression) => Expression,
  change: (affine: Affine) => Affine,
): Nest['stores'] {
  return nest.stores.map(({ access, value, mode }) => ({
    access: {
      ...access,
      address: change(access.address),
      dynamic: access.dynamic.map((index) => ({ ...index, value: visit(index.value) })),
    },
    value: visit(value),
    mode,
  }));
}

function normalizeLoop(nest: LoopNest): LoopNest {
  const sizes = sizesOf([...nest.axes, ...nest.reductions, ...(nest.ordered ? [nest.ordered] : [])]);
  const isCertain = (affine: Affine, extent: number): boolean => {
    const [low, high] = rangeOf(affine, sizes);
    return low >= 0 && high < extent;
  };
  let current = rewriteLoop(nest, (affine) => affine, isCertain);
  for (;;) {
    const values = current.accumulators.flatMap(({ value, position }) => [
      ...affinesOf([value]),
      ...(position ? [position] : []),
    ]);
    const affines = [...values, ...storeAffines(current)];
    const pair = mergeable(current.axes, affines) ?? mergeable(current.reductions, affines);
    if (!pair) return current;
    const [outer, inner] = pair;
    const merged = rewriteLoop(current, drop(outer.name), () => false);
    current = { ...merged, axes: merge(merged.axes, outer, inner), reductions: merge(merged.reductions, outer, inner) };
  }
}

function rewriteLoop(
  nest: LoopNest,
  change: (affine: Affine) => Affine,
  isCertain: (affine: Affine, extent: number) => boolean,
): LoopNest {
  const visit = mapAffines(change, isCertain);
  return {
    ...nest,
    accumulators: nest.accumulators.map(({ value, position, ...rest }) => ({
      ...rest,
      value: visit(value),
      ...(position && { position: change(position) }),
    })),
    stores: rewriteStores(nest, visit, change),
  };
}

function normalizeContraction(nest: ContractionNest): ContractionNest {
  const sizes = sizesOf([...nest.axes, ...nest.reductions]);
  const withoutCertainGuards = ({ components, value }: Operand): Operand => ({
    value,
    components: components.map((component) => {
      const [low, high] = rangeOf(component.index, sizes);
      return component.extent !== undefined && low >= 0 && high < component.extent
        ? { ...component, extent: undefined }
        : component;
    }),
  });
  let current: ContractionNest = {
    ...nest,
    left: withoutCertainGuards(nest.left),
    right: withoutCertainGuards(nest.right),
  };
  for (;;) {
    const stores = storeAffines(current);
    const fits = (outer: Axis, inner: Axis): boolean =>
      [current.left, current.right].every((operand) => isOneRun(operand, outer, inner));
    const pair = mergeable(current.axes, stores, fits) ?? mergeable(current.reductions, [], fits);
    if (!pair) return current;
    const [outer, inner] = pair;
    const change = drop(outer.name);
    current = {
      ...current,
      axes: merge(current.axes, outer, inner),
      reductions: merge(current.reductions, outer, inner),
      left: joinComponents(current.left, outer),
      right: joinComponents(current.right, outer),
      stores: rewriteStores(
        current,
        mapAffines(change, () => false),
        change,
      ),
    };
  }
}

const uses = ({ components }: Operand, { name }: Axis): Component[] =>
  components.filter(({ index }) => coefficient(index, name) !== 0);
const isAxisAlone = ({ index, extent }: Component): boolean =>
  extent === undefined &&
  index.constant === 0 &&
  Object.values(index.terms).length === 1 &&
  Object.values(index.terms)[0] === 1;

/** Whether two axes are neighbouring components of an operand that every load runs through alike (or neither is there). */
function isOneRun(operand: Operand, outer: Axis, inner: Axis): boolean {
  const [a, b] = [uses(operand, outer), uses(operand, inner)];
  if (a.length === 0 && b.length === 0) return true;
  if (a.length !== 1 || b.length !== 1 || !isAxisAlone(a[0]!) || !isAxisAlone(b[0]!)) return false;
  return affinesOf([operand.value]).every(
    (affine) => coefficient(affine, a[0]!.name) === coefficient(affine, b[0]!.name) * inner.size,
  );
}

function joinComponents(operand: Operand, outer: Axis): Operand {
  const [gone] = uses(operand, outer);
  if (!gone) return operand;
  return {
    components: operand.components.filter((component) => component !== gone),
    value: mapAffines(drop(gone.name), () => false)(operand.value),
  };
}
