/** A million eager operations in one synchronous loop, with no call by the user. */
import test from 'node:test';
import { useDevice } from '../../src/core/index.js';
import { wasmWith } from './agree.js';
import { eagerOperations, manyShapes } from './level.js';

useDevice(wasmWith(2));

test('a million operations of 16 numbers', () => eagerOperations({ size: 16, warmUp: 200_000, measured: 800_000 }));
test('a million operations of 1,000 numbers', () =>
  eagerOperations({ size: 1000, warmUp: 300_000, measured: 700_000 }));
test('programs for ever new shapes', () => manyShapes({ warmUp: 3000, measured: 3000 }));
