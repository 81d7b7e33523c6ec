/** The devices that compute, registered where a command needs one; each backend is loaded when it is asked for. */
import { type Device, fail, KilnError, registerDevice, useDevice } from '../core/index.js';
import type { CommonOptions } from './options.js';

type Backend = (options: Pick<CommonOptions, 'threads'>) => Promise<() => Device>;

const backends: Readonly<Record<CommonOptions['device'], Backend>> = {
  wasm: () => fail('kiln: this build has no device wasm yet', 'Take --device reference.', KilnError),
  reference: async () => (await import('../backends/reference/index.js')).reference,
};

/** Makes the device of --device the one in use. */
export async function startDevice(options: Pick<CommonOptions, 'device' | 'threads'>): Promise<void> {
  registerDevice(options.device, await backends[options.device](options));
  useDevice(options.device);
}
