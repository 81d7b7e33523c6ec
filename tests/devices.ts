/** The devices that op tests run on: the reference, and those that Kiln registers on this machine. */
import { obstacleOf, x64, x64Lanes } from '../src/backends/index.js';
import { deviceNames, registerDevice, useDevice } from '../src/core/index.js';

const usable = deviceNames().filter((name) => obstacleOf(name) === undefined && name !== 'x64');
/** Machine code of each width that this processor has. */
const native = x64Lanes().map((lanes) => {
  const name = `x64, ${lanes} lanes`;
  registerDevice(name, () => x64({ lanes }));
  return name;
});

export const devices: readonly string[] = [...usable, ...native];

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
