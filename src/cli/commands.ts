/** All commands of `kiln`, in the order of the help. Each loads its code when it runs, so that `--help` is quick. */
import { appNames } from './apps.js';
import { type Command, command } from './command.js';

const runArgument = { name: 'RUN', help: 'Folder of a run, such as runs/mnist-1' } as const;

export const trainOptions = [
  { name: 'epochs', type: 'integer', min: 1, default: 1, help: 'Passes over the training data' },
  { name: 'batch-size', type: 'integer', min: 1, default: 32, help: 'Examples a step' },
  { name: 'learning-rate', type: 'number', min: 0, default: 0.001, help: "Adam's step size" },
  { name: 'limit', type: 'integer', min: 1, help: 'Learn from the first N examples', otherwise: 'all' },
  { name: 'test-limit', type: 'integer', min: 1, help: 'Test on the first N examples', otherwise: 'all' },
  { name: 'resume', type: 'string', value: 'RUN', help: 'Go on with a run from its last checkpoint' },
] as const;

export const commands: readonly Command[] = [
  command({
    name: 'train',
    summary: 'trains a network and writes a run folder with checkpoint and report',
    arguments: [{ name: 'APP', choices: appNames, help: 'What to train' }],
    options: trainOptions,
    examples: ['kiln train mnist --epochs 5', 'kiln train mnist --resume runs/mnist-1'],
    run: async (context) => (await import('./commands/train.js')).train(context),
  }),
  command({
    name: 'evaluate',
    summary: "tests a run's network and prints its confusion matrix",
    arguments: [runArgument],
    options: [{ name: 'test-limit', type: 'integer', min: 1, help: 'Test on the first N examples', otherwise: 'all' }],
    examples: ['kiln evaluate runs/mnist-1'],
    run: async (context) => (await import('./commands/evaluate.js')).evaluate(context),
  }),
  command({
    name: 'predict',
    summary: "says what a run's network sees in pictures",
    arguments: [runArgument, { name: 'FILE', isVariadic: true, help: 'PNG or JPEG pictures' }],
    options: [{ name: 'top', type: 'integer', min: 1, default: 3, help: 'Guesses to print for each picture' }],
    examples: ['kiln predict runs/mnist-1 digit.png'],
    run: async (context) => (await import('./commands/predict.js')).predict(context),
  }),
  command({
    name: 'summary',
    summary: 'lists the layers of a run, or the tensors of a file',
    arguments: [{ name: 'RUN|FILE', help: 'Folder of a run, or a .safetensors file' }],
    options: [],
    examples: ['kiln summary runs/mnist-1', 'kiln summary model.safetensors --json'],
    run: async (context) => (await import('./commands/summary.js')).summary(context),
  }),
];
