import { fail, InternalError, KilnError } from './errors.js';
import type { Graph } from './graph.js';
import { canonicalKey } from './graph.js';
import type { Storage } from './storage.js';

/** What a device makes of a graph. */
export interface Executable {
  /**
   * Runs it. A donated input's place is written by its output unless the storage is shared.
   * @returns the storage of each output; it may be an input's own where the output is that input
   */
  run(inputs: readonly Storage[]): Storage[];
  /** Bytes of code and tables: what the cache of programs counts. */
  readonly byteLength: number;
  /** Frees what the device holds for it. */
  release(): void;
}

export interface DeviceMemory {
  /** Bytes of tensors that lie in the device's own memory, and of the arena for temporaries. */
  readonly resident: number;
  readonly arena: number;
  readonly peak: number;
}

/** Something that runs graphs: the reference, a processor, later a GPU. */
export interface Device {
  readonly name: string;
  /** Name of the target whose arithmetic it does: the same seed gives the same bits on the same target. */
  readonly target: string;
  readonly threads: number;
  /** @param donations for each output, the input whose place it may take */
  compile(graph: Graph, donations: readonly (number | undefined)[]): Executable;
  memory(): DeviceMemory;
}

const factories = new Map<string, () => Device>();
const started = new Map<string, Device>();
let chosen: Device | undefined;
let chooseName = (): string | undefined => deviceNames()[0];

/** Makes a kind of device known. Backends are registered where they are imported. */
export function registerDevice(name: string, create: () => Device): void {
  factories.set(name, create);
}

export const deviceNames = (): string[] => [...factories.keys()];

/** Says how the device is chosen when a program asks for none (the first registered); asked at first use. */
export function chooseDeviceBy(choose: () => string): void {
  chooseName = choose;
}

/** The device in use; it starts at first use. */
export function device(): Device {
  if (chosen) return chosen;
  const name = chooseName();
  if (name === undefined) throw new InternalError('no device is registered: import kilnjs, or register one');
  return useDevice(name);
}

/** Makes the device of that name, or the given one, the one in use. Tensors move by themselves. */
export function useDevice(which: string | Device): Device {
  if (typeof which !== 'string') {
    chosen = which;
    return which;
  }
  const create = factories.get(which);
  if (!create) fail(`device: there is no device ${which}`, `There are ${deviceNames().join(', ')}.`, KilnError);
  const made = started.get(which) ?? create();
  started.set(which, made);
  chosen = made;
  return made;
}

/** Programs by device, canonical graph and donations, least recently used first; bounded by their bytes. */
const programs = new Map<string, Executable>();
const programBudgetBytes = 256 * 2 ** 20;
let programBytes = 0;

/** Devices of one name are several: a program runs on the one that compiled it. */
const numbers = new WeakMap<Device, number>();
let nextNumber = 0;

function numberOf(which: Device): number {
  const known = numbers.get(which);
  if (known !== undefined) return known;
  numbers.set(which, nextNumber);
  return nextNumber++;
}

/** What a program and its key take; characters count two. */
const heldBytes = (key: string, { byteLength }: Executable): number => byteLength + 2 * key.length;

export function program(graph: Graph, donations: readonly (number | undefined)[]): Executable {
  const on = device();
  const key = `${numberOf(on)}|${donations.join()}|${canonicalKey(graph)}`;
  const known = programs.get(key);
  if (known) {
    programs.delete(key);
    programs.set(key, known);
    return known;
  }
  const made = on.compile(graph, donations);
  programs.set(key, made);
  programBytes += heldBytes(key, made);
  for (const [old, executable] of programs) {
    if (programBytes <= programBudgetBytes || executable === made) break;
    programs.delete(old);
    programBytes -= heldBytes(old, executable);
    executable.release();
  }
  return made;
}

export interface MemoryUse extends DeviceMemory {
  /** Compiled programs that are kept for the next call, of all devices, and about how many bytes they take. */
  readonly programs: number;
  readonly programBytes: number;
}

/** What Kiln holds now, in bytes: of the device in use, and of programs. Tensors at rest are the garbage collector's. */
export const memory = (): MemoryUse => ({ ...device().memory(), programs: programs.size, programBytes });
