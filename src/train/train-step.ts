/** The compiled steps of a training: forward, gradients and update in one program, or gathered over several micro-batches. */
import { compile, Parameter, type Shape, stack, Tensor, valueAndGrad, zeros } from '../core/index.js';
import { type Layer, type Loss, type Optimizer, trainableParameters, training } from '../nn/index.js';
import { Averages } from './averages.js';
import type { LabelledBatch, Scales } from './batches.js';
import { type Clip, clipGradients, type Gradients } from './clip.js';
import { areFinite } from './finite.js';
import type { Metric } from './metrics/index.js';

export interface StepOptions {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly clip?: Clip | undefined;
  readonly scales: Scales;
}

export interface StepResult {
  /** `loss` and each metric: means over the examples of the step. */
  readonly values: Readonly<Record<string, number>>;
  readonly size: number;
  /** False where loss or gradients were not finite: then the step changed nothing. */
  readonly isGood: boolean;
}

/** One update of the parameters from one or more batches. */
export type TrainStep = (batches: readonly LabelledBatch[]) => Promise<StepResult>;

/** A field as the network takes it. */
export const scaled = (x: Tensor, scale: number): Tensor => (scale === 1 ? x : x.cast('float32').mul(scale));

/** @param accumulate batches whose gradients are averaged for one update */
export function trainStep(model: Layer, options: StepOptions, accumulate: number): TrainStep {
  return accumulate === 1 ? plainStep(model, options) : accumulatingStep(model, options);
}

function plainStep(model: Layer, options: StepOptions): TrainStep {
  const names = measuredNames(options);
  const step = compile(function trainStep(x: Tensor, y: Tensor): Tensor {
    const { measured, gradients, isGood } = forwardAndBack(model, x, y, options);
    return stack([...measured, update(model, gradients, isGood, options)]);
  });
  return async ([batch]) => {
    const { inputs, targets, size } = batch!;
    return stepResult(names, await step(Tensor.fromHost(inputs), Tensor.fromHost(targets)).data(), size);
  };
}

interface ForwardAndBack {
  /** The loss and each metric, float32 scalars. */
  readonly measured: readonly Tensor[];
  readonly gradients: Gradients;
  /** bool scalar */
  readonly isGood: Tensor;
}

function forwardAndBack(model: Layer, x: Tensor, y: Tensor, options: StepOptions): ForwardAndBack {
  const { loss, metrics, scales } = options;
  const targets = scaled(y, scales.targets);
  const statistics = Object.values(model.parameters()).filter(({ trainable }) => !trainable);
  const before = statistics.map(({ value }) => value);
  let outputs: Tensor | undefined;
  const { value, gradients } = valueAndGrad(() => {
    outputs = model.forward(scaled(x, scales.inputs), training);
    return loss(outputs, targets);
  }, trainableParameters(model));
  const isGood = areFinite(value.reshape([]));
  // batch statistics and random keys, too, stay as they were when the loss is not finite
  statistics.forEach((parameter, i) => {
    if (parameter.value !== before[i]) parameter.assign(isGood.select(parameter.value, before[i]!));
  });
  const measured = [value, ...Object.values(metrics).map((metric) => metric(outputs!, targets))];
  return { measured: measured.map((each) => each.cast('float32').reshape([])), gradients, isGood };
}

/** @returns whether the parameters were changed, as float32 */
function update(model: Layer, gradients: Gradients, isGood: Tensor, { optimizer, clip }: StepOptions): Tensor {
  const clipped = clip && clipGradients(gradients, clip);
  const when = clipped?.globalNorm ? isGood.and(areFinite(clipped.globalNorm)) : isGood;
  optimizer.update(trainableParameters(model), clipped?.gradients ?? gradients, { when });
  return when.cast('float32');
}

/**
 * Sums size · gradient over the batches and divides by the number of examples: exactly the gradient of their mean loss, also
 * where the last batch is smaller.
 */
function accumulatingStep(model: Layer, options: StepOptions): TrainStep {
  const names = measuredNames(options);
  const sums = Object.fromEntries(
    Object.entries(trainableParameters(model)).map(([path, { shape }]) => [path, zeroed(`sum/${path}`, shape)]),
  );
  const examples = zeroed('sum/examples', []);
  const losses = zeroed('sum/loss', []);
  const gather = compile(function gatherGradients(x: Tensor, y: Tensor): Tensor {
    const { measured, gradients, isGood } = forwardAndBack(model, x, y, options);
    const size = x.shape[0] ?? 0;
    for (const [path, sum] of Object.entries(sums)) sum.assign(sum.value.add(gradients[path]!.mul(size)));
    examples.assign(examples.value.add(size));
    losses.assign(losses.value.add(measured[0]!));
    return stack([...measured, isGood.cast('float32')]);
  });
  const apply = compile(function applyGradients(): Tensor {
    const gradients = Object.fromEntries(Object.entries(sums).map(([path, sum]) => [path, sum.value.div(examples)]));
    const isGood = update(model, gradients, areFinite(losses.value), options);
    for (const sum of [...Object.values(sums), examples, losses]) sum.assign(zeros(sum.shape));
    return isGood;
  });
  return async (batches) => {
    const averages = new Averages();
    let size = 0;
    for (const batch of batches) {
      const values = await gather(Tensor.fromHost(batch.inputs), Tensor.fromHost(batch.targets)).data();
      averages.add(stepResult(names, values, batch.size).values, batch.size);
      size += batch.size;
    }
    const [isGood] = await apply().data();
    return { values: averages.means(), size, isGood: isGood === 1 };
  };
}

const measuredNames = ({ metrics }: StepOptions): string[] => ['loss', ...Object.keys(metrics)];

function stepResult(names: readonly string[], values: ArrayLike<number>, size: number): StepResult {
  return {
    values: Object.fromEntries(names.map((name, i) => [name, values[i]!])),
    size,
    isGood: values[names.length] === 1,
  };
}

function zeroed(name: string, shape: Shape): Parameter {
  const parameter = new Parameter(name, shape, { trainable: false });
  parameter.assign(zeros(shape));
  return parameter;
}
