import type { DType } from '../core/index.js';
import { type Affine, printAffine } from './affine.js';
import { type Access, type Expression, printAccess, printExpression, type ScalarType } from './expression.js';

/** One loop: a name that maps use, and how often it runs. */
export interface Axis {
  readonly name: string;
  readonly size: number;
}

/** Where a result goes. `add` adds to what is there (in the order of the ordered axis). */
export interface Store {
  readonly access: Access;
  readonly value: Expression;
  readonly mode: 'set' | 'add';
}

export type CombineOp = 'sum' | 'prod' | 'max' | 'min' | 'argmax' | 'argmin';

/** What is gathered over the reduction axes. argmax and argmin keep the `position` of the best value, the first of equals. */
export interface Accumulator {
  readonly combine: CombineOp;
  /** Type of the value; argmax and argmin result in i32 whatever it is. */
  readonly type: ScalarType;
  readonly value: Expression;
  readonly position?: Affine;
}

/**
 * Elementwise chains, reductions, windows, gathers: at each point of `axes` the accumulators run over `reductions`, then the
 * stores are evaluated. With an `ordered` axis the stores are evaluated at each of its points, in its order, the accumulators
 * holding what they have gathered so far (running sums, scatter-add).
 */
export interface LoopNest {
  readonly kind: 'loop';
  readonly name: string;
  /** Outer to inner; every point is independent. */
  readonly axes: readonly Axis[];
  readonly reductions: readonly Axis[];
  readonly ordered: Axis | undefined;
  readonly accumulators: readonly Accumulator[];
  readonly stores: readonly Store[];
}

/** One axis of an operand's own index space: index = an affine of the loop axes. With an extent, what lies outside 0 … extent − 1 is zero. */
export interface Component {
  readonly name: string;
  readonly index: Affine;
  readonly extent: number | undefined;
}

/** A factor of a contraction: an expression over its components (the prologue; a plain load where nothing is fused). Guards give zero after it. */
export interface Operand {
  readonly components: readonly Component[];
  readonly value: Expression;
}

/** Σ over the reduction axes of left · right, then the stores with that sum as accumulator 0. Nothing here says how. */
export interface ContractionNest {
  readonly kind: 'contraction';
  readonly name: string;
  readonly axes: readonly Axis[];
  readonly reductions: readonly Axis[];
  readonly left: Operand;
  readonly right: Operand;
  readonly stores: readonly Store[];
}

export type Nest = LoopNest | ContractionNest;

/** A nest and what stands for each of its buffer numbers. */
export interface Kernel {
  readonly nest: Nest;
  /** Path of the layer it came from, for people. */
  readonly label: string;
  readonly buffers: readonly BufferUse[];
}

export interface BufferUse {
  readonly buffer: number;
  readonly access: 'read' | 'write' | 'readWrite';
}

export const bufferDTypes = (nest: Nest): ReadonlyMap<number, DType> =>
  new Map(nest.stores.map(({ access }) => [access.buffer, access.dtype] as const));

const printAxes = (axes: readonly Axis[]): string => axes.map(({ name, size }) => `${name}<${size}`).join(' ');
const printOperand = ({ components, value }: Operand): string =>
  `${printExpression(value)} where ${components.map(({ name, index, extent }) => `${name}=${printAffine(index)}${extent === undefined ? '' : `|${extent}`}`).join(' ')}`;
const printStore = ({ access, value, mode }: Store): string =>
  `    ${printAccess(access)} ${mode === 'add' ? '+=' : '='} ${printExpression(value)}`;

/** A nest as text: what `KILN_DEBUG=kernels` and `kiln explain` show. Equal nests have equal texts. */
export function printNest(nest: Nest): string {
  const lines = [`${nest.name}: for ${printAxes(nest.axes)}`];
  if (nest.kind === 'contraction') {
    lines.push(
      `  acc0 = Σ ${printAxes(nest.reductions)}`,
      `    left  ${printOperand(nest.left)}`,
      `    right ${printOperand(nest.right)}`,
    );
  } else {
    if (nest.ordered) lines.push(`  in order ${printAxes([nest.ordered])}`);
    nest.accumulators.forEach(({ combine, value, position }, i) => {
      lines.push(
        `  acc${i} = ${combine} over ${printAxes(nest.reductions)} of ${printExpression(value)}${position ? ` at ${printAffine(position)}` : ''}`,
      );
    });
  }
  return [...lines, ...nest.stores.map(printStore)].join('\n');
}
