import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('killed-training.js', import.meta.url));

/** Runs the training in a process of its own; kills it after so many lines of output, at whatever it does then. */
async function train(path: string, killAfterLines = Number.POSITIVE_INFINITY): Promise<boolean> {
  const training = spawn(process.execPath, [child, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let lines = 0;
  training.stdout.on('data', (text: Buffer) => {
    lines += text.toString().split('\n').length - 1;
    if (lines >= killAfterLines) training.kill('SIGKILL');
  });
  const [code] = (await once(training, 'close')) as [number | null];
  return code === 0;
}

test('a training that is killed again and again ends with the bits of one that was not', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kiln-kill-'));
  const [whole, killed] = [join(directory, 'whole'), join(directory, 'killed')];
  assert.ok(await train(whole));
  let kills = 0;
  // the instants vary from run to run: the kill arrives in a step, in a write, or between
  for (const lines of [1, 5, 9, 4, 13]) if (!(await train(killed, lines))) kills++;
  assert.ok(kills >= 2, `killed ${kills} times`);
  assert.ok(await train(killed));
  assert.ok((await readFile(killed)).equals(await readFile(whole)));
});
