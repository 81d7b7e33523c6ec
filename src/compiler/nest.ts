import { type Affine, printAffine } from './affine.js';
import { type Access, type Expression, ExpressionPrinter, type ScalarType } from './expression.js';

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

const printAxes = (axes: readonly Axis[]): string => axes.map(({ name, size }) => `${name}<${size}`).join(' ');

/** A nest as text: what `KILN_DEBUG=kernels` and `kiln explain` show. Nests that do the same thing in the same way have equal texts. */
export function printNest(nest: Nest): string {
  const gathered =
    nest.kind === 'contraction' ? [nest.left.value, nest.right.value] : nest.accumulators.map(({ value }) => value);
  const printer = new ExpressionPrinter([
    ...gathered,
    ...nest.stores.flatMap(({ value, access }) => [value, ...access.dynamic.map((index) => index.value)]),
  ]);
  const head = [`${nest.name}: for ${printAxes(nest.axes)}`];
  if (nest.kind === 'contraction') {
    const operand = ({ components, value }: Operand): string =>
      `${printer.print(value)} where ${components.map(({ name, index, extent }) => `${name}=${printAffine(index)}${extent === undefined ? '' : `|${extent}`}`).join(' ')}`;
    head.push(
      `  acc0 = Σ ${printAxes(nest.reductions)}`,
      `    left  ${operand(nest.left)}`,
      `    right ${operand(nest.right)}`,
    );
  } else {
    if (nest.ordered) head.push(`  in order ${printAxes([nest.ordered])}`);
    nest.accumulators.forEach(({ combine, value, position }, i) => {
      head.push(
        `  acc${i} = ${combine} over ${printAxes(nest.reductions)} of ${printer.print(value)}${position ? ` at ${printAffine(position)}` : ''}`,
      );
    });
  }
  const stores = nest.stores.map(
    ({ access, value, mode }) => `    ${printer.access(access)} ${mode === 'add' ? '+=' : '='} ${printer.print(value)}`,
  );
  return [head[0]!, ...printer.definitions.map((line) => `    ${line}`), ...head.slice(1), ...stores].join('\n');
}
