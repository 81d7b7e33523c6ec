/** How well a network predicts a text that it has not learnt from. */
import { type Dataset, Loader } from '../../data/index.js';
import { crossEntropy, resetStates, type Sequential } from '../../nn/index.js';
import { evaluate, type FieldBatch } from '../../train/index.js';

/** Batches in their order, each walk beginning with states of zero. */
export const freshStreams = (model: Sequential, data: Dataset, batchSize: number): Iterable<FieldBatch> => ({
  *[Symbol.iterator]() {
    resetStates(model);
    yield* new Loader(data, { batchSize, shuffle: false });
  },
});

/** Mean cross-entropy in nats a character. */
export async function validationLoss(model: Sequential, data: Dataset, batchSize: number): Promise<number> {
  const { loss } = await evaluate(model, freshStreams(model, data, batchSize), { loss: crossEntropy, metrics: {} });
  return loss!;
}

export const bits = (nats: number): number => nats / Math.LN2;

export const lossText = (nats: number): string =>
  `${nats.toFixed(4)} nats, ${bits(nats).toFixed(3)} bits a character (perplexity ${Math.exp(nats).toFixed(2)})`;
