/** A million eager operations in one synchronous loop, with no call by the user. */
import test from 'node:test';
import { useDevice } from '../../src/core/index.js';
import { wasmWith } from './agree.js';
import { eagerOperations, manyPrograms } from './level.js';

useDevice(wasmWith(2));

test('a million operations of 16 numbers', () => eagerOperations({ size: 16, warmUp: 200_000, measured: 800_000 }));
test('a million operations of 1,000 numbers', () =>
  eagerOperations({ size: 1000, warmUp: 300_000, measured: 700_000 }));
// room for some 7,000 programs: from then on old ones go, when the collector gets to it
test('ever new programs', () => manyPrograms({ warmUp: 15_000, measured: 6000 }));
