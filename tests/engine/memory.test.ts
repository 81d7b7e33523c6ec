/** Memory stays level with no call by the user: eager operations in one synchronous loop, and training steps. */
import test from 'node:test';
import { useDevice } from '../../src/core/index.js';
import { wasmWith } from './agree.js';
import { eagerOperations, trainingSteps } from './level.js';

useDevice(wasmWith(1));

test('eager operations of small tensors', () => eagerOperations({ size: 16, warmUp: 40_000, measured: 60_000 }));
test('eager operations of large tensors', () => eagerOperations({ size: 1 << 20, warmUp: 150, measured: 150 }));
test('5,000 training steps', () => trainingSteps({ warmUp: 1000, measured: 4000 }));
