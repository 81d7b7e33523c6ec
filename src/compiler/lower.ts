import { type Graph, InternalError, type Node, sizeOf, type TensorType } from '../core/index.js';
import { type Affine, constantAffine } from './affine.js';
import { hasPoints } from './empty.js';
import { fuse, type Group, printFusion } from './fuse.js';
import { KernelBuilder, type StoredValue } from './kernel-builder.js';
import { lowerContraction } from './lower-contraction.js';
import { lowerCopies, lowerPointwise, lowerReduction, lowerWindow } from './lower-loops.js';
import { lowerScatter, lowerScatterAlong } from './lower-scatter.js';
import { lowerSort } from './lower-sort.js';
import type { Kernel } from './nest.js';
import type { Buffer, BufferRole, LoweredProgram, Step } from './program.js';
import { simplify } from './simplify.js';

export interface LowerOptions {
  readonly fusion: boolean;
  readonly simplification: (rule: string) => boolean;
  /** Takes what the passes have to show. */
  readonly show?: (stage: 'fusion', text: () => string) => void;
}

/**
 * A graph as kernels over buffers, in an order in which they can run.
 *
 * @param donations for each output, the input whose place it may take
 */
export function lower(
  original: Graph,
  donations: readonly (number | undefined)[],
  options: LowerOptions,
): LoweredProgram {
  const graph = simplify(original, options.simplification);
  const lowering = new Lowering(options);
  const inputs = graph.inputs.map((node, index) => lowering.buffer(node, { kind: 'input', index }));
  const inside = new Map<Node, number>(graph.inputs.map((node, i) => [node, inputs[i]!]));
  const roles: BufferRole[] = graph.outputs.map((_, i) => ({ kind: 'output', donor: donations[i] }));
  const { steps, outputs } = lowering.graph(graph, inside, roles);
  return { buffers: lowering.buffers, steps, outputs };
}

class Lowering {
  readonly buffers: Buffer[] = [];
  readonly #options: LowerOptions;
  #loops = 0;

  constructor(options: LowerOptions) {
    this.#options = options;
  }

  buffer({ shape, dtype }: Pick<Node, 'shape' | 'dtype'>, role: BufferRole): number {
    this.buffers.push({ id: this.buffers.length, dtype, elements: sizeOf(shape), role });
    return this.buffers.length - 1;
  }

  /** Steps of a graph whose inputs lie in given buffers; outputs get buffers of the given roles unless they are inputs or each other. */
  graph(
    graph: Graph,
    bufferOf: Map<Node, number>,
    roles: readonly (BufferRole | undefined)[],
  ): { steps: Step[]; outputs: number[] } {
    const plan = fuse(graph, this.#options.fusion);
    this.#options.show?.('fusion', () => printFusion(plan));
    /** The node in whose buffer a value lies. */
    const home = (node: Node): Node => {
      const placement = plan.placements.get(node)!;
      return placement.kind === 'alias' ? home(placement.of) : node;
    };
    const roleOf = new Map<Node, BufferRole>();
    graph.outputs.forEach((output, i) => {
      const at = home(output);
      if (!roleOf.has(at) && roles[i]) roleOf.set(at, roles[i]);
    });
    const make = (node: Node): number => {
      const made = this.buffer(node, roleOf.get(node) ?? { kind: 'temporary' });
      bufferOf.set(node, made);
      return made;
    };
    const stored: StoredValue = {
      bufferOf: (node) => {
        const { kind } = plan.placements.get(node)!;
        if (kind === 'inline') return undefined;
        return bufferOf.get(home(node));
      },
    };
    const temporary = (type: TensorType): number => this.buffer(type, { kind: 'temporary' });
    const steps: Step[] = [];
    for (const group of plan.groups) {
      const { anchor } = group;
      if (anchor?.op === 'scan' || anchor?.op === 'cond') {
        const resultOf = (index: number): number => {
          const part = graph.nodes.find(
            (node) => node.op === 'part' && node.inputs[0] === anchor && node.params.index === index,
          );
          if (!part) return this.buffer(anchor.types[index]!, { kind: 'temporary' });
          return make(part);
        };
        const results = anchor.types.map((_, i) => resultOf(i));
        const operands = anchor.inputs.map((input) => stored.bufferOf(input)!);
        steps.push(
          ...(anchor.op === 'scan' ? this.#scan(anchor, operands, results) : this.#cond(anchor, operands, results)),
        );
        continue;
      }
      if (group.stored.length > 0 && group.stored.every((node) => node.op === 'part')) continue;
      for (const node of group.stored) make(node);
      steps.push(...lowerGroup(group, stored, temporary).flatMap(launch));
    }
    return { steps, outputs: graph.outputs.map((output) => bufferOf.get(home(output))!) };
  }

  /** A body whose outputs must end in given buffers: those that cannot be computed there are copied. */
  #body(body: Graph, inputs: readonly number[], targets: readonly number[]): Step[] {
    const graph = simplify(body, this.#options.simplification);
    const bufferOf = new Map<Node, number>(graph.inputs.map((node, i) => [node, inputs[i]!]));
    const { steps, outputs } = this.graph(graph, bufferOf, []);
    return [...steps, ...targets.flatMap((target, i) => this.#copy(outputs[i]!, target))];
  }

  #copy(from: number, to: number): Step[] {
    const { elements, dtype } = this.buffers[to]!;
    return launch(copyKernel(from, to, elements, dtype));
  }

  #scan(node: Extract<Node, { op: 'scan' }>, operands: readonly number[], results: readonly number[]): Step[] {
    const { body, length, carries, sequences, reverse } = node.params;
    const id = this.#loops++;
    const slice = (of: number, like: Node): number => this.buffer(like, { kind: 'slice', of, loop: id });
    const held = results.slice(0, carries);
    const next = held.map((_, i) => this.buffer(body.outputs[i]!, { kind: 'temporary' }));
    const inputs = body.inputs.map((input, i) => {
      if (i < carries) return held[i]!;
      return i < carries + sequences ? slice(operands[i]!, input) : operands[i]!;
    });
    const targets = body.outputs.map((output, i) => (i < carries ? next[i]! : slice(results[i]!, output)));
    const begin = held.flatMap((buffer, i) => this.#copy(operands[i]!, buffer));
    if (length === 0) return begin;
    const steps = [...this.#body(body, inputs, targets), ...next.flatMap((buffer, i) => this.#copy(buffer, held[i]!))];
    return [...begin, { kind: 'loop', id, length, reverse, steps }];
  }

  #cond(
    node: Extract<Node, { op: 'cond' }>,
    [predicate, ...operands]: readonly number[],
    results: readonly number[],
  ): Step[] {
    const { whenTrue, whenFalse } = node.params;
    return [
      {
        kind: 'branch',
        predicate: predicate!,
        whenTrue: this.#body(whenTrue, operands, results),
        whenFalse: this.#body(whenFalse, operands, results),
      },
    ];
  }
}

/** A kernel with a point to work at. */
const launch = (kernel: Kernel): Step[] => (hasPoints(kernel.nest) ? [{ kind: 'launch', kernel }] : []);

function copyKernel(from: number, to: number, elements: number, dtype: Node['dtype']): Kernel {
  const builder = new KernelBuilder('copy', '', { bufferOf: () => undefined });
  const index: Affine = elements === 1 ? constantAffine(0) : { constant: 0, terms: { i: 1 } };
  return builder.finish({
    kind: 'loop',
    axes: elements === 1 ? [] : [{ name: 'i', size: elements }],
    reductions: [],
    ordered: undefined,
    accumulators: [],
    stores: [{ access: builder.access(to, dtype, index), value: builder.load(from, dtype, index), mode: 'set' }],
  });
}

function lowerGroup(group: Group, stored: StoredValue, temporary: (type: TensorType) => number): Kernel[] {
  const { anchor } = group;
  if (!anchor) return lowerPointwise(group, stored);
  switch (anchor.op) {
    case 'dot':
    case 'conv':
    case 'convInputGradient':
    case 'convKernelGradient':
      return lowerContraction(group, anchor, stored);
    case 'reduceSum':
    case 'reduceProd':
    case 'reduceMax':
    case 'reduceMin':
    case 'argmax':
    case 'argmin':
    case 'cumsum':
      return lowerReduction(group, anchor, stored);
    case 'windowMax':
    case 'windowArgmax':
    case 'windowSum':
    case 'windowTake':
    case 'windowPut':
      return lowerWindow(group, anchor, stored);
    case 'argsort':
      return lowerSort(anchor, stored, temporary);
    case 'scatterAdd':
      return lowerScatter(anchor, stored);
    case 'scatterAddAlong':
      return lowerScatterAlong(anchor, stored);
    case 'concat':
    case 'pad':
    case 'dynamicUpdate':
      return lowerCopies(anchor, stored);
    default:
      throw new InternalError(`${anchor.op} is no anchor`);
  }
}
