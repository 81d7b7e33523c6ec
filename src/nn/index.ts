/**
 * nn: layers, models made of them, initialisers, losses, optimisers, schedules.
 * A layer is a plain object that holds Parameters; the builders (`conv2d`, `dense`, …) infer the sizes that classes take.
 * Names, defaults and formulas follow Keras unless a docstring says otherwise.
 */
export { type ActivationFunction, type ActivationLike, type ActivationName, activations } from './activations.js';
export { type Blueprint, blueprint, type NameOption } from './blueprint.js';
export { clipByGlobalNorm, clipByNorm, clipByValue, type Gradients, globalNorm } from './clipping.js';
export { type Context, inference, training } from './context.js';
export { connect, graph, input, Model } from './functional.js';
export { type InitializeOptions, initialize } from './initialize.js';
export {
  type Draw,
  type Initializer,
  type InitializerLike,
  type InitializerName,
  initializers,
} from './initializers.js';
export { type AnyLayer, Layer, trainableParameters } from './layer.js';
export { Activation, activation } from './layers/activation.js';
export { BatchNorm, type BatchNormOptions, batchNorm } from './layers/batch-norm.js';
export { add, Combine, combine, concatenate, multiply } from './layers/combine.js';
export { Conv2D, type ConvLayerOptions, conv2d } from './layers/conv2d.js';
export { Conv2DTranspose, type Conv2DTransposeOptions, conv2dTranspose } from './layers/conv2d-transpose.js';
export { Conv3D, conv3d } from './layers/conv3d.js';
export { Dense, type DenseOptions, dense } from './layers/dense.js';
export { DepthwiseConv2D, type DepthwiseConv2DOptions, depthwiseConv2d } from './layers/depthwise-conv2d.js';
export { Dropout, dropout } from './layers/dropout.js';
export { Embedding, type EmbeddingOptions, embedding } from './layers/embedding.js';
export { Flatten, flatten } from './layers/flatten.js';
export { LayerNorm, type LayerNormOptions, layerNorm } from './layers/layer-norm.js';
export {
  AveragePool2D,
  averagePool2d,
  GlobalAveragePool2D,
  globalAveragePool2d,
  MaxPool2D,
  maxPool2d,
} from './layers/pooling.js';
export { AveragePool3D, averagePool3d, MaxPool3D, maxPool3d } from './layers/pooling3d.js';
export { Reshape, reshape } from './layers/reshape.js';
export { type PaddingAmounts, ZeroPadding2D, zeroPadding2d } from './layers/zero-padding2d.js';
export { binaryCrossEntropy } from './losses/binary-cross-entropy.js';
export { type CrossEntropyOptions, crossEntropy } from './losses/cross-entropy.js';
export { huber } from './losses/huber.js';
export type { Loss } from './losses/loss.js';
export { meanAbsoluteError } from './losses/mean-absolute-error.js';
export { meanSquaredError } from './losses/mean-squared-error.js';
export { type AdaGradOptions, adaGrad } from './optimizers/ada-grad.js';
export { type AdamOptions, type AdamWOptions, adam, adamW } from './optimizers/adam.js';
export type { Optimizer, UpdateOptions } from './optimizers/optimizer.js';
export { type RmsPropOptions, rmsProp } from './optimizers/rms-prop.js';
export { type LearningRate, optimizerOf, type UpdateRule } from './optimizers/rule.js';
export { type SgdOptions, sgd } from './optimizers/sgd.js';
export type { Fans, ParameterSettings, WeightRole } from './parameter-entry.js';
export { Bidirectional, type BidirectionalOptions, bidirectional, type MergeMode } from './recurrent/bidirectional.js';
export { Cell, type CellInput, type CellState, type StepOptions } from './recurrent/cell.js';
export { GRU, GRUCell, type GRUCellOptions, type GRUOptions, gru } from './recurrent/gru.js';
export { LSTM, LSTMCell, type LSTMCellOptions, type LSTMOptions, type LSTMState, lstm } from './recurrent/lstm.js';
export {
  Recurrent,
  type RecurrentBlueprint,
  type RecurrentOptions,
  type RunOptions,
  type RunResult,
  recurrent,
  resetStates,
  type Sequence,
} from './recurrent/recurrent.js';
export {
  type CellOptions,
  type HiddenState,
  SimpleRNN,
  SimpleRNNCell,
  type SimpleRNNOptions,
  simpleRnn,
} from './recurrent/simple-rnn.js';
export { constant } from './schedules/constant.js';
export { type CosineOptions, cosine } from './schedules/cosine.js';
export { type ExponentialOptions, exponential } from './schedules/exponential.js';
export type { Schedule } from './schedules/schedule.js';
export { type StepwiseOptions, stepwise } from './schedules/stepwise.js';
export { type WarmUpOptions, warmUp } from './schedules/warm-up.js';
export { Sequential, type SequentialOptions, sequential } from './sequential.js';
export type { Signature } from './signature.js';
export { type SummaryOptions, type SummaryRow, summary, summaryRows } from './summary.js';
export { Symbolic, type TensorsOf } from './symbolic.js';
export { getWeights, setWeights, type WeightLayout, type WeightOptions } from './weights.js';
