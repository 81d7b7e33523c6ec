import { InternalError } from './errors.js';
import type { Graph, Node } from './graph.js';
import { referenceResults } from './primitives/control.js';
import { type Primitive, primitives, type ReferenceArray } from './primitives/index.js';

/** Runs a graph by its primitives' reference semantics: plain loops in float64, the oracle of everything else. */
export function interpret(graph: Graph, inputs: readonly ReferenceArray[]): ReferenceArray[] {
  const values = new Map<Node, readonly ReferenceArray[]>();
  for (const node of graph.nodes) {
    if (node.op === 'input') {
      const given = inputs[node.params.index];
      if (!given) throw new InternalError(`input ${node.params.index} is missing`);
      values.set(node, [given]);
    } else if (node.op === 'part') {
      values.set(node, [values.get(node.inputs[0]!)![node.params.index]!]);
    } else {
      const operands = node.inputs.map((input) => values.get(input)![0]!);
      if (node.op === 'call' || node.op === 'scan' || node.op === 'cond') {
        values.set(node, referenceResults(node, operands));
      } else {
        const { reference } = primitives[node.op] as Primitive<unknown>;
        values.set(node, [{ shape: node.shape, dtype: node.dtype, data: reference(operands, node.params, node) }]);
      }
    }
  }
  return graph.outputs.map((node) => values.get(node)![0]!);
}
