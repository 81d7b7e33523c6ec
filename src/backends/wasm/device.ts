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
import { addressedBuffers, contextLayout, controlLayout, type Stage } from '../machine/index.js';
import { type CompiledProgram, compileModule } from './compile.js';
import type { Engine } from './engine.js';
import { heapOf } from './heap.js';
import type { Pool } from './pool.js';
import { Residency } from './residency.js';
import { pageBytes, type WasmMemory, type WasmModule, WebAssembly } from './webassembly.js';

export interface WasmDeviceOptions {
  readonly engine: Engine;
  /** Makes the threads over the device's memory; `barrier` is where their barrier lies. */
  createPool(memory: WasmMemory, barrier: number): Pool;
  /** Whether the calling thread may sleep (true). */
  readonly mayWait?: boolean;
  /** Bytes of tensors that stay in the device's memory before the least recently used move out (512 MiB). */
  readonly residentBytes?: number;
  /** Whether operations share kernels (true): without it a program shows what fusion gains, and whether it changes a bit. */
  readonly fusion?: boolean;
  readonly show?: (stage: Stage, text: () => string) => void;
}

/** The whole of a 32-bit memory but its last page, so that no address wraps around. */
const maximumPages = 65535;

/** Programs of less work than this, about 100 µs, run on the calling thread alone. */
const soloWork = 400_000;

/** Runs programs as WebAssembly on one memory, on as many threads as the pool has. */
export class WasmDevice implements Device {
  readonly name = 'wasm';
  readonly target: string;
  readonly memoryObject: WasmMemory;
  readonly pool: Pool;
  readonly residency: Residency;
  readonly #options: WasmDeviceOptions;
  readonly #isShared: boolean;
  #arena = 0;
  #arenaBytes = 0;
  #peak = 0;

  constructor(options: WasmDeviceOptions) {
    const { features } = options.engine;
    if (!features.simd) throw new InternalError('wasm: this engine has no 128-bit vectors');
    this.#options = options;
    this.#isShared = features.threads;
    this.target = `wasm-simd128${features.relaxedMadd ? '-fma' : ''}`;
    this.memoryObject = new WebAssembly.Memory({
      initial: controlLayout.end / pageBytes,
      maximum: maximumPages,
      shared: this.#isShared,
    });
    this.residency = new Residency(
      heapOf(this.memoryObject, controlLayout.end, maximumPages * pageBytes),
      this.memoryObject,
      options.residentBytes ?? 512 * 2 ** 20,
    );
    this.pool = options.createPool(this.memoryObject, controlLayout.barrier);
  }

  get threads(): number {
    return this.pool.threads;
  }

  compile(graph: Graph, donations: readonly (number | undefined)[]): Executable {
    const { engine, mayWait = true, fusion = true, show } = this.#options;
    const program = compileModule(graph, donations, {
      features: engine.features,
      target: engine.target,
      shared: this.#isShared,
      maximumPages,
      mayWait,
      fusion,
      ...(show && { show }),
    });
    return new WasmExecutable(this, program, engine.compile(program.bytes));
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
      const wanted = Math.ceil(bytes / pageBytes) * pageBytes;
      this.#arena = this.residency.reserve(wanted);
      this.#arenaBytes = wanted;
    }
    this.#peak = Math.max(this.#peak, this.residency.statistics.bytes + this.#arenaBytes);
    return this.#arena;
  }
}

const bytesOf = ({ elements, dtype }: Buffer): number => elements * bytesPerElement[dtype];

class WasmExecutable implements Executable {
  readonly byteLength: number;
  readonly #device: WasmDevice;
  readonly #program: CompiledProgram;
  readonly #module: WasmModule;
  readonly #addressed: readonly Buffer[];

  constructor(device: WasmDevice, program: CompiledProgram, module: WasmModule) {
    this.#device = device;
    this.#program = program;
    this.#module = module;
    this.#addressed = addressedBuffers(program.plan);
    if (contextLayout.addresses + 4 * this.#addressed.length > controlLayout.end - controlLayout.context) {
      throw new InternalError(`wasm: a program has ${this.#addressed.length} inputs and outputs`);
    }
    // measured on Node 20: a module of one small kernel takes 40 KB of the process, machine code a few times its source
    this.byteLength = 32768 + 8 * program.bytes.length;
  }

  run(inputs: readonly Storage[]): Storage[] {
    const { residency, pool, memoryObject } = this.#device;
    const { plan, scratchBytes, work } = this.#program;
    const threads = work < soloWork ? 1 : pool.threads;
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
      const words = new Int32Array(memoryObject.buffer, 0, controlLayout.end / 4);
      const context = controlLayout.context / 4;
      words[context + contextLayout.arena / 4] = arena;
      words[context + contextLayout.scratch / 4] = arena + arenaBytes;
      this.#addressed.forEach(({ id }, i) => {
        words[context + contextLayout.addresses / 4 + i] = addresses.get(id)!;
      });
      words[controlLayout.counter / 4] = 0;
      words[controlLayout.fault / 4] = 0;
      pool.run(this.#module, controlLayout.context, threads);
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
    const words = new Int32Array(this.#device.memoryObject.buffer, controlLayout.fault, 2);
    const [code, index] = words as unknown as [number, number];
    if (code === 0) return;
    const { where, extent } = this.#program.faults[code - 1]!;
    failIndex(where, index, extent);
  }

  release(): void {
    this.#device.pool.release(this.#module);
  }
}

const isOnly = (inputs: readonly Storage[], storage: Storage): boolean =>
  inputs.indexOf(storage) === inputs.lastIndexOf(storage);
