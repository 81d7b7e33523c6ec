import { type Graph, GraphBuilder, inline, liveNodes, type Node } from '../core/index.js';

/** One rewriting: what the node becomes, given its inputs already rewritten, or `undefined` where it does not apply. */
interface Rule {
  readonly name: string;
  rewrite(node: Node, inputs: readonly Node[], builder: GraphBuilder): Node | undefined;
}

const constantValue = (node: Node): number | undefined => {
  let source = node;
  while (source.op === 'broadcast' || source.op === 'reshape') source = source.inputs[0]!;
  return source.op === 'constant' ? source.params.value : undefined;
};

const isIdentityOrder = (permutation: readonly number[]): boolean => permutation.every((axis, i) => axis === i);

/** Each rule keeps every bit of the result: x·1 and x+0 are not here for floats where −0 + 0 would change a sign. */
export const rules: readonly Rule[] = [
  {
    name: 'remove markers',
    rewrite: (node, [x]) =>
      node.op === 'stopGradient' || (node.op === 'identity' && !node.params.barrier) ? x : undefined,
  },
  {
    name: 'multiply by one',
    rewrite: (node, [a, b]) =>
      node.op === 'mul' ? (constantValue(b!) === 1 ? a : constantValue(a!) === 1 ? b : undefined) : undefined,
  },
  { name: 'divide by one', rewrite: (node, [a, b]) => (node.op === 'div' && constantValue(b!) === 1 ? a : undefined) },
  {
    name: 'add minus zero, subtract zero',
    rewrite: (node, [a, b]) =>
      (node.op === 'sub' && Object.is(constantValue(b!), 0)) || (node.op === 'add' && Object.is(constantValue(b!), -0))
        ? a
        : undefined,
  },
  {
    name: 'double negation',
    rewrite: (node, [x]) => ((node.op === 'neg' || node.op === 'not') && x!.op === node.op ? x!.inputs[0] : undefined),
  },
  {
    name: 'join transpositions',
    rewrite: (node, [x], builder) => {
      if (node.op !== 'transpose') return undefined;
      if (isIdentityOrder(node.params.permutation)) return x;
      if (x!.op !== 'transpose') return undefined;
      const inner = x!.params.permutation;
      const permutation = node.params.permutation.map((axis) => inner[axis]!);
      return isIdentityOrder(permutation)
        ? x!.inputs[0]
        : (builder.add('transpose', [x!.inputs[0]!], { permutation }, node.label) as Node);
    },
  },
  {
    name: 'join reshapes',
    rewrite: (node, [x], builder) => {
      if (node.op !== 'reshape') return undefined;
      const source = x!.op === 'reshape' ? x!.inputs[0]! : x!;
      if (source.shape.length === node.shape.length && source.shape.every((size, i) => size === node.shape[i]))
        return source;
      return source === x ? undefined : (builder.add('reshape', [source], { shape: node.shape }, node.label) as Node);
    },
  },
  {
    name: 'reduce over nothing',
    rewrite: (node, [x], builder) =>
      (node.op === 'reduceSum' || node.op === 'reduceProd' || node.op === 'reduceMax' || node.op === 'reduceMin') &&
      node.params.axes.every((axis) => x!.shape[axis] === 1)
        ? (builder.add('reshape', [x!], { shape: node.shape }, node.label) as Node)
        : undefined,
  },
  {
    // y = x ≤ 0 ? 0 : x: whatever else asks whether x ≤ 0 can ask y, so that x itself need not be kept for the gradient
    name: 'ask the relu',
    rewrite: (node, inputs, builder) => {
      if (node.op !== 'select' || inputs[0]!.op !== 'lessEqual') return undefined;
      const [condition, a, b] = inputs as readonly [Node, Node, Node];
      const [x, zero] = condition.inputs as readonly [Node, Node];
      if (
        constantValue(zero) !== 0 ||
        x === b ||
        (a.op !== 'broadcast' && a.op !== 'constant') ||
        constantValue(a) !== 0
      )
        return undefined;
      const relu = builder.nodes.find(
        (other) =>
          other.op === 'select' &&
          other.inputs[0] === condition &&
          other.inputs[2] === x &&
          constantValue(other.inputs[1]!) === 0,
      );
      return (
        relu &&
        (builder.add('select', [builder.add('lessEqual', [relu, zero], {}) as Node, a, b], {}, node.label) as Node)
      );
    },
  },
];

/** Inlines calls, applies the rules to each node once in order, drops what nothing needs. */
export function simplify(graph: Graph, enabled: (rule: string) => boolean = () => true): Graph {
  const active = rules.filter(({ name }) => enabled(name));
  const builder = new GraphBuilder();
  const moved = new Map<Node, Node>();
  const parts = new Map<Node, readonly Node[]>();
  for (const input of graph.inputs) moved.set(input, builder.input(input));
  for (const node of graph.nodes) {
    if (node.op === 'input') continue;
    const inputs = node.inputs.map((input) => moved.get(input)!);
    if (node.op === 'call') {
      parts.set(node, inline(builder, simplify(node.params.body, enabled), inputs));
      moved.set(node, inputs[0] ?? (builder.nodes[0] as Node));
      continue;
    }
    if (node.op === 'part' && parts.has(node.inputs[0]!)) {
      moved.set(node, parts.get(node.inputs[0]!)![node.params.index]!);
      continue;
    }
    moved.set(node, rewriteNode(node, inputs, builder, active));
  }
  const outputs = graph.outputs.map((output) => moved.get(output)!);
  return pruneLoops({ nodes: liveNodes(outputs, builder.inputs), inputs: builder.inputs, outputs });
}

function rewriteNode(node: Node, inputs: readonly Node[], builder: GraphBuilder, active: readonly Rule[]): Node {
  for (const rule of active) {
    const better = rule.rewrite(node, inputs, builder);
    if (better) return better;
  }
  return builder.add(node.op, inputs, node.params as never, node.label) as Node;
}

/** Stacked results of loops that nothing reads are dropped from their bodies. */
function pruneLoops(graph: Graph): Graph {
  const read = new Map<Node, Set<number>>();
  for (const node of graph.nodes) {
    if (node.op !== 'part') continue;
    const [several] = node.inputs as readonly [Node];
    if (!read.has(several)) read.set(several, new Set());
    read.get(several)!.add(node.params.index);
  }
  const wasteful = [...read].some(
    ([node, indices]) => node.op === 'scan' && node.types.some((_, i) => i >= node.params.carries && !indices.has(i)),
  );
  if (!wasteful) return graph;
  const builder = new GraphBuilder();
  const moved = new Map<Node, Node>();
  const renumbered = new Map<Node, readonly number[]>();
  for (const input of graph.inputs) moved.set(input, builder.input(input));
  for (const node of graph.nodes) {
    if (node.op === 'input') continue;
    const inputs = node.inputs.map((input) => moved.get(input)!);
    if (node.op === 'scan') {
      const { body, carries } = node.params;
      const kept = node.types.map((_, i) => i).filter((i) => i < carries || read.get(node)?.has(i));
      const outputs = kept.map((i) => body.outputs[i]!);
      renumbered.set(node, kept);
      moved.set(
        node,
        builder.add(
          'scan',
          inputs,
          { ...node.params, body: { inputs: body.inputs, outputs, nodes: liveNodes(outputs, body.inputs) } },
          node.label,
        ) as Node,
      );
    } else if (node.op === 'part') {
      const kept = renumbered.get(node.inputs[0]!);
      moved.set(
        node,
        builder.add(
          'part',
          inputs,
          { index: kept ? kept.indexOf(node.params.index) : node.params.index },
          node.label,
        ) as Node,
      );
    } else {
      moved.set(node, builder.add(node.op, inputs, node.params as never, node.label) as Node);
    }
  }
  const outputs = graph.outputs.map((output) => moved.get(output)!);
  return { nodes: liveNodes(outputs, builder.inputs), inputs: builder.inputs, outputs };
}
