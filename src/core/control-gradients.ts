import { applyAll, traceBody } from './apply.js';
import { InternalError } from './errors.js';
import { gradientsIn, orZeros } from './gradient.js';
import { type Graph, inline, type TensorType } from './graph.js';
import type { GradientContext, ScanParams } from './primitives/index.js';
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

/**
 * The loop backwards. Carries that enter each step are stacked by running the loop once more with them as results (the plain
 * one falls away where nothing else reads it); what happens inside a step is computed anew.
 * Carries of the backward loop: gradients of the carries, then sums over time of the gradients of the captures.
 */
export function scanGradient({ inputs, params, dys }: GradientContext<ScanParams>): (Tensor | undefined)[] {
  const { body, length, carries, sequences, reverse } = params;
  const initial = inputs.slice(0, carries);
  const sliced = inputs.slice(carries, carries + sequences);
  const captured = inputs.slice(carries + sequences);
  const saving: Graph = {
    nodes: body.nodes,
    inputs: body.inputs,
    outputs: [...body.outputs, ...body.inputs.slice(0, carries)],
  };
  const entered = applyAll('scan', inputs, { ...params, body: saving }).slice(body.outputs.length);
  const isFloatCarry = initial.map(isFloat);
  const isFloatCapture = captured.map(isFloat);
  const isFloatSlice = sliced.map(isFloat);

  const dCarries = initial.flatMap((carry, i) => (isFloatCarry[i] ? [orZeros(dys[i], carry)] : []));
  const dCaptures = captured.flatMap((tensor, i) => (isFloatCapture[i] ? [orZeros(undefined, tensor)] : []));
  const stacked = dys.slice(carries).flatMap((dy, i) => (dy ? [{ dy, output: carries + i }] : []));
  const xs = [...entered, ...sliced, ...stacked.map(({ dy }) => dy)];
  const states = [...dCarries, ...dCaptures];
  const step = ({ shape, dtype }: TensorType): TensorType => ({ shape: shape.slice(1), dtype });

  const { graph, captures: extra } = traceBody([...states, ...xs.map(step), ...captured], (all) => {
    let at = 0;
    const take = (count: number): readonly Tensor[] => all.slice(at, (at += count));
    const dCarry = take(dCarries.length);
    const sums = take(dCaptures.length);
    const own = [...take(entered.length), ...take(sliced.length)];
    const dStacked = take(stacked.length);
    const bodyInputs = [...own, ...take(captured.length)];
    const outputGradients: (Tensor | undefined)[] = [];
    let next = 0;
    isFloatCarry.forEach((isOne, i) => {
      if (isOne) outputGradients[i] = dCarry[next++];
    });
    stacked.forEach(({ output }, i) => {
      outputGradients[output] = dStacked[i];
    });
    const back = pullBack(body, bodyInputs, outputGradients);
    const floatsOf = (from: number, flags: readonly boolean[]): Tensor[] =>
      flags.flatMap((isOne, i) => (isOne ? [orZeros(back[from + i], bodyInputs[from + i]!)] : []));
    const added = floatsOf(carries + sequences, isFloatCapture);
    return [
      ...floatsOf(0, isFloatCarry),
      ...sums.map((sum, i) => sum.add(added[i]!)),
      ...floatsOf(carries, isFloatSlice),
    ];
  });
  const results = applyAll('scan', [...states, ...xs, ...captured, ...extra], {
    body: graph,
    length,
    carries: states.length,
    sequences: xs.length,
    reverse: !reverse,
  });
  let next = 0;
  const pick = (flags: readonly boolean[]): (Tensor | undefined)[] =>
    flags.map((isOne) => (isOne ? results[next++] : undefined));
  const carryGradients = pick(isFloatCarry);
  const captureGradients = pick(isFloatCapture);
  const sliceGradients = pick(isFloatSlice);
  return [...carryGradients, ...sliceGradients, ...captureGradients];
}
