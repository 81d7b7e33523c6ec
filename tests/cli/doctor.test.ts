/** `kiln doctor`: whole outputs, with the numbers replaced, and of a device that is not to be used. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reference } from '../../src/backends/reference/index.js';
import { instructionsIn } from '../../src/cli/surroundings.js';
import { type Device, registerDevice, Storage } from '../../src/core/index.js';
import { kiln } from './kiln.js';
import { shapeOf } from './shape-of.js';

const wasm = '--device wasm --threads 1';

test('kiln doctor', async () => {
  const { code, stdout, stderr } = await kiln(`doctor ${wasm}`);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  const machine = /^(Kiln|Processor|Instructions|Caches|Memory|Engine) .*$/gm;
  assert.equal(
    shapeOf(stdout)
      .replaceAll(machine, '$1 …')
      .replace(/wasm-simd128(-fma)?/, 'TARGET'),
    `\
Kiln …
Processor …
Instructions …
Caches …
Memory …
Engine …
Device wasm (TARGET): --device asks for it
Threads #

Self-test programs
─
elementwise # as the reference
reductions # as the reference
contractions # as the reference
convolutions # as the reference
windows # as the reference
indexing # as the reference
movement # as the reference
random # as the reference
control # as the reference
memory # as the reference

Multiply-adds on registers # rate
A product of # × # # rate, # % of it
A copy of memory # rate
`,
  );
});

test('kiln doctor of a device that computes wrongly', async (t) => {
  const right = reference();
  const wrong: Device = {
    ...right,
    name: 'wrong',
    compile: (graph, donations) => {
      const executable = right.compile(graph, donations);
      const isCumsum = graph.nodes.some(({ op }) => op === 'cumsum');
      return {
        byteLength: 0,
        release: () => {},
        run: (inputs) =>
          executable
            .run(inputs)
            .map((storage) => (isCumsum ? Storage.of(new ArrayBuffer(storage.byteLength)) : storage)),
      };
    },
  };
  registerDevice('reference', () => wrong);
  t.after(() => registerDevice('reference', reference));
  const { code, stdout, stderr } = await kiln('doctor --device reference');
  assert.equal(code, 1);
  assert.match(
    shapeOf(stdout),
    /^reductions # # wrong$[\s\S]*^reductions: prod, mean, cumsum: result #: element # of # is #, not /m,
  );
  assert.equal(
    stderr,
    'kiln doctor: 1 of 57 programs give wrong results on wrong\n' +
      '  Do not use it: set KILN_DEVICE=wasm, and please report the lines above.\n',
  );
});

test('kiln doctor --json', async () => {
  const { stdout } = await kiln(`doctor --json ${wasm}`);
  const result = JSON.parse(stdout);
  assert.deepEqual(
    Object.keys(result),
    'versions platform architecture processor memory engine device selfTest measured'.split(' '),
  );
  assert.deepEqual(result.selfTest.failures, []);
});

test('instruction sets from what Linux says of the processor', () => {
  assert.deepEqual(instructionsIn('processor\t: 0\nflags\t\t: fpu avx avx2 fma avx512f tsc\n'), [
    ...['avx', 'avx2', 'fma', 'avx512f'],
  ]);
  assert.deepEqual(instructionsIn('Features\t: fp asimd sve\n'), ['asimd', 'sve']);
  assert.deepEqual(instructionsIn(''), []);
});
