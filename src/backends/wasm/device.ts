import { InternalError } from '../../core/index.js';
import { type AssembledCode, controlLayout, type Machine, MachineDevice, type Stage } from '../machine/index.js';
import { assembleModule, compileModule } from './compile.js';
import type { Engine } from './engine.js';
import { heapOf } from './memory.js';
import type { Pool } from './pool.js';
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

/** A device that runs programs as WebAssembly on one memory, on as many threads as the pool has. */
export function wasmDevice(options: WasmDeviceOptions): MachineDevice {
  const { engine, createPool, mayWait = true, fusion = true, show, residentBytes } = options;
  const { features, target } = engine;
  if (!features.simd) throw new InternalError('wasm: this engine has no 128-bit vectors');
  const shared = features.threads;
  const memory = new WebAssembly.Memory({ initial: controlLayout.end / pageBytes, maximum: maximumPages, shared });
  const pool = createPool(memory, controlLayout.barrier);
  const moduleOptions = { features, shared, maximumPages };
  const executing = (module: WasmModule): AssembledCode => ({
    execute: (context, threads) => {
      pool.run(module, context, threads);
    },
    release: () => pool.release(module),
  });
  const machine = {
    name: 'wasm',
    target: `wasm-simd128${features.relaxedMadd ? '-fma' : ''}`,
    get threads() {
      return pool.threads;
    },
    memory,
    ready: () => pool.ready(),
    heap: heapOf(memory, controlLayout.end, maximumPages * pageBytes),
    compile: (graph, donations, programOptions) => {
      const compileOptions = { ...moduleOptions, ...programOptions, target, mayWait, fusion, ...(show && { show }) };
      const { bytes, ...program } = compileModule(graph, donations, compileOptions);
      return {
        ...program,
        ...executing(engine.compile(bytes)),
        // measured on Node 20: a module of one small kernel takes 40 KB of the process, machine code a few times its source
        byteLength: 32768 + 8 * bytes.length,
      };
    },
    assemble: (build) => executing(engine.compile(assembleModule(build, moduleOptions))),
  } satisfies Machine;
  return new MachineDevice(machine, residentBytes);
}
