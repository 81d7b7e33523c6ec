import { type Affine, substitute } from './affine.js';
import { type Bound, type Expression, operation } from './expression.js';
import type { ContractionNest, LoopNest, Operand } from './nest.js';
import { mapAffines } from './normalize.js';

/** A contraction as a plain loop nest: for those that no tile fits, and to show what it means. */
export function contractionAsLoop({ name, axes, reductions, left, right, stores }: ContractionNest): LoopNest {
  const product = operation('mul', factor(left), factor(right));
  const bounds = [...boundsOf(left), ...boundsOf(right)];
  const value: Expression =
    bounds.length === 0 ? product : { kind: 'guard', type: 'f32', bounds, inside: product, outside: 0 };
  return {
    kind: 'loop',
    name,
    axes,
    reductions,
    ordered: undefined,
    accumulators: [{ combine: 'sum', type: 'f32', value }],
    stores,
  };
}

/** The operand's value over the loops' axes instead of its own components. */
function factor({ components, value }: Operand): Expression {
  const places = new Map<string, Affine>(components.map(({ name, index }) => [name, index]));
  return mapAffines(
    (affine) => substitute(affine, places),
    () => false,
  )(value);
}

const boundsOf = ({ components }: Operand): Bound[] =>
  components.flatMap(({ index, extent }) => (extent === undefined ? [] : [{ index, extent }]));
