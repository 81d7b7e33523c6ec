import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodePng } from '../../src/data/index.js';
import { kiln } from './kiln.js';

test('a run is trained, tested, summarised and asked', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kiln-cli-mnist-'));
  t.after(() => rm(folder, { recursive: true }));
  const run = join(folder, 'run');
  const train = await kiln(`train mnist --limit 16 --test-limit 8 --batch-size 8 --threads 1 --json --out ${run}`);
  assert.equal(train.code, 0, train.stderr);
  const trained = JSON.parse(train.stdout);
  assert.equal(trained.steps, 2);
  assert.match(train.stderr, /^Training on 16 digits, 1 epoch of 2 steps, in \S+\nepoch 1\/1 {2}0:0\d {2}loss /);

  const evaluate = await kiln(`evaluate ${run} --test-limit 8 --json`);
  assert.equal(JSON.parse(evaluate.stdout).loss, trained.loss);

  const file = await kiln(`summary ${trained.checkpoint}`);
  assert.match(file.stdout, /Total params: 600,810[\s\S]*model\/conv2d_1\/kernel[\s\S]*\narchitecture: mnist\n/);
  assert.match((await kiln(`summary ${run}`)).stdout, /Total params: 600,810/);

  const digit = join(folder, 'digit.png');
  const pixels = Uint8Array.from({ length: 40 * 30 }, (_, i) => (i % 30 > 12 && i % 30 < 17 ? 20 : 240));
  await writeFile(digit, encodePng({ dtype: 'uint8', shape: [40, 30, 1], data: pixels }));
  const predict = await kiln(`predict ${run} ${digit} --top 2`);
  assert.match(predict.stdout, /digit\.png {2}\d \(\d+\.\d %\), \d \(\d+\.\d %\)\n$/);

  const again = await kiln(`train mnist --out ${run}`);
  assert.deepEqual(again, {
    code: 1,
    stdout: '',
    stderr: `${run}: holds a run already\n  Continue it with --resume ${run}, or choose another --out.\n`,
  });
});

test('a run that is not there is said so', async () => {
  const { code, stderr } = await kiln('evaluate runs/nothing-here');
  assert.equal(code, 1);
  assert.match(stderr, /^kiln evaluate: runs\/nothing-here: no such run\n/);
});
