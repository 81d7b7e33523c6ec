/** Runs the kernels of a lowered program one after another in one thread, on a plain memory: what the emitters make of nests. */

import { emitContraction } from '../../../src/backends/machine/emit-contraction.js';
import { type EmittedKernel, emitLoop } from '../../../src/backends/machine/emit-loop.js';
import { ModuleBuilder } from '../../../src/backends/wasm/assembler.js';
import { type WasmCode, WasmCodeModule } from '../../../src/backends/wasm/code.js';
import { nodeEngine } from '../../../src/backends/wasm/engine.node.js';
import { type WasmFunction, WebAssembly } from '../../../src/backends/wasm/webassembly.js';
import {
  type ContractionSchedule,
  contractionAsLoop,
  type Kernel,
  type LoweredProgram,
  launchesOf,
  lower,
  printSchedule,
  scheduleContraction,
  scheduleLoop,
  splitReductions,
  type Target,
  verifySchedule,
  wasmTarget,
} from '../../../src/compiler/index.js';
import { traceFunction } from '../../../src/core/execute.js';
import { bytesPerElement, type Tensor } from '../../../src/core/index.js';

export const engine = nodeEngine();
export const target: Target = wasmTarget(Number(process.versions.v8.split('.')[0]));

export interface RunnerOptions {
  readonly target?: Target;
  readonly relaxedMadd?: boolean;
  /** Whether partial sums may stand in outputs (true). */
  readonly inPlace?: boolean;
  /** Whether long reductions are split where that pays (false). */
  readonly split?: boolean;
  readonly schedule?: (kernel: Kernel) => ContractionSchedule | undefined;
}

export interface Runner {
  readonly program: LoweredProgram;
  /** One line a kernel. */
  readonly schedules: readonly string[];
  readonly codeBytes: number;
  readonly jobs: number;
  /** Views of the buffers of the program, by number. */
  bytesOf(buffer: number): Uint8Array;
  /** Fills everything but the inputs with NaNs, then runs all jobs. */
  run(clear?: boolean): void;
  /** Runs all jobs once and keeps the least milliseconds of each in `least`. */
  time(least: number[]): void;
  /** Throws if anything beside the buffers was written. */
  checkFences(): void;
}

const fence = 256;

export function lowerFunction(
  f: (...inputs: Tensor[]) => readonly Tensor[],
  inputs: readonly Tensor[],
): LoweredProgram {
  const { graph, donations } = traceFunction((_, ...traced: never[]) => f(...(traced as unknown as Tensor[])), inputs);
  return lower(graph, donations, { fusion: true, simplification: () => true });
}

export function makeRunner(lowered: LoweredProgram, options: RunnerOptions = {}): Runner {
  const { relaxedMadd = engine.features.relaxedMadd, inPlace = true } = options;
  const chosen = options.target ?? target;
  const program = options.split ? splitReductions(lowered, chosen) : lowered;
  let end = 65536;
  const addresses = program.buffers.map(({ elements, dtype }) => {
    const address = end + fence;
    end = Math.ceil((address + elements * bytesPerElement[dtype]) / 64) * 64;
    return address;
  });
  const module = new ModuleBuilder();
  const code = new WasmCodeModule(module, { relaxedMadd, hasAtomics: false });
  const kernels = [...launchesOf(program.steps)];
  const schedules: string[] = [];
  module.importMemory('env', 'memory', 1, 65536, false);
  const emitted = kernels.map((kernel, i): EmittedKernel => {
    const { nest, buffers } = kernel;
    const name = `k${i}`;
    const shared = { faultCode: () => 1 };
    const schedule =
      nest.kind === 'contraction'
        ? options.schedule
          ? options.schedule(kernel)
          : scheduleContraction(nest, chosen)
        : undefined;
    if (nest.kind === 'contraction' && schedule) {
      verifySchedule(nest, schedule, chosen);
      schedules.push(printSchedule(schedule));
      const written = nest.stores.map(({ access }) => access.buffer);
      return emitContraction(code, name, nest, schedule, buffers.length, {
        ...shared,
        partialSumsInPlace: new Set(inPlace ? written : []),
      });
    }
    const loop = nest.kind === 'contraction' ? contractionAsLoop(nest) : nest;
    schedules.push('loop');
    return emitLoop(code, name, loop, scheduleLoop(loop, 4), buffers.length, shared);
  });
  emitted.forEach((kernel, i) => module.export(`k${i}`, (kernel.function as WasmCode).inner));
  const scratch = Math.ceil((end + fence) / 64) * 64;
  const scratchBytes = Math.max(0, ...emitted.map((kernel) => kernel.scratchBytes));
  const pages = Math.ceil((scratch + scratchBytes + fence) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536 });
  const bytes = module.finish();
  const instance = new WebAssembly.Instance(engine.compile(bytes), { env: { memory } });
  const calls = kernels.map(({ buffers }, i) => ({
    f: instance.exports[`k${i}`] as WasmFunction,
    jobs: emitted[i]!.jobs,
    args: [scratch, 1024, ...buffers.map(({ buffer }) => addresses[buffer]!)],
  }));
  const sizes = program.buffers.map(({ elements, dtype }) => elements * bytesPerElement[dtype]);
  const bytesOf = (id: number): Uint8Array => new Uint8Array(memory.buffer, addresses[id]!, sizes[id]!);
  const fences = [
    ...program.buffers.flatMap(({ id }) => [addresses[id]! - fence / 2, addresses[id]! + sizes[id]!]),
    scratch + scratchBytes,
  ];
  const fenceAt = (address: number): Uint8Array => new Uint8Array(memory.buffer, address, fence / 4);
  for (const address of fences) fenceAt(address).fill(0xff);
  return {
    program,
    schedules,
    codeBytes: bytes.length,
    jobs: calls.reduce((sum, { jobs }) => sum + jobs, 0),
    bytesOf,
    run(clear = true) {
      if (clear) {
        program.buffers.forEach(({ role }, id) => {
          if (role.kind !== 'input') bytesOf(id).fill(0xff);
        });
        new Uint8Array(memory.buffer, scratch, scratchBytes).fill(0xff);
      }
      for (const { f, jobs, args } of calls) for (let job = jobs - 1; job >= 0; job--) f(job, ...args);
    },
    time(least) {
      let i = 0;
      for (const { f, jobs, args } of calls) {
        for (let job = 0; job < jobs; job++) {
          const start = performance.now();
          f(job, ...args);
          const milliseconds = performance.now() - start;
          if (!(milliseconds >= least[i]!)) least[i] = milliseconds;
          i++;
        }
      }
    },
    checkFences() {
      for (const address of fences)
        if (!fenceAt(address).every((byte) => byte === 0xff)) throw new Error(`something was written at ${address}`);
    },
  };
}
