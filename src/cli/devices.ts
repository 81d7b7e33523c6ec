/** The device of --device and --threads; backends are loaded by commands that compute, so that the others are quick. */
import { type Device, useDevice } from '../core/index.js';
import type { CommonOptions } from './options.js';

export interface StartedDevice {
  readonly device: Device;
  /** Why it and not another. */
  readonly reason: string;
}

export async function startDevice({
  device,
  threads,
}: Pick<CommonOptions, 'device' | 'threads'>): Promise<StartedDevice> {
  const { createDevice, defaultDevice } = await import('../backends/index.js');
  const { name, reason } = device === undefined ? defaultDevice() : { name: device, reason: '--device asks for it' };
  return { device: useDevice(threads === undefined ? name : createDevice(name, { threads })), reason };
}
