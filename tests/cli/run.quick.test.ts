import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Context, command } from '../../src/cli/command.js';
import type { CommonOptions } from '../../src/cli/options.js';
import { fail, KilnError } from '../../src/core/index.js';
import { encodeSafetensors, writeFileAtomic } from '../../src/formats/index.js';
import { kiln } from './kiln.js';

const probe = (
  run: (
    context: Context<
      CommonOptions & { readonly batchSize: number; readonly fast: boolean; readonly rate: number | undefined }
    >,
  ) => Promise<unknown>,
) => [
  command({
    name: 'probe',
    summary: 'does what the test says',
    arguments: [
      { name: 'A', help: 'one' },
      { name: 'B', help: 'more', isVariadic: true },
    ],
    options: [
      { name: 'batch-size', type: 'integer', min: 1, default: 32, help: 'A number' },
      { name: 'fast', type: 'boolean', help: 'A flag', short: 'f' },
      { name: 'rate', type: 'number', help: 'Another' },
    ],
    examples: ['kiln probe x y'],
    run,
  }),
];

test('options arrive typed, by their names in camel case, with what was typed told apart from defaults', async () => {
  let seen: unknown;
  const table = probe(async (context) => {
    seen = { options: context.options, given: [...context.given].sort(), arguments: context.arguments };
  });
  assert.equal((await kiln('probe a b c --batch-size 8 -f --rate 1e-3 --seed 7', table)).code, 0);
  assert.deepEqual(seen, {
    options: { batchSize: 8, fast: true, rate: 0.001, json: false, seed: 7 },
    given: ['batchSize', 'fast', 'rate', 'seed'],
    arguments: [['a'], ['b', 'c']],
  });
  await kiln('probe a b', table);
  assert.deepEqual(seen, {
    options: { batchSize: 32, fast: false, json: false, seed: 0 },
    given: [],
    arguments: [['a'], ['b']],
  });
});

test('people get lines, scripts get JSON, progress goes to stderr', async () => {
  const table = probe(async ({ out }) => {
    out.note('working');
    out.print('42 things');
    return { things: 42 };
  });
  assert.deepEqual(await kiln('probe a b', table), { code: 0, stdout: '42 things\n', stderr: 'working\n' });
  assert.deepEqual(await kiln('probe a b --json', table), {
    code: 0,
    stdout: '{\n  "things": 42\n}\n',
    stderr: 'working\n',
  });
});

test("a person's mistake has no stack; a fault of Kiln has one and says where to report", async () => {
  const mistake = await kiln(
    'probe a b',
    probe(async () => fail('data.gz: ends early', 'Load it again.', KilnError)),
  );
  assert.deepEqual(mistake, { code: 1, stdout: '', stderr: 'data.gz: ends early\n  Load it again.\n' });
  const fault = await kiln(
    'probe a b',
    probe(async () => Promise.reject(new TypeError('x is not a function'))),
  );
  assert.equal(fault.code, 1);
  assert.match(
    fault.stderr,
    /^TypeError: x is not a function\n {4}at [\s\S]*\n\nThis is a fault of Kiln \d+\.\d+\.\d+\S*, not yours\. Please report it /,
  );
});

test('an interrupted command ends with 130, whether it returns or throws', async () => {
  const controller = new AbortController();
  controller.abort();
  const { signal } = controller;
  assert.equal(
    (
      await kiln(
        'probe a b',
        probe(async () => undefined),
        signal,
      )
    ).code,
    130,
  );
  assert.deepEqual(
    await kiln(
      'probe a b',
      probe(async (context) => context.signal.throwIfAborted()),
      signal,
    ),
    {
      code: 130,
      stdout: '',
      stderr: '',
    },
  );
});

test('summary lists the tensors of a safetensors file, as a table, as JSON and into a file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kiln-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'model.safetensors');
  const kernel = { dtype: 'float32', shape: [3, 400], data: new Float32Array(1200) } as const;
  const bias = { dtype: 'float32', shape: [3], data: new Float32Array(3) } as const;
  await writeFileAtomic(file, encodeSafetensors({ kernel, bias }, { made: 'here' }));
  const people = await kiln(`summary ${file}`);
  assert.equal(people.code, 0);
  assert.equal(
    people.stdout,
    `\
Tensor     Type     Shape     Elements      Size
────────────────────────────────────────────────
bias       float32  [3]              3  12 bytes
kernel     float32  [3, 400]     1,200   4.80 KB
────────────────────────────────────────────────
2 tensors                        1,203   4.81 KB
made: here
`,
  );
  const out = join(folder, 'summary.json');
  const scripts = await kiln(`summary ${file} --json --out ${out}`);
  assert.equal(JSON.parse(scripts.stdout).elements, 1203);
  assert.equal(await readFile(out, 'utf8'), scripts.stdout);
  assert.equal(scripts.stderr, `Written to ${out}\n`);
});

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

test('the executable itself: a closed pipe is no error, a mistake has its code', async () => {
  const closed = spawn(process.execPath, [main, 'train', '--help']);
  closed.stdout.destroy();
  assert.deepEqual(await once(closed, 'exit'), [0, null]);
  const wrong = spawn(process.execPath, [main, 'nothing']);
  assert.deepEqual(await once(wrong, 'exit'), [2, null]);
});

const interruptible = fileURLToPath(new URL('./interruptible.js', import.meta.url));
const saving = '\nEnding this step and saving. Once more ends at once.\n';

test('Ctrl-C lets the command save and ends with 130', async () => {
  const child = spawn(process.execPath, [interruptible, 'polite']);
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (part) => {
    text.stdout += part;
    if (text.stdout === 'ready\n') child.kill('SIGINT');
  });
  child.stderr.on('data', (part) => void (text.stderr += part));
  assert.deepEqual(await once(child, 'close'), [130, null]);
  assert.deepEqual(text, { stdout: 'ready\nsaved\n', stderr: saving });
});

test('a second Ctrl-C ends at once', async () => {
  const child = spawn(process.execPath, [interruptible, 'deaf']);
  child.stdout.on('data', () => void child.kill('SIGINT'));
  // the answer to the first tells that it has arrived: two signals in one moment may become one
  child.stderr.on('data', () => void child.kill('SIGINT'));
  assert.deepEqual(await once(child, 'close'), [130, null]);
});
