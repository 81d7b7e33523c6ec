import type { Device, DeviceMemory, Executable, Graph } from '../../core/index.js';
import type { MachineDevice } from './device.js';
import type { Profile, ProfileOptions } from './profile.js';

/** A device that profiles whatever runs on it, step by step; tensors lie where the device it stands for has them. */
export class ProfilingDevice implements Device {
  /** Of each program that ran, in the order of the runs. */
  readonly profiles: Profile[] = [];
  readonly #device: MachineDevice;
  readonly #options: ProfileOptions;

  constructor(device: MachineDevice, options: ProfileOptions = {}) {
    this.#device = device;
    this.#options = options;
  }

  get name(): string {
    return this.#device.name;
  }

  get target(): string {
    return this.#device.target;
  }

  get threads(): number {
    return this.#device.threads;
  }

  compile(graph: Graph, donations: readonly (number | undefined)[]): Executable {
    return {
      byteLength: 0,
      run: (inputs) => {
        const profile = this.#device.profile(graph, donations, inputs, this.#options);
        this.profiles.push(profile);
        return [...profile.outputs];
      },
      release: () => {},
    };
  }

  memory(): DeviceMemory {
    return this.#device.memory();
  }
}
