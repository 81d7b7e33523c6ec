import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kiln } from './kiln.js';

test('a run is trained on text, tested, summarised, and writes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kiln-cli-text-'));
  t.after(() => rm(folder, { recursive: true }));
  const [file, run, out] = ['lines.txt', 'run', 'sample.txt'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(file, 'The quick brown fox jumps over the lazy dog.\n'.repeat(20));
  const options = '--layers 1 --hidden 16 --sequence-length 10 --batch-size 8 --epochs 2 --threads 1';
  const train = await kiln(`train text ${file} ${options} --json --out ${run}`);
  assert.equal(train.code, 0, train.stderr);
  const trained = JSON.parse(train.stdout);
  assert.equal(trained.interrupted, false);
  assert.match(train.stderr, /^Training on 900 characters of 30 kinds, 2 epochs of \d+ steps, in \S+\nepoch 1\/2 /);

  const evaluate = await kiln(`evaluate ${run} --json`);
  assert.equal(JSON.parse(evaluate.stdout).loss, trained.validationLoss);
  assert.match((await kiln(`summary ${run}`)).stdout, /lstm_1 \(LSTM\) {5}\(None, 10, 16\)/);
  assert.match(
    (await kiln(`summary ${trained.checkpoint}`)).stdout,
    /model\/lstm_1\/cell\/kernel[\s\S]*\narchitecture: text\n/,
  );

  const written = await kiln(`generate ${run} --prime The --length 60 --out ${out} --json`);
  const { text } = JSON.parse(written.stdout);
  assert.ok(text.startsWith('The') && text.length === 63, text);
  assert.equal(await readFile(out, 'utf8'), text);
  assert.match(written.stderr, /^63 characters in \d+\.\d s\nWritten to \S+\n$/);

  assert.deepEqual(await kiln(`predict ${run} digit.png`), {
    code: 1,
    stdout: '',
    stderr: `kiln predict: ${run} is a run of text, which has no predict\n  It has evaluate, generate, explain, summary.\n`,
  });
  const nothing = await kiln('train text');
  assert.equal(nothing.code, 2);
  assert.equal(nothing.stderr, 'kiln train text: FILE is missing\n  For example: kiln train text shakespeare.txt\n');
});
