/** Which device is used when a program asks for none. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createDevice, defaultDevice, obstacleOf } from '../../src/backends/index.js';
import { KilnError } from '../../src/core/index.js';

test('the fastest, or what KILN_DEVICE names', () => {
  const obstacle = obstacleOf('x64');
  const fastest = obstacle
    ? { name: 'wasm', reason: `the fastest that can be used here; not x64: ${obstacle}` }
    : { name: 'x64', reason: 'the fastest that can be used here' };
  assert.deepEqual(defaultDevice({}), fastest);
  assert.deepEqual(defaultDevice({ KILN_DEVICE: '' }), fastest);
  assert.deepEqual(defaultDevice({ KILN_DEVICE: 'reference' }), {
    name: 'reference',
    reason: 'KILN_DEVICE asks for it',
  });
});

test('a device that is not there', () => {
  assert.throws(
    () => defaultDevice({ KILN_DEVICE: 'wsm' }),
    new KilnError('KILN_DEVICE: there is no device wsm\n  Did you mean wasm?'),
  );
  assert.throws(
    () => createDevice('gpu'),
    /^KilnError: device: there is no device gpu\n {2}There are x64, wasm, reference\.$/,
  );
});

test('so many threads', () => {
  assert.equal(createDevice('wasm', { threads: 1 }).threads, 1);
});
