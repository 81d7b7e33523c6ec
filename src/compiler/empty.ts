import { constantOf, type Expression, operation, type ScalarType, selectOf } from './expression.js';
import type { CombineOp, Nest, Store } from './nest.js';

/** Whether a nest has a point at all. */
export const hasPoints = (nest: Nest): boolean =>
  nest.axes.every(({ size }) => size > 0) && (nest.kind === 'contraction' || nest.ordered?.size !== 0);

/** What is gathered from nothing. */
export function identityOf(combine: CombineOp, type: ScalarType): number {
  switch (combine) {
    case 'sum':
    case 'argmax':
    case 'argmin':
      return 0;
    case 'prod':
      return 1;
    case 'max':
      return type === 'f32' ? Number.NEGATIVE_INFINITY : -2147483648;
    case 'min':
      return type === 'f32' ? Number.POSITIVE_INFINITY : 2147483647;
  }
}

/** A nest that reduces over nothing, with what that gives in place of its accumulators: whoever takes nests meets no empty loop. */
export function withoutEmptyReductions(nest: Nest): Nest {
  if (nest.reductions.every(({ size }) => size > 0)) return nest;
  const constants =
    nest.kind === 'contraction'
      ? [constantOf(0, 'f32')]
      : nest.accumulators.map(({ combine, type }) => {
          const isPosition = combine === 'argmax' || combine === 'argmin';
          return constantOf(identityOf(combine, type), isPosition ? 'i32' : type);
        });
  const visit = replacing(constants);
  const stores = nest.stores.map(
    ({ access, value, mode }): Store => ({
      access: { ...access, dynamic: access.dynamic.map((index) => ({ ...index, value: visit(index.value) })) },
      value: visit(value),
      mode,
    }),
  );
  const ordered = nest.kind === 'loop' ? nest.ordered : undefined;
  return { kind: 'loop', name: nest.name, axes: nest.axes, reductions: [], ordered, accumulators: [], stores };
}

/** Expressions with constants in place of accumulators; shared parts stay shared. */
function replacing(constants: readonly Expression[]): (expression: Expression) => Expression {
  const made = new Map<Expression, Expression>();
  const visit = (old: Expression): Expression => {
    let result = made.get(old);
    if (!result) {
      result = rebuild(old);
      made.set(old, result);
    }
    return result;
  };
  const rebuild = (old: Expression): Expression => {
    switch (old.kind) {
      case 'constant':
      case 'index':
        return old;
      case 'accumulator':
        return constants[old.number]!;
      case 'load': {
        const dynamic = old.access.dynamic.map((index) => ({ ...index, value: visit(index.value) }));
        return { ...old, access: { ...old.access, dynamic } };
      }
      case 'operation':
        return operation(old.op, ...(old.operands.map(visit) as [Expression, ...Expression[]]));
      case 'select':
        return selectOf(visit(old.operands[0]), visit(old.operands[1]), visit(old.operands[2]));
      case 'guard':
        return { ...old, inside: visit(old.inside) };
    }
  };
  return visit;
}
