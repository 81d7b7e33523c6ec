import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { readSafetensors } from '../src/formats/index.js';

/** The first example of the README as it is printed. */
async function example(): Promise<string> {
  const readme = await readFile('README.md', 'utf8');
  return /```ts\n(import [\s\S]*?)```/.exec(readme)![1]!;
}

test('the first example of the README is under 30 lines', async () => {
  assert.ok((await example()).trimEnd().split('\n').length < 30);
});

test('the first example of the README builds, trains and saves the network', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kiln-readme-'));
  const file = join(folder, 'mnist.safetensors');
  const short = (await example())
    .replace("'kilnjs'", JSON.stringify(pathToFileURL('dist/src/index.js').href))
    .replace('mnist()', 'mnist({ limit: 96, testLimit: 32 })')
    .replace("'mnist.safetensors'", JSON.stringify(file));
  const script = join(folder, 'example.mjs');
  await writeFile(script, short);
  await import(pathToFileURL(script).href);
  const { tensors } = await readSafetensors(file);
  const elements = [...tensors.values()].reduce(
    (sum, { dtype, data }) => sum + (dtype === 'float32' ? data.length : 0),
    0,
  );
  assert.equal(elements, 600_810);
});
