import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { before } from 'node:test';
import * as app from '../../../src/apps/mnist/index.js';
import { wasm } from '../../../src/backends/index.js';
import { useDevice } from '../../../src/core/index.js';
import { encodePng, mnist } from '../../../src/data/index.js';
import { getWeights, summary } from '../../../src/nn/index.js';
import { openRun, type Progress } from '../../../src/train/index.js';

useDevice(wasm({ threads: 2 }));

const options = { epochs: 2, batchSize: 8, learningRate: 0.001, seed: 3, limit: 20, testLimit: 4 };

interface Recorder {
  readonly host: app.TrainHost;
  readonly printed: string[];
  readonly notes: string[];
  readonly progress: Progress[];
}

function recorder(given: readonly string[] = [], stopAfterSteps = Number.POSITIVE_INFINITY): Recorder {
  const [printed, notes, progress]: [string[], string[], Progress[]] = [[], [], []];
  const controller = new AbortController();
  const host: app.TrainHost = {
    signal: controller.signal,
    print: (text) => void printed.push(text),
    note: (text) => void notes.push(text),
    progress: (state) => {
      progress.push(state);
      if (progress.length >= stopAfterSteps) controller.abort();
    },
    given: new Set(given),
    version: '0.0.0',
  };
  return { host, printed, notes, progress };
}

let directory = '';
let whole = '';
let trained: app.TrainResult;
let told: Recorder;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kiln-mnist-'));
  whole = join(directory, 'whole');
  told = recorder();
  trained = await app.train({ ...options, out: whole, ...{ json: false } }, told.host);
});

test('a run leaves its folder, and says what it found and where it lies', async () => {
  assert.deepEqual((await readdir(whole)).sort(), [
    'accuracy.svg',
    'checkpoint.safetensors',
    'confusion-matrix.svg',
    'loss.svg',
    'metrics.jsonl',
    'mistakes.png',
    'mistakes.svg',
    'report.html',
    'run.json',
  ]);
  assert.equal(trained.steps, 6);
  assert.equal(
    trained.confusion!.flat().reduce((sum, count) => sum + count, 0),
    4,
  );
  assert.match(told.printed[0]!, /Total params: 600,810/);
  assert.match(told.printed[1]!, /^Confusion matrix \(rows: predicted, columns: true\)\n/);
  assert.match(told.printed[2]!, /^Report: {5}\S+report\.html\nCheckpoint: \S+\nNext: {7}kiln predict \S+ digit\.png$/);
  assert.deepEqual(told.notes, [`Training on 20 digits, 2 epochs of 3 steps, in ${whole}`]);
  assert.equal(told.progress.filter(({ isEpochDone }) => isEpochDone).length, 2);
  const run = await openRun(whole);
  assert.deepEqual((await run.readDescription()).options, {
    epochs: 2,
    batchSize: 8,
    learningRate: 0.001,
    limit: 20,
    testLimit: 4,
  });
  const records = await run.readMetrics();
  assert.deepEqual(
    records.map(({ kind, step }) => `${kind} ${step}`),
    ['step 1', 'step 2', 'step 3', 'epoch 3', 'step 4', 'step 5', 'step 6', 'epoch 6'],
  );
  // the last epoch's validation and the test are the same digits, one measured in batches, one from its logits
  assert.ok(Math.abs(trained.loss! - (records.at(-1)!['validationLoss'] as number)) < 1e-6);
});

test('an interrupted run goes on to the same bits', async () => {
  const out = join(directory, 'parts');
  const first = recorder([], 2);
  const interrupted = await app.train({ ...options, out }, first.host);
  assert.equal(interrupted.interrupted, true);
  assert.equal(first.printed.at(-1), `Interrupted after step 2. Go on with: kiln train mnist --resume ${out}`);
  // options that were not typed are the run's own
  const second = recorder([]);
  await app.train({ ...options, epochs: 9, seed: 0, resume: out }, second.host);
  assert.equal(second.notes[0], `Training on 20 digits, 2 epochs of 3 steps, in ${out}, from step 2`);
  for (const file of ['checkpoint.safetensors', 'metrics.jsonl', 'confusion-matrix.svg', 'mistakes.png']) {
    assert.ok((await readFile(join(out, file))).equals(await readFile(join(whole, file))), file);
  }
});

test('the bits do not depend on the number of threads', async () => {
  for (const threads of [1, 3]) {
    useDevice(wasm({ threads }));
    const out = join(directory, `threads-${threads}`);
    await app.train({ ...options, out }, recorder().host);
    for (const file of ['checkpoint.safetensors', 'metrics.jsonl']) {
      assert.ok(
        (await readFile(join(out, file))).equals(await readFile(join(whole, file))),
        `${threads} threads: ${file}`,
      );
    }
  }
});

test('a run that was killed before its first checkpoint begins anew', async () => {
  const out = join(directory, 'early');
  await app.train({ ...options, out }, recorder([], 1).host);
  await rm(join(out, 'checkpoint.safetensors'));
  await app.train({ ...options, resume: out }, recorder().host);
  assert.ok(
    (await readFile(join(out, 'checkpoint.safetensors'))).equals(await readFile(join(whole, 'checkpoint.safetensors'))),
  );
});

test('what decides the numbers cannot be changed on the way', async () => {
  await assert.rejects(app.train({ ...options, batchSize: 16, resume: whole }, recorder(['batchSize']).host), {
    message:
      `kiln train: --batch-size is 16, the run ${whole} has 8\n` +
      '  A run goes on with what it began with: leave --batch-size out, or start a new run.',
  });
  await assert.rejects(app.train({ ...options, testLimit: 8, resume: whole }, recorder(['testLimit']).host), {
    message:
      `kiln train: --test-limit is 8, the run ${whole} has 4\n` +
      '  A run goes on with what it began with: leave --test-limit out, or start a new run.',
  });
});

test('evaluate measures the run again', async () => {
  const { host, printed } = recorder();
  const result = await app.evaluate(await openRun(whole), { testLimit: 4 }, host);
  assert.deepEqual(result, {
    ...(result as object),
    run: whole,
    loss: trained.loss,
    accuracy: trained.accuracy,
    confusion: trained.confusion,
  });
  assert.deepEqual(printed, [told.printed[1]]);
});

test('predict reads pictures of any look, and names a blank one', async () => {
  const { test: digits } = await mnist({ limit: 0, testLimit: 1 });
  const { data } = digits.fields['images']!;
  const [bright, dark, blank] = ['bright', 'dark', 'blank'].map((name) => join(directory, `${name}.png`)) as [
    string,
    string,
    string,
  ];
  const picture = (pixel: (value: number) => number): Uint8Array =>
    encodePng({ dtype: 'uint8', shape: [28, 28, 1], data: Uint8Array.from(data, pixel) });
  await writeFile(
    bright,
    picture((value) => value),
  );
  await writeFile(
    dark,
    picture((value) => 255 - value),
  );
  await writeFile(
    blank,
    picture(() => 255),
  );
  const { host, printed } = recorder();
  const [a, b] = await app.predict(await openRun(whole), [bright, dark], { top: 2 }, host);
  assert.equal(a!.guesses.length, 2);
  assert.ok(a!.guesses[0]!.probability >= a!.guesses[1]!.probability);
  assert.deepEqual(b!.guesses, a!.guesses);
  assert.match(printed[0]!, /^\S+bright\.png {2}\d \(\d+\.\d %\), \d \(\d+\.\d %\)$/);
  await assert.rejects(app.predict(await openRun(whole), [blank], {}, host), (error: Error) => {
    assert.match(error.message, /^\S+blank\.png: digitFromImage: .* is blank/);
    return true;
  });
});

test("a checkpoint of another application's network is named", async () => {
  const out = join(directory, 'other');
  await app.train({ ...options, out }, recorder([], 1).host);
  await copyFile(new URL(import.meta.url), join(out, 'checkpoint.safetensors'));
  await assert.rejects(app.evaluate(await openRun(out), {}, recorder().host), { name: 'FormatError' });
});

test("the network has the lecture's layers, shapes and counts", () => {
  const model = app.mnistNetwork();
  const lines = summary(model, { layout: 'channelsFirst' });
  for (const expected of [
    /convolution2d_1 .*\(None, 32, 26, 26\) +320 /,
    /convolution2d_2 .*\(None, 32, 24, 24\) +9,248 /,
    /maxpooling2d_1 .*\(None, 32, 12, 12\) +0 /,
    /dropout_1 .*\(None, 32, 12, 12\) +0 /,
    /flatten_1 .*\(None, 4608\) +0 /,
    /dense_1 .*\(None, 128\) +589,952 /,
    /dropout_2 .*\(None, 128\) +0 /,
    /dense_2 .*\(None, 10\) +1,290 /,
    /Total params: 600,810/,
  ]) {
    assert.match(lines, expected);
  }
  const shapes = Object.entries(getWeights(model, { layout: 'channelsFirst' }))
    .filter(([path]) => path.endsWith('kernel'))
    .map(([, { shape }]) => shape);
  assert.deepEqual(shapes, [
    [32, 1, 3, 3],
    [32, 32, 3, 3],
    [4608, 128],
    [128, 10],
  ]);
});
