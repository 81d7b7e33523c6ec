/** The device of --device and --threads; backends are loaded by commands that compute, so that the others are quick. */
import { useDevice } from '../core/index.js';
import type { CommonOptions } from './options.js';

export async function startDevice({ device, threads }: Pick<CommonOptions, 'device' | 'threads'>): Promise<void> {
  const { wasm } = await import('../backends/index.js');
  useDevice(device === 'wasm' && threads !== undefined ? wasm({ threads }) : device);
}
