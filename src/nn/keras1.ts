/**
 * Class names of Keras 1, which the lectures print, by the kind of layer. Its layers are named by the class in lower case:
 * `convolution2d_1`, `maxpooling2d_1`.
 *
 * @see Keras 1.2, `keras/engine/topology.py`, class Layer: `prefix = self.__class__.__name__.lower()`
 */
const keras1Classes: Readonly<Record<string, string>> = {
  dense: 'Dense',
  conv2d: 'Convolution2D',
  conv2d_transpose: 'Deconvolution2D',
  max_pooling2d: 'MaxPooling2D',
  average_pooling2d: 'AveragePooling2D',
  global_average_pooling2d: 'GlobalAveragePooling2D',
  zero_padding2d: 'ZeroPadding2D',
  flatten: 'Flatten',
  reshape: 'Reshape',
  dropout: 'Dropout',
  activation: 'Activation',
  batch_normalization: 'BatchNormalization',
  embedding: 'Embedding',
  simple_rnn: 'SimpleRNN',
  lstm: 'LSTM',
  gru: 'GRU',
  bidirectional: 'Bidirectional',
  add: 'Merge',
  multiply: 'Merge',
  concatenate: 'Merge',
  sequential: 'Sequential',
  model: 'Model',
};

/** Keras 1's class of this kind of layer; where it had none, the name in its manner. */
export const keras1Class = (kind: string): string =>
  keras1Classes[kind] ?? kind.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
