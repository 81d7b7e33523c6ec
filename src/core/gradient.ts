import { asTensor } from './apply.js';
import { fail, InternalError, KilnError } from './errors.js';
import { hasParts, type Node } from './graph.js';
import type { GradientContext } from './primitives/index.js';
import { primitiveOf } from './primitives/registry.js';
import { formatShape } from './shape.js';
import { Tensor } from './tensor/tensor.js';
import type { Trace } from './trace.js';

/**
 * Gradients of Σ output·seed with regard to `wrt`, by reverse accumulation over the nodes between them.
 * Everything is traced into `trace`, so the result can be differentiated again.
 *
 * @returns for each of `wrt` its gradient, `undefined` where no output depends on it
 */
export function gradientsIn(
  trace: Trace,
  outputs: readonly Tensor[],
  seeds: readonly (Tensor | undefined)[],
  wrt: readonly Tensor[],
): (Tensor | undefined)[] {
  const targets = wrt.map((tensor) => trace.lift(tensor).node!);
  const between = nodesBetween(
    targets,
    outputs.map((output) => trace.lift(output).node!),
  );
  const gradients = new Map<Node, Tensor>();
  /** Gradients of the results of a primitive that has several, by index. */
  const ofParts = new Map<Node, (Tensor | undefined)[]>();
  const accumulate = (node: Node, gradient: Tensor): void => {
    const known = gradients.get(node);
    gradients.set(node, known ? known.add(gradient) : gradient);
  };
  outputs.forEach((output, i) => {
    const seed = seeds[i];
    const { node } = trace.lift(output);
    if (seed && between.has(node!)) accumulate(node!, seed);
  });
  for (const node of [...between].sort((a, b) => b.id - a.id)) {
    if (node.op === 'part') {
      const dy = gradients.get(node);
      const [several] = node.inputs as readonly [Node];
      if (!dy) continue;
      const parts = ofParts.get(several) ?? [];
      const known = parts[node.params.index];
      parts[node.params.index] = known ? known.add(dy) : dy;
      ofParts.set(several, parts);
      continue;
    }
    const dys = ofParts.get(node) ?? [gradients.get(node)];
    if (
      dys.every((dy) => dy === undefined) ||
      node.inputs.length === 0 ||
      (targets.includes(node) && !node.inputs.some((input) => between.has(input)))
    )
      continue;
    const rule = primitiveOf(node.op);
    if (!rule.gradient) continue;
    const tensors = (nodes: readonly Node[]): Tensor[] => nodes.map((input) => Tensor.ofNode(trace, input));
    const outputsOf = hasParts(node)
      ? node.types.map((_, index) => Tensor.ofNode(trace, trace.builder.add('part', [node], { index })))
      : [Tensor.ofNode(trace, node)];
    const context: GradientContext<unknown> = {
      inputs: tensors(node.inputs),
      y: outputsOf[0]!,
      outputs: outputsOf,
      params: node.params,
      dys,
    };
    // what a layer's gradient computes carries the layer's path
    const outer = trace.label;
    trace.label = gradientLabel(node.label);
    const results = rule.gradient(dys.find((dy) => dy !== undefined)!, context);
    trace.label = outer;
    node.inputs.forEach((input, i) => {
      const gradient = results[i];
      if (!gradient || !between.has(input)) return;
      if (
        gradient.shape.length !== input.shape.length ||
        gradient.shape.some((size, axis) => size !== input.shape[axis])
      ) {
        throw new InternalError(
          `gradient of ${node.op}: input ${i} is ${formatShape(input.shape)}, its gradient ${formatShape(gradient.shape)}`,
        );
      }
      accumulate(input, gradient);
    });
  }
  return targets.map((target) => gradients.get(target));
}

/** `conv2d_1` gives `conv2d_1 gradient`, and so does that. */
const gradientLabel = (label: string): string =>
  label === '' || label.endsWith(' gradient') ? label : `${label} gradient`;

/** Nodes on a way from a target to an output, through values that can have a gradient. */
function nodesBetween(targets: readonly Node[], outputs: readonly Node[]): Set<Node> {
  const below = new Set<Node>();
  const stack = [...outputs];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (below.has(node)) continue;
    below.add(node);
    stack.push(...node.inputs);
  }
  const between = new Set<Node>(targets.filter((target) => below.has(target)));
  for (const node of [...below].sort((a, b) => a.id - b.id)) {
    const carries = node.op !== 'stopGradient' && (node.dtype === 'float32' || hasParts(node));
    if (carries && node.inputs.some((input) => between.has(input))) between.add(node);
  }
  return between;
}

/** Checks that a gradient of it can be taken: one float. */
export function checkLoss(value: unknown): Tensor {
  if (!(value instanceof Tensor))
    fail(
      `grad: the function returned ${value === null ? 'null' : typeof value}`,
      'Return the loss, a tensor of one element.',
      KilnError,
    );
  if (value.size !== 1 || value.dtype !== 'float32') {
    fail(
      `grad: the function returned ${value.dtype} ${formatShape(value.shape)}`,
      'A gradient is taken of one float32 number: reduce the loss with .mean() or .sum().',
    );
  }
  return value;
}

const filled = (value: number, { shape }: Tensor): Tensor => asTensor(value).broadcastTo(shape);

/** Ones in the shape of a loss: where a gradient begins. */
export const seedFor = (loss: Tensor): Tensor => filled(1, loss);

/** The gradient, or zeros where nothing depends on the tensor. */
export const orZeros = (gradient: Tensor | undefined, like: Tensor): Tensor => gradient ?? filled(0, like);
