import type { DType } from './dtype.js';
import { InternalError } from './errors.js';
import type { ParamsOf, PrimitiveName } from './primitives/index.js';
import { primitiveOf } from './primitives/registry.js';
import { formatShape, type Shape, sameShape } from './shape.js';

export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** One value in SSA form. `op` tells the type of `params`. */
export type Node = { [K in PrimitiveName]: NodeOf<K> }[PrimitiveName];

export interface NodeOf<K extends PrimitiveName> extends TensorType {
  readonly id: number;
  readonly op: K;
  readonly inputs: readonly Node[];
  readonly params: ParamsOf<K>;
  /** More than one for `scan`, `cond` and `call`, whose results are read through `part`. */
  readonly types: readonly TensorType[];
  /** Path of the layer that was running when the node was made: names kernels for people, means nothing to passes. */
  readonly label: string;
}

/** A function from tensors to tensors: nodes in an order where inputs precede their users. */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly NodeOf<'input'>[];
  readonly outputs: readonly Node[];
}

/** Makes nodes, each distinct one once (hash-consing), so that equal subexpressions are one node from the start. */
export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly inputs: NodeOf<'input'>[] = [];
  readonly #known = new Map<string, Node>();

  add<K extends PrimitiveName>(op: K, inputs: readonly Node[], params: ParamsOf<K>, label = ''): NodeOf<K> {
    const key = `${op}(${inputs.map((node) => node.id).join()})${keyOf(params)}`;
    const known = this.#known.get(key);
    if (known) return known as NodeOf<K>;
    const inferred = primitiveOf(op).infer(inputs, params);
    const types = Array.isArray(inferred) ? (inferred as readonly TensorType[]) : [inferred as TensorType];
    const { shape, dtype } = types[0] ?? { shape: [], dtype: 'float32' as const };
    const node = { id: this.nodes.length, op, inputs, params, shape, dtype, types, label } as unknown as NodeOf<K>;
    this.nodes.push(node as Node);
    this.#known.set(key, node as Node);
    return node;
  }

  input(type: TensorType): NodeOf<'input'> {
    const node = this.add('input', [], { index: this.inputs.length, shape: [...type.shape], dtype: type.dtype });
    this.inputs.push(node);
    return node;
  }

  graph(outputs: readonly Node[]): Graph {
    return { nodes: liveNodes(outputs, this.inputs), inputs: this.inputs, outputs };
  }
}

/** Whether a node's results are read through `part`. */
export const hasParts = ({ op }: Node): boolean => op === 'scan' || op === 'cond' || op === 'call';

/** The nodes that the outputs depend on, and the inputs, in the order in which they were made. */
export function liveNodes(outputs: readonly Node[], inputs: readonly Node[] = []): Node[] {
  const live = new Set<Node>(inputs);
  const stack = [...outputs];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (live.has(node)) continue;
    live.add(node);
    stack.push(...node.inputs);
  }
  return [...live].sort((a, b) => a.id - b.id);
}

/** A stable text of a node's parameters; graphs inside them stand for their own canonical key. */
export function keyOf(params: unknown): string {
  return JSON.stringify(params, (_, value: unknown) => {
    if (isGraph(value)) return canonicalKey(value);
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
      return Object.is(value, -0) ? '-0' : String(value);
    return value;
  });
}

const isGraph = (value: unknown): value is Graph =>
  typeof value === 'object' && value !== null && 'nodes' in value && 'outputs' in value && 'inputs' in value;

const keys = new WeakMap<Graph, string>();

/** A text that is the same for two graphs exactly when they compute the same thing in the same way. */
export function canonicalKey(graph: Graph): string {
  const known = keys.get(graph);
  if (known !== undefined) return known;
  const number = new Map<Node, number>();
  const lines = graph.nodes.map((node, i) => {
    number.set(node, i);
    return `${node.op}(${node.inputs.map((input) => number.get(input)).join()})${keyOf(node.params)}`;
  });
  const key = `${lines.join(';')}->${graph.outputs.map((node) => number.get(node)).join()}`;
  keys.set(graph, key);
  return key;
}

/** Puts `graph` into `builder` with `inputs` in place of its inputs; returns its outputs there. */
export function inline(builder: GraphBuilder, graph: Graph, inputs: readonly Node[]): Node[] {
  const moved = new Map<Node, Node>();
  for (const node of graph.nodes) {
    moved.set(
      node,
      node.op === 'input'
        ? inputs[node.params.index]!
        : (builder.add(
            node.op,
            node.inputs.map((input) => moved.get(input)!),
            node.params as never,
            node.label,
          ) as Node),
    );
  }
  return graph.outputs.map((node) => moved.get(node)!);
}

/** A graph as text, a line a node: what `KILN_DEBUG=graph` prints. */
export function printGraph(graph: Graph, indent = ''): string {
  const number = new Map(graph.nodes.map((node, i) => [node, i] as const));
  const lines = graph.nodes.map((node) => {
    const bodies: string[] = [];
    const shown = Object.entries(node.params as Record<string, unknown>).flatMap(([key, value]) => {
      if (isGraph(value)) {
        bodies.push(`${indent}  ${key}:\n${printGraph(value, `${indent}    `)}`);
        return [];
      }
      return key === 'shape' || key === 'dtype' ? [] : [`${key}=${JSON.stringify(value)}`];
    });
    const type = node.types.map(({ shape, dtype }) => `${dtype}${formatShape(shape)}`).join(', ');
    const call = `${node.op}(${[...node.inputs.map((input) => `%${number.get(input)}`), ...shown].join(', ')})`;
    return [
      `${indent}%${number.get(node)} = ${call} : ${type}${node.label ? `  # ${node.label}` : ''}`,
      ...bodies,
    ].join('\n');
  });
  return [...lines, `${indent}return ${graph.outputs.map((node) => `%${number.get(node)}`).join(', ')}`].join('\n');
}

/** Throws InternalError unless every node's inputs precede it and its types are what its primitive infers. */
export function verifyGraph(graph: Graph, pass: string): void {
  const seen = new Set<Node>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      if (!seen.has(input))
        throw new InternalError(
          `after ${pass}: ${node.op} #${node.id} uses ${input.op} #${input.id} before it is made`,
        );
    }
    const inferred = primitiveOf(node.op).infer(node.inputs, node.params);
    const types = (Array.isArray(inferred) ? inferred : [inferred]) as readonly TensorType[];
    types.forEach((type, i) => {
      const own = node.types[i];
      if (!own || !sameShape(type.shape, own.shape) || type.dtype !== own.dtype) {
        throw new InternalError(
          `after ${pass}: ${node.op} #${node.id} claims ${own?.dtype}${formatShape(own?.shape ?? [])}, is ${type.dtype}${formatShape(type.shape)}`,
        );
      }
    });
    seen.add(node);
  }
  for (const output of graph.outputs) {
    if (!seen.has(output))
      throw new InternalError(`after ${pass}: output ${output.op} #${output.id} is not in the graph`);
  }
}
