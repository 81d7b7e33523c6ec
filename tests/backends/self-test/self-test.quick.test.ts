/** The self-test passes on devices that are right, and finds those that are not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { wasm } from '../../../src/backends/index.js';
import { reference } from '../../../src/backends/reference/index.js';
import { families, programs, selfTest, testAll } from '../../../src/backends/self-test/index.js';
import { type Device, type Graph, KilnError, Storage } from '../../../src/core/index.js';

test('the WebAssembly device computes what the reference computes', async () => {
  for (const threads of [1, 2]) {
    const device = wasm({ threads });
    await device.ready();
    assert.deepEqual(await selfTest(device), [], `${threads} threads`);
  }
});

test('every family has programs, and each a name of its own', () => {
  assert.deepEqual([...new Set(programs.map(({ family }) => family))], families);
  assert.equal(new Set(programs.map(({ family, name }) => `${family} ${name}`)).size, programs.length);
});

/** The reference, with what `spoil` makes of the bytes of each result of graphs that hold the operation. */
function broken(op: string, spoil: (bytes: Uint8Array) => void): Device {
  const right = reference();
  const has = ({ nodes }: Graph): boolean => nodes.some((node) => node.op === op);
  return {
    ...right,
    name: 'broken',
    compile: (graph, donations) => {
      const executable = right.compile(graph, donations);
      return {
        ...executable,
        release: () => {},
        run: (inputs) =>
          executable.run(inputs).map((storage) => {
            const bytes = new Uint8Array(storage.atRest().slice(0));
            if (has(graph)) spoil(bytes);
            return Storage.of(bytes.buffer);
          }),
      };
    },
  };
}

test('one wrong bit in the last element of what a gather gives', async () => {
  const device = broken('gatherAlong', (bytes) => {
    const last = bytes.length - 2;
    bytes[last] = (bytes[last] ?? 0) ^ 0x40;
  });
  const failures = await selfTest(device);
  assert.deepEqual(
    failures.map(({ family, name, failure }) => `${family}: ${name}: ${failure.replaceAll(/-?[\d.]+(e-\d+)?/g, '#')}`),
    ['indexing: takeAlongAxis, scatterAddAlongAxis: result #: element # of # is #, not #'],
  );
});

test('a zero of the wrong sign', async () => {
  const device = broken('sqrt', (bytes) => {
    const floats = new Float32Array(bytes.buffer);
    for (const [i, value] of floats.entries()) if (value === 0) floats[i] = 0;
  });
  assert.deepEqual(await selfTest(device), [
    {
      family: 'elementwise',
      name: 'neg, abs, sign, floor, ceil, sqrt of edge values',
      failure: 'result 0: element 0 of 19 is 0, not -0',
    },
  ]);
});

test('a device that raises, and one that does not', async () => {
  const right = reference();
  const raising: Device = {
    ...right,
    compile: () => {
      throw new KilnError('broken: no code\n  Mend it.');
    },
  };
  const outcomes = await testAll(raising);
  assert.deepEqual(
    [...new Set(outcomes.map(({ failure }) => failure))],
    ['broken: no code', undefined],
    'what should raise has raised',
  );
  const silent: Device = {
    ...right,
    compile: (graph, donations) => {
      const executable = right.compile(graph, donations);
      return {
        byteLength: 0,
        release: () => {},
        run: (inputs) => {
          try {
            return executable.run(inputs);
          } catch {
            return [];
          }
        },
      };
    },
  };
  assert.deepEqual(await selfTest(silent), [
    { family: 'indexing', name: 'an index out of range raises', failure: 'an index out of range does not raise' },
  ]);
});
