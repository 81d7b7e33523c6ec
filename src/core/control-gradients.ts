import { applyAll, traceBody } from './apply.js';
import { InternalError } from './errors.js';
import { gradientsIn, orZeros } from './gradient.js';
import { type Graph, inline, type Node, type TensorType } from './graph.js';
import type { DotParams, GradientContext, ScanParams } from './primitives/index.js';
import { Tensor } from './tensor/tensor.js';
import { currentTrace, type Trace } from './trace.js';

const trace = (): Trace => {
  const current = currentTrace();
  if (!current) throw new InternalError('a gradient rule ran outside a trace');
  return current;
};

/** `graph` inlined on marked copies of the inputs, so that it is computed anew where the gradient needs it. */
function inlineMarked(graph: Graph, inputs: readonly Tensor[]): { marked: Tensor[]; outputs: Tensor[] } {
  const own = trace();
  const marked = inputs.map((input) => own.mark(own.lift(input), { barrier: true }));
  const outputs = inline(
    own.builder,
    graph,
    marked.map((tensor) => tensor.node!),
  ).map((node) => Tensor.ofNode(own, node));
  return { marked, outputs };
}

const isFloat = ({ dtype }: TensorType): boolean => dtype === 'float32';

/** Gradients for the float inputs of a graph: a list with `undefined` for the others. */
function pullBack(
  graph: Graph,
  inputs: readonly Tensor[],
  dys: readonly (Tensor | undefined)[],
): (Tensor | undefined)[] {
  const { marked, outputs } = inlineMarked(graph, inputs);
  const floats = marked.filter(isFloat);
  const gradients = gradientsIn(
    trace(),
    outputs,
    outputs.map((_, i) => dys[i]),
    floats,
  );
  let next = 0;
  return marked.map((tensor) => (isFloat(tensor) ? gradients[next++] : undefined));
}

export const callGradient = ({
  inputs,
  params: { body },
  dys,
}: GradientContext<{ readonly body: Graph }>): (Tensor | undefined)[] => pullBack(body, inputs, dys);

/** A branch of the same kind over (inputs, gradients): each side's gradient, zeros where it does not depend on an input. */
export function condGradient({
  inputs,
  params: { whenTrue, whenFalse },
  dys,
}: GradientContext<{ readonly whenTrue: Graph; readonly whenFalse: Graph }>): (Tensor | undefined)[] {
  const [predicate, ...operands] = inputs as readonly [Tensor, ...Tensor[]];
  const given = dys.flatMap((dy, i) => (dy ? [{ dy, i }] : []));
  const types = [...operands, ...given.map(({ dy }) => dy)];
  const side = (graph: Graph): Graph => {
    const { graph: body, captures } = traceBody(types, (all) => {
      const own = all.slice(0, operands.length);
      const spread: (Tensor | undefined)[] = [];
      given.forEach(({ i }, q) => {
        spread[i] = all[operands.length + q];
      });
      return pullBack(graph, own, spread).flatMap((gradient, i) =>
        isFloat(own[i]!) ? [orZeros(gradient, own[i]!)] : [],
      );
    });
    if (captures.length > 0) throw new InternalError('the gradient of a branch captured a tensor');
    return body;
  };
  const results = applyAll('cond', [predicate, ...types], { whenTrue: side(whenTrue), whenFalse: side(whenFalse) });
  let next = 0;
  return [undefined, ...operands.map((operand) => (isFloat(operand) ? results[next++] : undefined))];
}

/** The body with the carries that enter each step as further results: what the gradient of a loop starts from. */
export function savingBody({ body, carries }: Pick<ScanParams, 'body' | 'carries'>): Graph {
  return { nodes: body.nodes, inputs: body.inputs, outputs: [...body.outputs, ...body.inputs.slice(0, carries)] };
}

/** A product inside a loop whose sum over time is wanted: its factors can be stacked and multiplied once, after the loop. */
interface Product {
  readonly left: Tensor;
  readonly right: Tensor;
  readonly params: DotParams;
  /** Order of the product's axes in the sum. */
  readonly permutation: readonly number[] | undefined;
}

/** A sum as products and the rest of its terms. */
function productsIn(term: Tensor): { readonly products: Product[]; readonly rest: Tensor[] } {
  const own = trace();
  const tensors = (node: Node): Tensor[] => node.inputs.map((input) => Tensor.ofNode(own, input));
  const node = term.node!;
  if (node.op === 'add') {
    const [a, b] = tensors(node).map(productsIn) as [ReturnType<typeof productsIn>, ReturnType<typeof productsIn>];
    return { products: [...a.products, ...b.products], rest: [...a.rest, ...b.rest] };
  }
  const product = node.op === 'transpose' ? node.inputs[0]! : node;
  if (product.op !== 'dot') return { products: [], rest: [term] };
  const [left, right] = tensors(product) as [Tensor, Tensor];
  const permutation = node.op === 'transpose' ? node.params.permutation : undefined;
  return { products: [{ left, right, params: product.params, permutation }], rest: [] };
}

/** Σ over time of a product, from its factors stacked along a first axis of time. */
function productOverTime(left: Tensor, right: Tensor, { params, permutation }: Product): Tensor {
  const later = (axes: readonly number[]): number[] => axes.map((axis) => axis + 1);
  const sum = left.dot(right, {
    leftContract: [0, ...later(params.leftContract)],
    rightContract: [0, ...later(params.rightContract)],
    leftBatch: later(params.leftBatch),
    rightBatch: later(params.rightBatch),
  });
  return permutation ? sum.transpose(permutation) : sum;
}

/**
 * The loop backwards. What happens inside a step is computed anew from the carries that entered it, which the loop kept.
 * Carries of the backward loop: gradients of the carries, then sums over time of the gradients of the captures. Where such a
 * gradient is a product, its factors are stacked instead, and one product after the loop sums over time and batch alike.
 */
export function scanGradient({ inputs, outputs, params, dys }: GradientContext<ScanParams>): (Tensor | undefined)[] {
  const { body: whole, length, carries, sequences, reverse, results: own = whole.outputs.length } = params;
  const body: Graph = { nodes: whole.nodes, inputs: whole.inputs, outputs: whole.outputs.slice(0, own) };
  const isSaved = whole.outputs.length > own;
  const initial = inputs.slice(0, carries);
  const sliced = inputs.slice(carries, carries + sequences);
  const captured = inputs.slice(carries + sequences);
  const entered = isSaved
    ? outputs.slice(own)
    : applyAll('scan', inputs, { ...params, body: savingBody(params), results: own }).slice(own);
  const isFloatCarry = initial.map(isFloat);
  const isFloatCapture = captured.map(isFloat);
  const isFloatSlice = sliced.map(isFloat);

  const dCarries = initial.flatMap((carry, i) => (isFloatCarry[i] ? [orZeros(dys[i], carry)] : []));
  const dCaptures = captured.flatMap((tensor, i) => (isFloatCapture[i] ? [orZeros(undefined, tensor)] : []));
  const stacked = dys.slice(carries).flatMap((dy, i) => (dy ? [{ dy, output: carries + i }] : []));
  const xs = [...entered, ...sliced, ...stacked.map(({ dy }) => dy)];
  const states = [...dCarries, ...dCaptures];
  const step = ({ shape, dtype }: TensorType): TensorType => ({ shape: shape.slice(1), dtype });

  /** Products of each capture's gradient, with where their factors are found stacked: a sequence, or a result of the loop. */
  const products: {
    readonly capture: number;
    readonly product: Product;
    readonly left: Stacked;
    readonly right: Stacked;
  }[] = [];
  const { graph, captures: extra } = traceBody([...states, ...xs.map(step), ...captured], (all) => {
    let at = 0;
    const take = (count: number): readonly Tensor[] => all.slice(at, (at += count));
    const dCarry = take(dCarries.length);
    const sums = take(dCaptures.length);
    const slices = take(xs.length);
    const bodyInputs = [...slices.slice(0, carries + sequences), ...take(captured.length)];
    const dStacked = slices.slice(carries + sequences);
    const outputGradients: (Tensor | undefined)[] = [];
    let next = 0;
    isFloatCarry.forEach((isOne, i) => {
      if (isOne) outputGradients[i] = dCarry[next++];
    });
    stacked.forEach(({ output }, i) => {
      outputGradients[output] = dStacked[i];
    });
    // saved carries may have gradients of their own: they are what entered the step
    const back = pullBack(isSaved ? whole : body, bodyInputs, outputGradients);
    const floatsOf = (from: number, flags: readonly boolean[]): Tensor[] =>
      flags.flatMap((isOne, i) => (isOne ? [orZeros(back[from + i], bodyInputs[from + i]!)] : []));

    const factors: Tensor[] = [];
    const stackedAs = (factor: Tensor): Stacked | undefined => {
      const { node } = factor;
      // under the marks of the backward pass a factor may be a slice of what is stacked already
      const source = node!.op === 'identity' ? node!.inputs[0]! : node!;
      const slice = slices.findIndex((tensor) => tensor.node === source);
      if (slice >= 0) return { kind: 'sequence', index: slice };
      if (source.op === 'input') return undefined;
      const known = factors.findIndex((tensor) => tensor.node === node);
      return { kind: 'result', index: known >= 0 ? known : factors.push(factor) - 1 };
    };
    const added = floatsOf(carries + sequences, isFloatCapture).map((term, capture) => {
      const found = productsIn(term);
      const rest = [...found.rest];
      for (const product of found.products) {
        const [left, right] = [stackedAs(product.left), stackedAs(product.right)];
        if (left && right) products.push({ capture, product, left, right });
        else
          rest.push(
            product.permutation
              ? product.left.dot(product.right, product.params).transpose(product.permutation)
              : product.left.dot(product.right, product.params),
          );
      }
      return rest;
    });
    return [
      ...floatsOf(0, isFloatCarry),
      ...sums.map((sum, i) => added[i]!.reduce((total, term) => total.add(term), sum)),
      ...floatsOf(carries, isFloatSlice),
      ...factors,
    ];
  });
  const back: ScanParams = { body: graph, length, carries: states.length, sequences: xs.length, reverse: !reverse };
  const results = applyAll('scan', [...states, ...xs, ...captured, ...extra], {
    ...back,
    body: savingBody(back),
    results: graph.outputs.length,
  });
  let next = 0;
  const pick = (flags: readonly boolean[]): (Tensor | undefined)[] =>
    flags.map((isOne) => (isOne ? results[next++] : undefined));
  const carryGradients = pick(isFloatCarry);
  const captureGradients = pick(isFloatCapture);
  const sliceGradients = pick(isFloatSlice);
  const firstFactor = next;
  const stackOf = ({ kind, index }: Stacked): Tensor =>
    kind === 'sequence' ? xs[index]! : results[firstFactor + index]!;
  const floatCaptures = captured.flatMap((_, i) => (isFloatCapture[i] ? [i] : []));
  for (const { capture, product, left, right } of products) {
    const at = floatCaptures[capture]!;
    captureGradients[at] = captureGradients[at]!.add(productOverTime(stackOf(left), stackOf(right), product));
  }
  return [...carryGradients, ...sliceGradients, ...captureGradients];
}

/** Where the values of a factor at all steps are: a sequence of the loop, or what it stacks. */
interface Stacked {
  readonly kind: 'sequence' | 'result';
  readonly index: number;
}
