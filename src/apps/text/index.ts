/**
 * apps/text: text in a style. A recurrent network learns to say what character comes next, and writes on.
 * Each command is a function of its options and of the host that shows what it says.
 * train, evaluate, generate, explain and summary are what the command line calls.
 */
export { evaluateText as evaluate, summarizeText as summary } from './evaluate.node.js';
export { explainText as explain } from './explain.node.js';
export { type Generated, generateText as generate } from './generate.node.js';
export { architecture, type TextNetworkUse, textNetwork } from './network.js';
export {
  type GenerateOptions,
  type TextNetworkOptions,
  type TextSettings,
  type TrainHost,
  type TrainTextOptions,
  textDefaults,
} from './options.js';
export { type SampleRow, Sampler } from './sampler.js';
export { type TrainResult, trainText as train } from './train.node.js';
