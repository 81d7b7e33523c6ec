/** The devices that op tests run on: the reference, and those that Kiln registers on this machine. */
import { deviceNames, useDevice } from '../src/core/index.js';
import '../src/backends/index.js';

export const devices: readonly string[] = deviceNames();

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
