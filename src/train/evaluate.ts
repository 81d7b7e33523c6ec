import { compile, stack, Tensor } from '../core/index.js';
import { inference, type Layer, type Loss } from '../nn/index.js';
import { Averages } from './averages.js';
import { batchesOf, type FieldNames, type TrainingData } from './batches.js';
import { Breath } from './breathe.js';
import { defaultMetrics } from './default-metrics.js';
import type { Metric } from './metrics/index.js';
import { scaled } from './train-step.js';

export interface EvaluateOptions extends FieldNames {
  readonly loss: Loss;
  /** By name ({ accuracy } where the loss is crossEntropy). */
  readonly metrics?: Readonly<Record<string, Metric>>;
  /** Examples a batch (128); decides speed and memory. */
  readonly batchSize?: number;
  /** When it aborts, the means of what was seen by then are returned. */
  readonly signal?: AbortSignal;
}

/**
 * Loss and metrics of a model over all examples, in inference mode.
 *
 * @returns `loss` and each metric: means over the examples
 * @example const { loss, accuracy } = await evaluate(model, test, { loss: crossEntropy });
 */
export async function evaluate(
  model: Layer,
  data: TrainingData,
  options: EvaluateOptions,
): Promise<Record<string, number>> {
  return evaluateWith('evaluate', model, data, options);
}

/** @param where who asks, for errors */
export async function evaluateWith(
  where: string,
  model: Layer,
  data: TrainingData,
  options: EvaluateOptions,
): Promise<Record<string, number>> {
  const { loss, metrics = defaultMetrics(loss), batchSize = 128, signal } = options;
  const source = batchesOf(where, data, { ...options, batchSize, shuffle: false });
  const names = ['loss', ...Object.keys(metrics)];
  const step = compile(function evaluateStep(x: Tensor, y: Tensor): Tensor {
    const outputs = model.forward(scaled(x, source.scales.inputs), inference);
    const targets = scaled(y, source.scales.targets);
    const measured = [loss(outputs, targets), ...Object.values(metrics).map((metric) => metric(outputs, targets))];
    return stack(measured.map((each) => each.cast('float32').reshape([])));
  });
  const averages = new Averages();
  const breath = new Breath();
  for await (const { inputs, targets, size } of source.rest()) {
    const values = await step(Tensor.fromHost(inputs), Tensor.fromHost(targets)).data();
    averages.add(Object.fromEntries(names.map((name, i) => [name, values[i]!])), size);
    await breath.take();
    if (signal?.aborted) break;
  }
  return averages.means();
}
