import {
  Dense,
  Dropout,
  GRU,
  initializers,
  type Layer,
  LSTM,
  type Sequential,
  SimpleRNN,
  sequential,
} from '../../nn/index.js';
import type { TextNetworkOptions } from './options.js';

/** Written into files of weights, so that the network for them can be built again. */
export const architecture = 'text';

const kinds = { lstm: LSTM, gru: GRU, rnn: SimpleRNN };

export interface TextNetworkUse {
  /** Characters that it knows. */
  readonly vocabulary: number;
  /** Streams whose state is carried from batch to batch; without it nothing is carried. */
  readonly batchSize?: number | undefined;
  /** Characters of a batch in each stream. */
  readonly sequenceLength: number;
}

/**
 * char-rnn's network: numbers of characters [batch, steps] -> logits of the next one [batch, steps, vocabulary]. Recurrent layers,
 * each followed by dropout, and a dense one; all weights begin between −0.08 and 0.08, the forget gates' biases with 1.
 *
 * @see karpathy/char-rnn, train.lua and model/LSTM.lua, which has two biases where one does the same
 */
export function textNetwork(
  { model, layers, hidden, dropout, seed }: TextNetworkOptions,
  { vocabulary, batchSize, sequenceLength }: TextNetworkUse,
): Sequential {
  const small = initializers.uniform({ low: -0.08, high: 0.08 });
  const initial = { kernelInitializer: small, biasInitializer: small };
  const stack = Array.from({ length: layers }, (_, i): Layer[] => [
    new kinds[model](i === 0 ? vocabulary : hidden, hidden, {
      ...initial,
      recurrentInitializer: small,
      returnSequences: true,
      stateful: batchSize !== undefined,
      ...(batchSize === undefined ? {} : { batchSize }),
    }) as Layer,
    ...(dropout > 0 ? [new Dropout(dropout)] : []),
  ]);
  return sequential({ input: [sequenceLength], dtype: 'int32', seed }, [
    ...stack.flat(),
    new Dense(hidden, vocabulary, initial),
  ]);
}
