import assert from 'node:assert/strict';
import { appendFile, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KilnError } from '../../src/core/index.js';
import { createRun, openRun, type RunDescription } from '../../src/train/index.js';

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kiln-run-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const description: RunDescription = {
  app: 'mnist',
  options: { epochs: 5, batchSize: 32 },
  seed: 0,
  versions: { node: '20.19.0', kiln: '0.1.0' },
  target: { lanes: 4 },
  dataHashes: { 'train-images': 'ab' },
};

test('runs are counted on, also past gaps and when several start at once', async (t) => {
  const root = join(await temporaryFolder(t), 'runs');
  await mkdir(join(root, 'mnist-7'), { recursive: true });
  await mkdir(join(root, 'mnist-x'));
  await mkdir(join(root, 'words-9'));
  const runs = await Promise.all(Array.from({ length: 6 }, () => createRun({ app: 'mnist', root })));
  assert.deepEqual(
    runs.map(({ path }) => path).sort(),
    [10, 11, 12, 13, 8, 9].map((n) => join(root, `mnist-${n}`)),
  );
});

test('--out is the folder itself, and no second run writes into it', async (t) => {
  const out = join(await temporaryFolder(t), 'a', 'b');
  const run = await createRun({ app: 'mnist', out });
  assert.equal(run.path, out);
  await run.writeDescription(description);
  await assert.rejects(createRun({ app: 'mnist', out }), {
    name: 'KilnError',
    message: `${out}: holds a run already\n  Continue it with --resume ${out}, or choose another --out.`,
  });
});

test('JSON has sorted keys, and run.json comes back', async (t) => {
  const root = await temporaryFolder(t);
  const run = await createRun({ app: 'mnist', root });
  await run.writeDescription(description);
  const text = await readFile(run.file('run.json'), 'utf8');
  assert.ok(
    text.startsWith(
      '{\n  "app": "mnist",\n  "dataHashes": {\n    "train-images": "ab"\n  },\n  "options": {\n    "batchSize": 32,',
    ),
  );
  assert.deepEqual(await (await openRun(run.path)).readDescription(), description);
  assert.equal((await openRun('mnist-1', { root })).path, run.path);
});

test('what is no run is said so, with the likely one', async (t) => {
  const root = await temporaryFolder(t);
  const missing = (path: string, mend: string, what = 'no such run') =>
    assert.rejects(openRun(path, { command: 'kiln evaluate', root }), {
      name: 'KilnError',
      message: `kiln evaluate: ${path}: ${what}\n  ${mend}`,
    });
  await missing('nothing', '`kiln train mnist` makes one.');
  const run = await createRun({ app: 'mnist', root });
  await missing(run.path, '`kiln train mnist` makes one.', 'no run.json: not a run folder');
  await run.writeDescription(description);
  await missing('mnits-1', `Did you mean ${run.path}?`);
  await missing('something-else', `Runs in ${root}: mnist-1.`);
  await writeFile(run.file('run.json'), '{"app":');
  await assert.rejects((await openRun(run.path)).readDescription(), (error: Error) => {
    assert.equal(error.name, 'FormatError');
    assert.ok(error.message.startsWith(`${run.file('run.json')}: no JSON: `));
    return true;
  });
  await writeFile(run.file('run.json'), '{"app":"mnist"}');
  await assert.rejects((await openRun(run.path)).readDescription(), {
    message: `${run.file('run.json')}: app, options or seed are missing\n  It was damaged or edited. Mend it, or start a new run.`,
  });
});

test('metrics come back as they were, NaN and infinity included', async (t) => {
  const run = await createRun({ app: 'mnist', root: await temporaryFolder(t) });
  assert.deepEqual(await run.readMetrics(), []);
  const records = [
    { kind: 'step', step: 25, loss: 0.1 + 0.2, accuracy: 1 },
    { kind: 'step', step: 50, loss: Number.NaN },
    { kind: 'epoch', step: 50, validationLoss: Number.POSITIVE_INFINITY, low: Number.NEGATIVE_INFINITY },
  ] as const;
  for (const record of records) await run.appendMetrics(record);
  await run.syncMetrics();
  assert.deepEqual(await run.readMetrics(), records);
});

test('a line torn by kill -9, at any byte, is dropped, and the resumed run writes on', async (t) => {
  const root = await temporaryFolder(t);
  const whole = '{"kind":"step","step":1,"loss":1}\n';
  const last = '{"kind":"step","step":2,"name":"ö"}\n';
  const bytes = new TextEncoder().encode(last);
  for (let length = 0; length < bytes.length; length++) {
    const run = await createRun({ app: 'mnist', root });
    await writeFile(run.file('metrics.jsonl'), whole);
    await appendFile(run.file('metrics.jsonl'), bytes.subarray(0, length));
    assert.deepEqual(await run.readMetrics(), [{ kind: 'step', step: 1, loss: 1 }], `torn after ${length} bytes`);
    await run.appendMetrics({ kind: 'step', step: 3 });
    assert.equal(await readFile(run.file('metrics.jsonl'), 'utf8'), `${whole}{"kind":"step","step":3}\n`);
  }
});

test('a damaged line that is not the last is an error with its number', async (t) => {
  const run = await createRun({ app: 'mnist', root: await temporaryFolder(t) });
  const path = run.file('metrics.jsonl');
  await writeFile(path, '{"kind":"step","step":1}\n{"kind":"st\n{"kind":"step","step":3}\n');
  await assert.rejects(run.readMetrics(), (error: Error) => {
    assert.equal(error.name, 'FormatError');
    assert.ok(error.message.startsWith(`${path}:2: not a record: `));
    assert.ok(error.message.endsWith('\n  Only the last line may be torn. Remove this one.'));
    return true;
  });
  await writeFile(path, '{"step":1}\n');
  await assert.rejects(run.readMetrics(), {
    message: `${path}:1: not a record: kind and step are missing\n  Every line is {"kind":"step"|"epoch","step":N,…}.`,
  });
});

test('what was written after the checkpoint is dropped before a run goes on', async (t) => {
  const run = await createRun({ app: 'mnist', root: await temporaryFolder(t) });
  for (const step of [10, 20, 30, 40]) await run.appendMetrics({ kind: 'step', step });
  await run.truncateMetrics(20);
  await run.appendMetrics({ kind: 'step', step: 30, again: true });
  assert.deepEqual(
    (await run.readMetrics()).map(({ step, again }) => [step, again]),
    [
      [10, undefined],
      [20, undefined],
      [30, true],
    ],
  );
});

test('a disk that fills up in the middle of a line is said so, and the file stays readable', async (t) => {
  let isFull = false;
  const run = await createRun({
    app: 'mnist',
    root: await temporaryFolder(t),
    append: async (path, text) => {
      if (!isFull) return appendFile(path, text);
      await appendFile(path, text.slice(0, 9));
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
    },
  });
  await run.appendMetrics({ kind: 'step', step: 1 });
  isFull = true;
  await assert.rejects(run.appendMetrics({ kind: 'step', step: 2 }), (error: Error) => {
    assert.ok(error instanceof KilnError);
    assert.match(error.message, /metrics\.jsonl: cannot write: the disk is full \(ENOSPC\)\n/);
    return true;
  });
  assert.deepEqual(await run.readMetrics(), [{ kind: 'step', step: 1 }]);
  isFull = false;
  await run.appendMetrics({ kind: 'step', step: 2 });
  assert.deepEqual(
    (await run.readMetrics()).map(({ step }) => step),
    [1, 2],
  );
});

test('a read-only folder is said so, and nothing is left in it', async (t) => {
  const root = await temporaryFolder(t);
  const run = await createRun({ app: 'mnist', root });
  await chmod(root, 0o755);
  await chmod(run.path, 0o555);
  await asNobody(() =>
    assert.rejects(run.writeJson('run.json', {}), {
      name: 'KilnError',
      message: `${run.file('run.json')}: cannot write: permission denied (EACCES)\n  Change its permissions, or choose a folder of your own.`,
    }),
  );
  assert.deepEqual(await readdir(run.path), []);
});

/** Root may write everywhere: for a while be somebody who may not. */
async function asNobody(action: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return action();
  process.seteuid?.(65534);
  try {
    await action();
  } finally {
    process.seteuid?.(0);
  }
}

test('a root that is a file is said so', async (t) => {
  const root = join(await temporaryFolder(t), 'runs');
  await writeFile(root, '');
  await assert.rejects(
    createRun({ app: 'mnist', root }),
    (error: Error) => error instanceof KilnError && error.message.startsWith(`${root}: cannot write: `),
  );
});
