/** All commands of `kiln`, in the order of the help. Each loads its code when it runs, so that `--help` is quick. */
import { type Command, command } from './command.js';

const runArgument = { name: 'RUN', help: 'Folder of a run, such as runs/mnist-1' } as const;

const resume = {
  name: 'resume',
  type: 'string',
  value: 'RUN',
  help: 'Go on with a run from its last checkpoint',
} as const;

export const commands: readonly Command[] = [
  command({
    name: 'train mnist',
    summary: 'trains a network that reads handwritten digits',
    arguments: [],
    options: [
      { name: 'epochs', type: 'integer', min: 1, default: 1, help: 'Passes over the training data' },
      { name: 'batch-size', type: 'integer', min: 1, default: 32, help: 'Examples a step' },
      { name: 'learning-rate', type: 'number', min: 0, default: 0.001, help: "Adam's step size" },
      { name: 'limit', type: 'integer', min: 1, help: 'Learn from the first N examples', otherwise: 'all' },
      { name: 'test-limit', type: 'integer', min: 1, help: 'Test on the first N examples', otherwise: 'all' },
      resume,
    ],
    examples: ['kiln train mnist --epochs 5', 'kiln train mnist --resume runs/mnist-1'],
    run: async (context) =>
      (await import('./commands/train.js')).train(context, await import('../apps/mnist/index.js')),
  }),
  command({
    name: 'train text',
    summary: 'trains a recurrent network that writes in the style of a text',
    arguments: [
      { name: 'FILE', isVariadic: true, unless: 'resume', help: 'Text files in UTF-8, read one after another' },
    ],
    options: [
      {
        name: 'model',
        type: 'choice',
        choices: ['lstm', 'gru', 'rnn'],
        default: 'lstm',
        help: 'Kind of the recurrent layers',
      },
      { name: 'layers', type: 'integer', min: 1, max: 16, default: 2, help: 'Recurrent layers' },
      { name: 'hidden', type: 'integer', min: 1, default: 128, help: 'Units of a layer' },
      {
        name: 'dropout',
        type: 'number',
        min: 0,
        max: 0.95,
        default: 0,
        help: 'Fraction of units dropped after each layer',
      },
      {
        name: 'sequence-length',
        type: 'integer',
        min: 1,
        default: 50,
        help: 'Characters that gradients go back through',
      },
      {
        name: 'batch-size',
        type: 'integer',
        min: 1,
        default: 50,
        help: 'Places of the text that are read side by side',
      },
      { name: 'epochs', type: 'integer', min: 1, default: 50, help: 'Passes over the text' },
      { name: 'learning-rate', type: 'number', min: 0, default: 0.002, help: "RMSProp's step size" },
      {
        name: 'learning-rate-decay',
        type: 'number',
        min: 0,
        max: 1,
        default: 0.97,
        help: 'Factor of the rate after each epoch',
      },
      { name: 'decay-after', type: 'integer', min: 0, default: 10, help: 'Epochs before the rate decays' },
      { name: 'decay-rate', type: 'number', min: 0, max: 1, default: 0.95, help: "Memory of RMSProp's mean square" },
      { name: 'clip', type: 'number', min: 0.001, default: 5, help: 'Greatest number in a gradient' },
      {
        name: 'validation',
        type: 'number',
        min: 0,
        max: 0.9,
        default: 0.05,
        help: 'Fraction of the text kept for validation',
      },
      resume,
    ],
    examples: [
      'kiln train text shakespeare.txt',
      'kiln train text *.c --hidden 256',
      'kiln train text --resume runs/text-1',
    ],
    run: async (context) => (await import('./commands/train.js')).train(context, await import('../apps/text/index.js')),
  }),
  command({
    name: 'evaluate',
    summary: "tests a run's network on what it has not learnt from",
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
    name: 'generate',
    summary: "writes text with a run's network",
    arguments: [runArgument],
    options: [
      { name: 'prime', type: 'string', help: 'What the text begins with', otherwise: 'a character drawn by the seed' },
      { name: 'temperature', type: 'number', min: 0, max: 100, default: 1, help: 'Below 1 safer, above 1 wilder' },
      { name: 'length', type: 'integer', min: 1, default: 2000, help: 'Characters to write' },
    ],
    examples: ['kiln generate runs/text-1 --prime "ROMEO:" --temperature 0.8'],
    run: async (context) => (await import('./commands/generate.js')).generate(context),
  }),
  command({
    name: 'summary',
    summary: 'lists the layers of a run, or the tensors of a file',
    arguments: [{ name: 'RUN|FILE', help: 'Folder of a run, or a .safetensors file' }],
    options: [],
    examples: ['kiln summary runs/mnist-1', 'kiln summary model.safetensors --json'],
    run: async (context) => (await import('./commands/summary.js')).summary(context),
  }),
  command({
    name: 'explain',
    summary: 'shows where the time of a network goes, kernel by kernel',
    arguments: [
      { name: 'RUN|MODEL', help: 'Folder of a run, a .safetensors file that Kiln has saved, or mnist or text' },
    ],
    options: [
      { name: 'batch-size', type: 'integer', min: 1, help: 'Examples a batch', otherwise: "the run's" },
      { name: 'training', type: 'boolean', help: 'A whole training step: forward, gradients, update' },
      { name: 'listing', type: 'boolean', help: 'Print the nests, schedules and machine code of all kernels' },
    ],
    examples: ['kiln explain runs/mnist-1', 'kiln explain mnist --training --batch-size 128'],
    run: async (context) => (await import('./commands/explain.js')).explain(context),
  }),
  command({
    name: 'doctor',
    summary: 'says what computes here, whether it computes rightly, and how fast it is',
    arguments: [],
    options: [],
    examples: ['kiln doctor', 'KILN_DEVICE=wasm kiln doctor --json'],
    run: async (context) => (await import('./commands/doctor.js')).doctor(context),
  }),
];
