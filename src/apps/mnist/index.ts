/**
 * apps/mnist: handwritten digits. A convolutional network learns MNIST, is tested, and reads a person's own pictures.
 * Each command is a function of its options and of the host that shows what it says.
 * train, evaluate, predict, explain and summary are what the command line calls.
 */
export { type EvaluateMnistOptions, evaluateMnist as evaluate } from './evaluate.node.js';
export { explainMnist as explain } from './explain.js';
export { architecture, mnistNetwork } from './network.js';
export type { TrainHost, TrainMnistOptions } from './options.js';
export { type DigitPrediction, type PredictDigitsOptions, predictDigits as predict } from './predict.node.js';
export { summarizeMnist as summary } from './summary.js';
export { type TrainResult, trainMnist as train } from './train.node.js';
