import { InternalError } from './errors.js';
import type { Graph, Node } from './graph.js';
import type { ReferenceArray, ScanParams } from './primitives/index.js';
import { primitiveOf } from './primitives/registry.js';
import { sizeOf } from './shape.js';

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
      values.set(node, evaluate(node, operands));
    }
  }
  return graph.outputs.map((node) => values.get(node)![0]!);
}

/** All results of one node. */
function evaluate(node: Node, operands: readonly ReferenceArray[]): readonly ReferenceArray[] {
  switch (node.op) {
    case 'call':
      return interpret(node.params.body, operands);
    case 'cond': {
      const { whenTrue, whenFalse } = node.params;
      return interpret(operands[0]!.data[0] ? whenTrue : whenFalse, operands.slice(1));
    }
    case 'scan':
      return interpretScan(node.params, operands);
    default:
      return [
        { shape: node.shape, dtype: node.dtype, data: primitiveOf(node.op).reference(operands, node.params, node) },
      ];
  }
}

function interpretScan(
  { body, length, carries, sequences, reverse }: ScanParams,
  inputs: readonly ReferenceArray[],
): ReferenceArray[] {
  let state = inputs.slice(0, carries);
  const captures = inputs.slice(carries + sequences);
  const stacked = body.outputs.slice(carries).map(({ shape, dtype }) => ({
    shape: [length, ...shape],
    dtype,
    data: new Float64Array(length * sizeOf(shape)),
  }));
  for (let step = 0; step < length; step++) {
    const t = reverse ? length - 1 - step : step;
    const slices = inputs.slice(carries, carries + sequences).map(({ shape, dtype, data }) => {
      const size = sizeOf(shape.slice(1));
      return { shape: shape.slice(1), dtype, data: data.subarray(t * size, (t + 1) * size) };
    });
    const results = interpret(body, [...state, ...slices, ...captures]);
    state = results.slice(0, carries);
    stacked.forEach(({ data }, i) => {
      const result = results[carries + i]!;
      data.set(result.data, t * result.data.length);
    });
  }
  return [...state, ...stacked];
}
