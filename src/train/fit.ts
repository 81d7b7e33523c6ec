import { fail, KilnError } from '../core/index.js';
import { initialize, type Layer, type Loss, type Optimizer } from '../nn/index.js';
import { type BatchOptions, batchesOf, type LabelledBatch, type TrainingData } from './batches.js';
import { Breath } from './breathe.js';
import type { Callback, EpochRecord } from './callbacks/callback.js';
import type { Clip } from './clip.js';
import { defaultMetrics } from './default-metrics.js';
import { firstNonFinite } from './diagnose.js';
import { evaluateWith } from './evaluate.js';
import { FitRun } from './fit-run.js';
import type { Metric } from './metrics/index.js';
import { trainStep } from './train-step.js';
import type { TrainingState } from './training-state.js';

export interface FitOptions extends BatchOptions {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Passes over the data (1). */
  readonly epochs?: number;
  /** Decides the order of the examples, and the first values of parameters that have none yet (0). */
  readonly seed?: number;
  /** Measured beside the loss, by name ({ accuracy } where the loss is crossEntropy). */
  readonly metrics?: Readonly<Record<string, Metric>>;
  /** Evaluated at the end of each epoch. */
  readonly validation?: TrainingData;
  /** Examples a batch of the validation (128). */
  readonly validationBatchSize?: number;
  readonly callbacks?: readonly Callback[];
  readonly clip?: Clip;
  /** Batches whose gradients are averaged for one update (1): a step of accumulate · batchSize examples in the memory of one batch. */
  readonly accumulate?: number;
  /** When it aborts, the step under way is ended, callbacks save, and fit returns. */
  readonly signal?: AbortSignal;
  /** Goes on from here, as if nothing had been between. */
  readonly resume?: TrainingState;
}

export interface History {
  readonly epochs: readonly EpochRecord[];
  /** Steps done since the run began. */
  readonly steps: number;
  /** Whether the signal ended it. */
  readonly interrupted: boolean;
  /** Why a callback ended it before the last epoch. */
  readonly stopReason?: string;
}

/**
 * Trains a model: for each batch, one compiled step of forward, gradients and update.
 *
 * A step whose loss is not finite changes nothing; fit then ends with an error that names the step and the layer.
 *
 * @param data a Dataset (its first field goes in, its second is the target), a Loader, or any iterable of batches
 * @returns    the means of each epoch
 * @throws KilnError if the loss is not finite, or the state to resume is of another model or other data
 * @example await fit(model, train, { loss: crossEntropy, optimizer: adam(), epochs: 5, validation: test });
 */
export async function fit(model: Layer, data: TrainingData, options: FitOptions): Promise<History> {
  const { loss, optimizer, epochs = 1, seed = 0, accumulate = 1, callbacks = [], validation, signal } = options;
  checkCount('epochs', epochs);
  checkCount('accumulate', accumulate);
  checkNames(callbacks);
  initialize(model, { seed, keepExisting: true });
  const metrics = options.metrics ?? defaultMetrics(loss);
  const source = batchesOf('fit', data, options);
  const { scales } = source;
  const step = trainStep(model, { loss, optimizer, metrics, clip: options.clip, scales }, accumulate);
  const run = new FitRun({ model, optimizer, source, epochs, accumulate, callbacks });
  const breath = new Breath();
  for (const callback of callbacks) await callback.onBegin?.(run);
  if (options.resume) run.restore(options.resume);

  const isOver = (): boolean => signal?.aborted === true || run.stopReason !== undefined;
  while (run.epoch <= epochs && !isOver()) {
    for (const callback of callbacks) await callback.onEpochBegin?.(run);
    for await (const batches of groupsOf(accumulate, run.isEpochTrained ? [] : source.rest())) {
      const result = await step(batches);
      if (!result.isGood) await failOnBadStep(run, { model, loss, scales }, batches, result.values);
      const record = run.endStep(result);
      for (const callback of callbacks) await callback.onStep?.(record, run);
      await breath.take();
      if (isOver()) break;
    }
    if (isOver()) break;
    const validated = validation && (await validate(model, validation, { ...options, metrics }));
    // interrupted: the resumed run validates anew
    if (signal?.aborted) break;
    const record = run.endEpoch(validated ?? {});
    for (const callback of callbacks) await callback.onEpochEnd?.(record, run);
  }
  for (const callback of callbacks) await callback.onEnd?.(run);
  return {
    epochs: run.history,
    steps: run.step,
    interrupted: signal?.aborted === true && run.epoch <= epochs,
    ...(run.stopReason === undefined ? {} : { stopReason: run.stopReason }),
  };
}

/** Lists of `count` batches, the last one shorter where they do not divide. Takes no batch ahead: the position stays true. */
async function* groupsOf(
  count: number,
  batches: AsyncIterable<LabelledBatch> | Iterable<LabelledBatch>,
): AsyncIterable<LabelledBatch[]> {
  let group: LabelledBatch[] = [];
  for await (const batch of batches) {
    group.push(batch);
    if (group.length < count) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

async function validate(
  model: Layer,
  data: TrainingData,
  options: FitOptions & { readonly metrics: Readonly<Record<string, Metric>> },
): Promise<Record<string, number>> {
  const { loss, metrics, inputs, targets, validationBatchSize: batchSize = 128, signal } = options;
  const values = await evaluateWith('fit: validation', model, data, {
    loss,
    metrics,
    batchSize,
    ...(inputs === undefined ? {} : { inputs }),
    ...(targets === undefined ? {} : { targets }),
    ...(signal ? { signal } : {}),
  });
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`validation${name[0]!.toUpperCase()}${name.slice(1)}`, value]),
  );
}

async function failOnBadStep(
  run: FitRun,
  step: Parameters<typeof firstNonFinite>[0],
  batches: readonly LabelledBatch[],
  { loss }: Readonly<Record<string, number>>,
): Promise<never> {
  const what = Number.isFinite(loss) ? 'the gradients are not finite' : `the loss is ${loss}`;
  const where = (await firstNonFinite(step, batches)) ?? 'a place that a second run of the step does not show';
  return fail(
    `fit: step ${run.step + 1} (epoch ${run.epoch}): ${what}: the first value that is not finite is in ${where}`,
    'The step changed nothing, and the last checkpoint is kept. Try a lower learning rate or clip: { globalNorm: 1 }, and look for such numbers in the data.',
    KilnError,
  );
}

function checkCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  fail(`fit: ${name} is ${value}`, 'Give an integer of at least 1.', KilnError);
}

function checkNames(callbacks: readonly Callback[]): void {
  const names = callbacks.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return;
  fail(
    `fit: two callbacks are named ${twice}`,
    'Give one of them another name: checkpoints tell them apart by it.',
    KilnError,
  );
}
