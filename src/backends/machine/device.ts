import type { Buffer } from '../../compiler/index.js';
import {
  bytesPerElement,
  type Device,
  type DeviceMemory,
  type Executable,
  failIndex,
  type Graph,
  InternalError,
  Storage,
} from '../../core/index.js';
import type { Code, CodeModule, FunctionHandle } from './code.js';
import type { CompileOptions, MachineProgram } from './compile.js';
import { addressedBuffers, contextLayout, controlLayout } from './driver.js';
import type { Heap } from './heap.js';
import { type Profile, type ProfileOptions, profileOf, type StepTimes, timeSteps } from './profile.js';
import { Residency } from './residency.js';

/** Code that a machine can run. */
export interface AssembledCode {
  /** Runs it to its end on at most so many threads. */
  execute(context: number, threads: number): void;
  release(): void;
}

/** A program's code on a machine. */
export interface CompiledProgram extends MachineProgram, AssembledCode {
  /** Bytes of code and of what the host holds for it. */
  readonly byteLength: number;
}

/** What is handed through to `compileProgram`, and what a backend shows of its own code. */
export interface ProgramOptions extends Pick<CompileOptions, 'stepwise'> {
  /** Takes the machine's instructions as text: functions with their kernels' names, an empty line between them. */
  readonly listing?: (text: string) => void;
}

/** What a backend gives: memory, threads, and code for graphs. */
export interface Machine {
  readonly name: string;
  /** Name of its arithmetic. */
  readonly target: string;
  readonly threads: number;
  /** The memory that programs see, by 32-bit addresses; the buffer may be another one after it has grown. */
  readonly memory: { readonly buffer: ArrayBufferLike };
  readonly heap: Heap;
  compile(graph: Graph, donations: readonly (number | undefined)[], options?: ProgramOptions): CompiledProgram;
  /** Code of one's own, a function `run(context, thread, threads): i32`: what measures the machine. */
  assemble(build: (module: CodeModule) => Code & FunctionHandle): AssembledCode;
  /** Resolves when all threads are up; until then programs run on those that are. */
  ready(): Promise<void>;
}

/** Bytes of tensors that stay in the device's memory before the least recently used move out. */
const defaultResidentBytes = 512 * 2 ** 20;

/** The arena grows by this much. */
const arenaStep = 65536;

/** Programs of less work than this, about 100 µs, run on the calling thread alone. */
const soloWork = 400_000;

/** A device of a machine: knows where tensors lie, gives programs their inputs and places for their outputs. */
export class MachineDevice implements Device {
  readonly machine: Machine;
  readonly residency: Residency;
  #arena = 0;
  #arenaBytes = 0;
  #peak = 0;

  constructor(machine: Machine, residentBytes = defaultResidentBytes) {
    this.machine = machine;
    this.residency = new Residency(machine.heap, machine.memory, residentBytes);
  }

  get name(): string {
    return this.machine.name;
  }

  get target(): string {
    return this.machine.target;
  }

  get threads(): number {
    return this.machine.threads;
  }

  ready(): Promise<void> {
    return this.machine.ready();
  }

  compile(graph: Graph, donations: readonly (number | undefined)[]): Executable {
    return new MachineExecutable(this, this.machine.compile(graph, donations));
  }

  /** Runs a graph step by step, `rounds` times over, and says what each step did and how long it took. */
  profile(
    graph: Graph,
    donations: readonly (number | undefined)[],
    inputs: readonly Storage[],
    options: ProfileOptions = {},
  ): Profile {
    let listing = '';
    const stepwise = { stepwise: true, listing: (text: string) => (listing = text) };
    const program = this.machine.compile(graph, donations, stepwise);
    if (!program.stepwise) throw new InternalError(`${this.name}: does not compile step by step`);
    try {
      const executable = new MachineExecutable(this, program);
      let times: StepTimes | undefined;
      const outputs = executable.runWith(inputs, (runStep) => (times = timeSteps(program, runStep, options)));
      return { outputs, listing, ...profileOf(program, times!) };
    } finally {
      program.release();
    }
  }

  memory(): DeviceMemory {
    const { bytes } = this.residency.statistics;
    return { resident: bytes, arena: this.#arenaBytes, peak: Math.max(this.#peak, bytes + this.#arenaBytes) };
  }

  /** The one arena for temporaries, at least so large. */
  arena(bytes: number): number {
    if (bytes > this.#arenaBytes) {
      if (this.#arenaBytes > 0) this.residency.free(this.#arena);
      this.#arenaBytes = 0;
      const wanted = Math.ceil(bytes / arenaStep) * arenaStep;
      this.#arena = this.residency.reserve(wanted);
      this.#arenaBytes = wanted;
    }
    this.#peak = Math.max(this.#peak, this.residency.statistics.bytes + this.#arenaBytes);
    return this.#arena;
  }
}

const bytesOf = ({ elements, dtype }: Buffer): number => elements * bytesPerElement[dtype];

class MachineExecutable implements Executable {
  readonly byteLength: number;
  readonly #device: MachineDevice;
  readonly #program: CompiledProgram;
  readonly #addressed: readonly Buffer[];

  constructor(device: MachineDevice, program: CompiledProgram) {
    this.#device = device;
    this.#program = program;
    this.#addressed = addressedBuffers(program.plan);
    this.byteLength = program.byteLength;
    if (contextLayout.addresses + 4 * this.#addressed.length > controlLayout.end - controlLayout.context) {
      throw new InternalError(`a program has ${this.#addressed.length} inputs and outputs`);
    }
  }

  run(inputs: readonly Storage[]): Storage[] {
    return this.runWith(inputs, (run) => run(0));
  }

  /** Gives everything a place and lets `execute` run the program, or steps of it, there. */
  runWith(inputs: readonly Storage[], execute: (runStep: (step: number) => void) => void): Storage[] {
    const { residency, machine } = this.#device;
    const { plan, scratchBytes, work } = this.#program;
    const threads = work < soloWork ? 1 : machine.threads;
    const arenaBytes = Math.ceil(plan.arenaBytes / 64) * 64;
    const arena = this.#device.arena(Math.max(64, arenaBytes + scratchBytes * threads));
    const pinned: Storage[] = [];
    const addresses = new Map<number, number>();
    const made: { readonly id: number; readonly storage: Storage; readonly address: number }[] = [];
    const make = (buffer: Buffer, place: (byteLength: number) => number): void => {
      const byteLength = bytesOf(buffer);
      const address = place(Math.max(1, byteLength));
      addresses.set(buffer.id, address);
      made.push({ id: buffer.id, storage: new Storage(byteLength), address });
    };
    try {
      for (const { id, role } of this.#addressed) {
        if (role.kind !== 'input') continue;
        const storage = inputs[role.index]!;
        addresses.set(id, residency.pin(storage));
        pinned.push(storage);
      }
      const inPlace: (readonly [Buffer, Storage])[] = [];
      for (const buffer of this.#addressed) {
        if (buffer.role.kind !== 'output') continue;
        const donor = this.#donorOf(buffer.role, inputs);
        if (donor) inPlace.push([buffer, donor]);
        else make(buffer, (byteLength) => residency.reserve(byteLength));
      }
      // only now, when nothing can fail any more for lack of memory, are donors given up
      for (const [buffer, donor] of inPlace) make(buffer, () => this.#takeOver(donor, pinned));
      const words = new Int32Array(machine.memory.buffer, 0, controlLayout.end / 4);
      const context = controlLayout.context / 4;
      words[context + contextLayout.arena / 4] = arena;
      words[context + contextLayout.scratch / 4] = arena + arenaBytes;
      this.#addressed.forEach(({ id }, i) => {
        words[context + contextLayout.addresses / 4 + i] = addresses.get(id)!;
      });
      words[controlLayout.fault / 4] = 0;
      execute((step) => {
        words[context + contextLayout.step / 4] = step;
        words[controlLayout.counter / 4] = 0;
        this.#program.execute(controlLayout.context, threads);
      });
      this.#checkFault();
    } catch (error) {
      for (const { address } of made) residency.free(address);
      throw error;
    } finally {
      for (const storage of pinned) residency.unpin(storage);
    }
    for (const { storage, address } of made) residency.adopt(storage, address);
    const results = new Map(made.map(({ id, storage }) => [id, storage]));
    return plan.outputs.map((id) => {
      const { role } = plan.buffers[id]!;
      return role.kind === 'input' ? inputs[role.index]! : results.get(id)!;
    });
  }

  /**
   * The input whose place an output may take now. None in a program that may find an index out of range: it raises when all is
   * computed, and what it was given must then still be there.
   */
  #donorOf({ donor }: { readonly donor: number | undefined }, inputs: readonly Storage[]): Storage | undefined {
    if (donor === undefined || this.#program.faults.length > 0) return undefined;
    const storage = inputs[donor]!;
    return !storage.isShared && isOnly(inputs, storage) ? storage : undefined;
  }

  /** The donor's place, which its output writes anew. */
  #takeOver(donor: Storage, pinned: Storage[]): number {
    const { residency } = this.#device;
    residency.unpin(donor);
    pinned.splice(pinned.indexOf(donor), 1);
    return residency.take(donor);
  }

  #checkFault(): void {
    const words = new Int32Array(this.#device.machine.memory.buffer, controlLayout.fault, 2);
    const [code, index] = words as unknown as [number, number];
    if (code === 0) return;
    const { where, extent } = this.#program.faults[code - 1]!;
    failIndex(where, index, extent);
  }

  release(): void {
    this.#program.release();
  }
}

const isOnly = (inputs: readonly Storage[], storage: Storage): boolean =>
  inputs.indexOf(storage) === inputs.lastIndexOf(storage);
