import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import * as app from '../../../src/apps/text/index.js';
import { wasm } from '../../../src/backends/index.js';
import { tensor, useDevice } from '../../../src/core/index.js';
import { initialize } from '../../../src/nn/index.js';
import { openRun } from '../../../src/train/index.js';

useDevice(wasm({ threads: 1 }));

/** Of "The Tempest", act 4, scene 1, twice: enough for a few batches. */
const paragraph = `\
Our revels now are ended. These our actors,
As I foretold you, were all spirits and
Are melted into air, into thin air:
And, like the baseless fabric of this vision,
The cloud-capp'd towers, the gorgeous palaces,
The solemn temples, the great globe itself,
Yea, all which it inherit, shall dissolve
And, like this insubstantial pageant faded,
Leave not a rack behind. We are such stuff
As dreams are made on, and our little life
Is rounded with a sleep.
`.repeat(2);

const settings: app.TextSettings = {
  ...app.textDefaults,
  hidden: 24,
  dropout: 0.1,
  sequenceLength: 12,
  batchSize: 6,
  epochs: 3,
  learningRate: 0.01,
  validation: 0.2,
  seed: 3,
};

interface Recorder {
  readonly host: app.TrainHost;
  readonly printed: string[];
  readonly notes: string[];
}

function recorder(given: readonly string[] = [], stopAfterSteps = Number.POSITIVE_INFINITY): Recorder {
  const [printed, notes]: [string[], string[]] = [[], []];
  const controller = new AbortController();
  let steps = 0;
  const host: app.TrainHost = {
    signal: controller.signal,
    print: (text) => void printed.push(text),
    note: (text) => void notes.push(text),
    progress: () => {
      if (++steps >= stopAfterSteps) controller.abort();
    },
    given: new Set(given),
    version: '0.0.0',
  };
  return { host, printed, notes };
}

let directory = '';
let file = '';
let whole = '';
let trained: app.TrainResult;
let told: Recorder;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kiln-text-'));
  file = join(directory, 'tempest.txt');
  whole = join(directory, 'whole');
  await writeFile(file, paragraph);
  told = recorder();
  trained = await app.train({ ...settings, files: [file], out: whole }, told.host);
});

after(() => rm(directory, { recursive: true }));

test('a run leaves its folder, shows a sample after each epoch, and learns', async () => {
  assert.deepEqual((await readdir(whole)).sort(), [
    'bits.svg',
    'checkpoint.safetensors',
    'loss.svg',
    'metrics.jsonl',
    'report.html',
    'run.json',
  ]);
  const symbols = new Set(paragraph).size;
  assert.deepEqual(told.notes, [
    `Training on ${paragraph.length} characters of ${symbols} kinds, 3 epochs of ${trained.steps / 3} steps, in ${whole}`,
  ]);
  const samples = told.printed.filter((text) => text.startsWith('── epoch'));
  assert.equal(samples.length, 3);
  for (const sample of samples) {
    assert.match(
      sample,
      /^── epoch \d, validation \d\.\d{4} nats, \d\.\d{3} bits a character \(perplexity \d+\.\d\d\)\n/,
    );
    assert.equal([...sample.split('\n').slice(1, -1).join('\n')].length, 300);
  }
  assert.ok(trained.validationLoss! < Math.log(symbols) - 0.2, `${trained.validationLoss}`);
  assert.equal(trained.bitsPerCharacter, trained.validationLoss! / Math.LN2);
  const run = await openRun(whole);
  const { options, seed, vocabulary, files } = await run.readDescription();
  assert.deepEqual({ ...options, seed }, settings);
  assert.equal(vocabulary, [...new Set(paragraph)].sort().join(''));
  assert.deepEqual(files, [file]);
  const epochs = (await run.readMetrics()).filter(({ kind }) => kind === 'epoch');
  assert.equal(epochs.at(-1)!['validationLoss'], trained.validationLoss);
});

test('the report has curves, samples at four temperatures and what units respond to', async () => {
  const page = await readFile(join(whole, 'report.html'), 'utf8');
  for (const temperature of ['0.2', '0.5', '0.8', '1']) assert.ok(page.includes(`temperature ${temperature}\n`));
  assert.match(page, /nats a character/);
  assert.match(page, /bits a character/);
  assert.match(
    page,
    /<figure class="colored"><figcaption>lstm_[12], cell \d+: [a-z ]+ \(correlation -?0\.\d\d\)<\/figcaption>/,
  );
  assert.match(page, /<span class="high" style="--a:\d+%">/);
});

test('an interrupted run goes on to the same bits', async () => {
  const out = join(directory, 'parts');
  const first = recorder([], 2);
  const interrupted = await app.train({ ...settings, files: [file], out }, first.host);
  assert.equal(interrupted.interrupted, true);
  assert.equal(first.printed.at(-1), `Interrupted after step 2. Go on with: kiln train text --resume ${out}`);
  // neither options nor files have to be given again
  const second = recorder();
  await app.train({ ...settings, epochs: 9, hidden: 5, files: [], resume: out }, second.host);
  assert.match(second.notes[0]!, /from step 2$/);
  for (const name of ['checkpoint.safetensors', 'metrics.jsonl', 'loss.svg'])
    assert.ok((await readFile(join(out, name))).equals(await readFile(join(whole, name))), name);
});

test('a run can go on for more epochs, which is what a longer run would have been', async () => {
  const [short, long] = [join(directory, 'short'), join(directory, 'long')];
  await app.train({ ...settings, epochs: 1, files: [file], out: short }, recorder().host);
  await app.train({ ...settings, epochs: 3, files: [], resume: short }, recorder(['epochs']).host);
  await app.train({ ...settings, files: [file], out: long }, recorder().host);
  const checkpoint = (folder: string): Promise<Buffer> => readFile(join(folder, 'checkpoint.safetensors'));
  assert.ok((await checkpoint(short)).equals(await checkpoint(long)));
});

test('what decides the numbers cannot be changed on the way, nor the text', async () => {
  await assert.rejects(app.train({ ...settings, files: [], hidden: 32, resume: whole }, recorder(['hidden']).host), {
    message:
      `kiln train text: --hidden is 32, the run ${whole} has 24\n` +
      '  A run goes on with what it began with: leave --hidden out, or start a new run.',
  });
  const other = join(directory, 'other.txt');
  await writeFile(other, paragraph.toUpperCase());
  await assert.rejects(app.train({ ...settings, files: [other], resume: whole }, recorder().host), {
    message:
      `kiln train text: the files are not those that the run ${whole} began with\n` +
      '  run.json lists them and their SHA-256. Bring them back, or start a new run.',
  });
});

test('generate goes on with what it is given, the same for a seed', async () => {
  const run = await openRun(whole);
  const write = async (options: Partial<app.GenerateOptions>): Promise<string> => {
    const { host, printed } = recorder();
    const { text } = await app.generate(run, { temperature: 0.7, length: 150, seed: 1, ...options }, host);
    assert.equal(printed.join('\n'), text.replace(/\n$/, ''));
    return text;
  };
  const text = await write({ prime: 'And, like this' });
  assert.ok(text.startsWith('And, like this'));
  assert.equal(text.length, 164);
  assert.equal(await write({ prime: 'And, like this' }), text);
  assert.notEqual(await write({ prime: 'And, like this', seed: 2 }), text);
  // a prime that is longer than one call of the program writes
  const long = paragraph.slice(0, 150);
  assert.ok((await write({ prime: long })).startsWith(long));
  assert.equal((await write({})).length, 150);
  const out = join(directory, 'sample.txt');
  assert.equal(await write({ out }), await readFile(out, 'utf8'));
  // always the likeliest: the seed decides nothing
  assert.equal(await write({ prime: 'We', temperature: 0 }), await write({ prime: 'We', temperature: 0, seed: 9 }));
  await assert.rejects(write({ prime: 'Prospero & Ariel' }), {
    message: /^kiln generate: --prime: "P" at character 0 is not among the \d+ characters that the network knows\n/,
  });
});

test('the sampler draws from the softmax of the logits over the temperature', async () => {
  const model = app.textNetwork(
    { model: 'rnn', layers: 1, hidden: 4, dropout: 0, seed: 1 },
    { vocabulary: 3, sequenceLength: 1 },
  );
  initialize(model, { seed: 1 });
  const logits = [0.5, 1.5, -0.5];
  for (const [path, parameter] of Object.entries(model.parameters()))
    parameter.assign(
      path === 'dense_1/bias'
        ? tensor(logits)
        : tensor(new Float32Array(parameter.shape.reduce((a, b) => a * b, 1)), { shape: parameter.shape }),
    );
  const sampler = new app.Sampler(model, 2);
  const [hot, cold] = await sampler.take(
    [
      { temperature: 1, prime: [0] },
      { temperature: 0.5, prime: [0] },
    ],
    8001,
    5,
  );
  for (const [numbers, temperature] of [
    [hot!, 1],
    [cold!, 0.5],
  ] as const) {
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit / temperature), 0);
    logits.forEach((logit, symbol) => {
      const expected = Math.exp(logit / temperature) / total;
      const share = numbers.slice(1).filter((each) => each === symbol).length / 8000;
      assert.ok(Math.abs(share - expected) < 5 * Math.sqrt((expected * (1 - expected)) / 8000), `${share} ${expected}`);
    });
  }
});

test('a sequence read whole and step by step gives the same logits', async () => {
  for (const model of ['lstm', 'gru', 'rnn'] as const) {
    const network = app.textNetwork(
      { model, layers: 2, hidden: 8, dropout: 0, seed: 2 },
      { vocabulary: 5, sequenceLength: 4 },
    );
    const ids = [1, 4, 0, 2];
    const whole = network.forward(tensor(Int32Array.from(ids), { shape: [1, 4] })).slice(0);
    const likeliest = whole.argmax({ axis: -1 }).dataSync();
    // at temperature 0 what follows the prime is the likeliest after it
    for (let length = 1; length <= 4; length++) {
      const [text] = await new app.Sampler(network).take(
        [{ temperature: 0, prime: ids.slice(0, length) }],
        length + 1,
        0,
      );
      assert.equal(text!.at(-1), likeliest[length - 1]);
    }
  }
});

test('evaluate measures the validation text again', async () => {
  const { host, printed } = recorder();
  const result = (await app.evaluate(await openRun(whole), {}, host)) as { loss: number };
  assert.equal(result.loss, trained.validationLoss);
  assert.match(printed[0]!, /^Validation: \d\.\d{4} nats/);
});

test("char-rnn's default network on 65 characters has its number of weights, with one bias where it has two", () => {
  const model = app.textNetwork(app.textDefaults, { vocabulary: 65, sequenceLength: 50 });
  const count = Object.values(model.parameters()).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  assert.equal(count, 240_321 - 2 * 4 * 128);
});
