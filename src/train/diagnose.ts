/** Finds where numbers stopped being finite: replays a batch and asks each node of the step's graph, in the order of computation. */
import {
  compile,
  currentTrace,
  hasParts,
  InternalError,
  liveNodes,
  type Node,
  stack,
  Tensor,
  type Trace,
  valueAndGrad,
} from '../core/index.js';
import { type Layer, type Loss, trainableParameters, training } from '../nn/index.js';
import type { LabelledBatch, Scales } from './batches.js';
import { areFinite } from './finite.js';
import { scaled } from './train-step.js';

export interface ReplayedStep {
  readonly model: Layer;
  readonly loss: Loss;
  readonly scales: Scales;
}

/** A value of the step, and how a person finds it. */
interface Suspect {
  readonly where: string;
  readonly tensor: Tensor;
}

/**
 * Where the first value that is not finite appeared, in words that follow "first in": `dense_2 (exp)`.
 * Parameters, statistics and random keys must be as they were before the step; the replay changes none.
 *
 * @returns `undefined` if all values of these batches are finite
 */
export async function firstNonFinite(
  step: ReplayedStep,
  batches: readonly LabelledBatch[],
): Promise<string | undefined> {
  for (const batch of batches) {
    const places: string[] = [];
    const replay = compile(function replayedStep(x: Tensor, y: Tensor): Tensor {
      const suspects = suspectsOf(step, x, y);
      places.push(...suspects.map(({ where }) => where));
      return stack(suspects.map(({ tensor }) => areFinite(tensor).all().cast('int32')));
    });
    const flags = await replay(Tensor.fromHost(batch.inputs), Tensor.fromHost(batch.targets)).data();
    const first = flags.indexOf(0);
    if (first >= 0) return places[first];
  }
  return undefined;
}

function suspectsOf({ model, loss, scales }: ReplayedStep, x: Tensor, y: Tensor): Suspect[] {
  const state = Object.values(model.parameters()).filter(({ trainable }) => !trainable);
  const before = state.map(({ value }) => value);
  const trainable = trainableParameters(model);
  const { value, gradients } = valueAndGrad(
    () => loss(model.forward(scaled(x, scales.inputs), training), scaled(y, scales.targets)),
    trainable,
  );
  const trace = currentTrace();
  if (!trace) throw new InternalError('a replayed step is not traced');
  // the replay only looks
  state.forEach((parameter, i) => {
    parameter.assign(before[i]!);
  });
  // gradients flow from the loss back: the last layer's are the first
  const backwards = Object.entries(gradients).reverse();
  return [
    ...forwardSuspects(trace, value),
    ...backwards.map(([path, tensor]) => ({ where: `the gradient of ${path}`, tensor })),
  ];
}

/** What came in first, then all that is computed from it, in its order. */
function forwardSuspects(trace: Trace, loss: Tensor): Suspect[] {
  const nodes = liveNodes([loss.node!], trace.builder.inputs);
  // an infinity that the code names, as a mask does, is no accident
  const fromInputs = new Set<Node>();
  for (const node of nodes)
    if (node.op === 'input' || node.inputs.some((input) => fromInputs.has(input))) fromInputs.add(node);
  const floats = nodes.filter((node) => node.dtype === 'float32' && !hasParts(node) && fromInputs.has(node));
  const given = floats.filter(({ op }) => op === 'input');
  const computed = floats.filter(({ op }) => op !== 'input');
  return [...given, ...computed].map((node) => ({ where: nameOf(node, trace), tensor: Tensor.ofNode(trace, node) }));
}

function nameOf(node: Node, trace: Trace): string {
  if (node.op === 'input') return sourceName(trace.sources[node.params.index]!);
  return `${node.label === '' ? 'the loss' : node.label} (${node.op})`;
}

function sourceName(source: Trace['sources'][number]): string {
  switch (source.kind) {
    case 'argument':
      return source.index === 0 ? 'the inputs of the batch' : 'the targets of the batch';
    case 'parameter':
      return `the parameter ${source.parameter.name}, which an earlier step's gradient has spoilt`;
    case 'capture':
      return `a tensor of shape [${source.tensor.shape.join(', ')}] that the model holds`;
  }
}
