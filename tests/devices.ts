/** The devices that op tests run on: the reference always, the others where they are built. */

import { reference } from '../src/backends/reference/index.js';
import { type Device, registerDevice, useDevice } from '../src/core/index.js';

export interface DeviceUnderTest {
  readonly name: string;
  /** Why it is left out. */
  readonly skip: string | undefined;
}

registerDevice('reference', reference);

/** Registers a backend by its door and the function there that makes its device. */
async function registered(name: string, door: string): Promise<DeviceUnderTest> {
  let module: Record<string, unknown>;
  try {
    module = (await import(door)) as Record<string, unknown>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return { name, skip: `${door} is not built` };
  }
  registerDevice(name, module[name] as () => Device);
  return { name, skip: undefined };
}

export const devices: readonly DeviceUnderTest[] = [
  { name: 'reference', skip: undefined },
  await registered('wasm', '../src/backends/wasm/index.js'),
];

useDevice('reference');

/** Runs `f` once on each device that is there, and leaves the reference in use. */
export function onEachDevice(f: (name: string) => void): void {
  try {
    for (const { name, skip } of devices) {
      if (skip !== undefined) continue;
      useDevice(name);
      f(name);
    }
  } finally {
    useDevice('reference');
  }
}
