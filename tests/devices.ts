/** The devices that op tests run on: the reference, and those that Kiln registers on this machine. */
import { obstacleOf, x64 } from '../src/backends/index.js';
import { deviceNames, registerDevice, useDevice } from '../src/core/index.js';

const usable = deviceNames().filter((name) => obstacleOf(name) === undefined);
const hasWideVectors = usable.includes('x64') && x64({ threads: 1 }).target === 'x64-avx512';
// a machine with wide vectors tests the narrower code as well
if (hasWideVectors) registerDevice('x64-avx2', () => x64({ lanes: 8 }));

export const devices: readonly string[] = [...usable, ...(hasWideVectors ? ['x64-avx2'] : [])];

// tests of core are about its own semantics: they run on the oracle unless they ask for another
useDevice('reference');

/** Runs `f` once on each device, and leaves the reference in use. */
export function onEachDevice(f: (name: string) => void): void {
  try {
    for (const name of devices) {
      useDevice(name);
      f(name);
    }
  } finally {
    useDevice('reference');
  }
}
