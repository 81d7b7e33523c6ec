/** `kiln explain`: whole outputs, with the numbers replaced. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kiln } from './kiln.js';
import { shapeOf } from './shape-of.js';

const wasm = '--device wasm --threads 1';

test('the forward pass of mnist, kernel by kernel', async () => {
  const { code, stdout, stderr } = await kiln(`explain mnist --batch-size 2 ${wasm}`);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  const [head, ...rest] = shapeOf(stdout).split('\n');
  assert.match(head!, /^mnist, the forward pass of # digits, on wasm \(wasm-simd128(-fma)?\), # thread$/);
  const withoutRates = rest.join('\n').replaceAll(/# (# rate )?# %$/gm, '# # %');
  assert.equal(
    withoutRates,
    `\
Limits: # rate of multiply-adds on registers; copies at # rate, in the caches at # rate

Layer forward ms share of limit
─
conv2d_1 # # # % # %
conv2d_2 # # # % # %
max_pooling2d_1 # # # % # %
dense_1 # # # % # %
dense_2 # # # % # %
─
Total # # # %

Layer Pass Kernel, with what is fused into it jobs ms rate of limit
─
conv2d_1 forward k0 conv+select # # # %
conv2d_2 forward k1 conv # # # %
max_pooling2d_1 forward k2 windowMax # # # %
dense_1 forward k3 dot+select # # # %
dense_2 forward k4 dot+add # # # %
`,
  );
});

test('a training step as JSON: every layer in every pass, and the listing of each kernel', async () => {
  const { code, stdout } = await kiln(`explain mnist --training --batch-size 2 --listing --json ${wasm}`);
  assert.equal(code, 0);
  const { what, device, limits, layers, kernels, listing, milliseconds } = JSON.parse(stdout);
  assert.equal(what, 'mnist, a training step of 2 digits');
  assert.deepEqual([device.name, device.threads], ['wasm', 1]);
  assert.deepEqual(Object.keys(limits), ['gflops', 'copyGBs', 'cachedCopyGBs']);
  type Kernel = { layer: string; pass: string; updates: boolean; name: string; milliseconds: number };
  const passesOf = (layer: string): string[] => [
    ...new Set((kernels as Kernel[]).filter((kernel) => kernel.layer === layer).map(({ pass }) => pass)),
  ];
  assert.ok(passesOf('dense_1').includes('forward') && passesOf('dense_1').includes('gradient'));
  for (const layer of ['conv2d_1', 'conv2d_2', 'dense_1', 'dense_2'])
    assert.ok(
      (kernels as Kernel[]).some((kernel) => kernel.layer === layer && kernel.updates),
      `${layer} is updated`,
    );
  assert.equal(layers.at(-1).layer, '');
  const total = (kernels as Kernel[]).reduce((sum, kernel) => sum + kernel.milliseconds, 0);
  assert.ok(Math.abs(total - milliseconds) < 1e-6);
  for (const { name } of kernels as Kernel[]) assert.ok(listing.includes(`func $${name} (`), name);
});

test('a recurrent network: its loops are steps', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kiln-explain-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'explanation.txt');
  const { code, stderr } = await kiln(`explain text --training --batch-size 2 --out ${file} ${wasm}`);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: `Written to ${file}\n` });
  const rows = shapeOf(await readFile(file, 'utf8'));
  assert.match(rows, /^lstm_1 forward scan of #? ?\d* ?kernels, /m);
  assert.match(rows, /^lstm_2 gradient scan of /m);
});

const mistakes: readonly (readonly [line: string, text: string])[] = [
  [
    'explain mnist --device reference',
    'kiln explain: the reference device has no kernels\n  Leave --device and KILN_DEVICE out, or name another device.\n',
  ],
  ['explain runs/nothing-here', 'kiln explain: runs/nothing-here: no such run\n'],
];
for (const [line, text] of mistakes) {
  test(`kiln ${line}`, async () => {
    const { code, stderr } = await kiln(line);
    assert.equal(code, 1);
    assert.equal(stderr.slice(0, text.length), text);
  });
}
