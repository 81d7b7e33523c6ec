import test from 'node:test';
import { device, useDevice } from '../../src/core/index.js';
import { devices } from '../devices.js';
import { checkOnDevice, randomCase } from '../random-graph.js';

for (const name of devices) {
  test(`1000 random graphs on ${name}`, () => {
    useDevice(name);
    const used = device();
    useDevice('reference');
    for (let seed = 0; seed < 1000; seed++) checkOnDevice(used, randomCase(seed));
  });
}
