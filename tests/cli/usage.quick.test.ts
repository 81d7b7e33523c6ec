import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kiln } from './kiln.js';

/** Command line -> the whole text on stderr. */
const mistakes: readonly (readonly [line: string, text: string])[] = [
  ['train mnist --epoch 5', 'kiln train mnist: unknown option --epoch\n  Did you mean --epochs?'],
  ['train mnist --epoch=5', 'kiln train mnist: unknown option --epoch\n  Did you mean --epochs?'],
  [
    'train mnist --zzzzzzzz',
    'kiln train mnist: unknown option --zzzzzzzz\n  `kiln train mnist --help` lists the options.',
  ],
  ['train mnsit', 'kiln train: got mnsit (known: mnist, text)\n  Did you mean mnist?'],
  ['train imagenet', 'kiln train: got imagenet (known: mnist, text)\n  Choose mnist or text.'],
  [
    'train mnist --epochs 0',
    'kiln train mnist: --epochs takes a whole number from 1: got 0\n  For example --epochs 1.',
  ],
  [
    'train mnist --epochs 1.5',
    'kiln train mnist: --epochs takes a whole number from 1: got 1.5\n  For example --epochs 1.',
  ],
  [
    'train mnist --epochs many',
    'kiln train mnist: --epochs takes a whole number from 1: got many\n  For example --epochs 1.',
  ],
  [
    'train mnist --epochs 1e400',
    'kiln train mnist: --epochs takes a whole number from 1: got 1e400\n  For example --epochs 1.',
  ],
  [
    'train mnist --epochs=',
    'kiln train mnist: --epochs takes a whole number from 1: got nothing\n  For example --epochs 1.',
  ],
  ['train mnist --epochs', 'kiln train mnist: --epochs has no value\n  Give it one: --epochs N.'],
  ['train mnist --out=', 'kiln train mnist: --out is empty\n  Give it a value: --out PATH.'],
  [
    'train mnist --threads -1',
    'kiln train mnist: --threads takes a whole number from 1 to 16: got -1\n  For example --threads 1.',
  ],
  [
    'train mnist --learning-rate NaN',
    'kiln train mnist: --learning-rate takes a number from 0: got NaN\n  For example --learning-rate 0.001.',
  ],
  [
    'train mnist --device gpu',
    'kiln train mnist: --device: got gpu (known: x64, wasm, reference)\n  Choose x64 or wasm or reference.',
  ],
  ['train', 'kiln train: takes mnist or text: got nothing\n  For example: kiln train mnist --epochs 5'],
  [
    'train --epochs 3 mnist',
    'kiln train: --epochs comes before mnist or text\n  Options follow the command: kiln train mnist --epochs.',
  ],
  ['predict runs/mnist-1', 'kiln predict: FILE is missing\n  For example: kiln predict runs/mnist-1 digit.png'],
  ['summary a b', 'kiln summary: takes 1 argument: got 2\n  For example: kiln summary runs/mnist-1'],
  ['trian mnist', 'kiln: unknown command trian\n  Did you mean train?'],
  [
    'xylophone',
    'kiln: unknown command xylophone\n  Commands: train, evaluate, predict, generate, summary, explain, doctor.',
  ],
  ['--json', 'kiln: unknown option --json\n  Options follow the command: kiln COMMAND --json.'],
];

for (const [line, text] of mistakes) {
  test(`kiln ${line}`, async () => {
    assert.deepEqual(await kiln(line), { code: 2, stdout: '', stderr: `${text}\n` });
  });
}

test('kiln --help', async () => {
  const help = `\
kiln: deep learning in TypeScript, compiled

Usage
  kiln COMMAND [options]

Commands
  train mnist    trains a network that reads handwritten digits
  train text     trains a recurrent network that writes in the style of a text
  evaluate       tests a run's network on what it has not learnt from
  predict        says what a run's network sees in pictures
  generate       writes text with a run's network
  summary        lists the layers of a run, or the tensors of a file
  explain        shows where the time of a network goes, kernel by kernel
  doctor         says what computes here, whether it computes rightly, and how fast it is

Options
  -h, --help     Show this help; \`kiln COMMAND --help\` shows that of a command
  -V, --version  Print the version

Start with
  kiln train mnist
`;
  assert.deepEqual(await kiln('--help'), { code: 0, stdout: help, stderr: '' });
  assert.deepEqual(await kiln(''), { code: 2, stdout: '', stderr: help });
});

test('kiln train mnist --help shows ranges, defaults and examples', async () => {
  const help = `\
kiln train mnist: trains a network that reads handwritten digits

Usage
  kiln train mnist [options]

Options
  --epochs N                   Passes over the training data (from 1, default 1)
  --batch-size N               Examples a step (from 1, default 32)
  --learning-rate X            Adam's step size (from 0, default 0.001)
  --limit N                    Learn from the first N examples (from 1, default all)
  --test-limit N               Test on the first N examples (from 1, default all)
  --resume RUN                 Go on with a run from its last checkpoint

Options of all commands
  --json                       Print the result as JSON, for scripts
  --seed N                     Where all randomness comes from (from 0 to 4294967295, default 0)
  --device x64|wasm|reference  What computes (default KILN_DEVICE, or the fastest)
  --threads N                  Threads that compute (from 1 to 16, default all cores)
  --out PATH                   Where results are written
  -h, --help                   Show this help

Examples
  kiln train mnist --epochs 5
  kiln train mnist --resume runs/mnist-1
`;
  assert.deepEqual(await kiln('train mnist --help'), { code: 0, stdout: help, stderr: '' });
});

test('kiln train --help shows what can be trained', async () => {
  const help = `\
kiln train: 2 commands

Usage
  kiln train mnist|text [options]

Commands
  train mnist  trains a network that reads handwritten digits
  train text   trains a recurrent network that writes in the style of a text

Options
  -h, --help   Show this help; \`kiln train mnist --help\` shows that of one

Examples
  kiln train mnist --epochs 5
  kiln train text shakespeare.txt
`;
  assert.deepEqual(await kiln('train --help'), { code: 0, stdout: help, stderr: '' });
  assert.equal((await kiln('help train')).stdout.trimEnd(), help.trimEnd());
});

test('every command has help with its arguments and an example', async () => {
  for (const name of ['train text', 'evaluate', 'predict', 'generate', 'summary']) {
    const { code, stdout } = await kiln(`${name} -h`);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^kiln ${name}: [\\s\\S]*\\nArguments\\n[\\s\\S]*\\nExamples?\\n  kiln ${name} `));
  }
});
