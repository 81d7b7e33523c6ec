import { availableParallelism } from 'node:os';
import { x64Target } from '../../compiler/index.js';
import { KilnError } from '../../core/index.js';
import {
  type AssembledCode,
  compileProgram,
  controlLayout,
  Heap,
  type Machine,
  MachineDevice,
  type Stage,
} from '../machine/index.js';
import { type Assembler, edi, rbx, rdi } from './assembler.js';
import { addBarrier, barrierSpins, barrierWords, crowdedBarrierSpins } from './barrier.js';
import { type CpuFeatures, cpuFeatures } from './cpu-features.node.js';
import { ExecutableCode } from './executable.node.js';
import type { X64FunctionBuilder } from './function-builder.js';
import { X64ModuleBuilder } from './module-builder.js';
import { loadNative, type Native } from './native.node.js';
import { NativeThreads } from './threads.node.js';

export interface X64DeviceOptions {
  readonly threads: number;
  /** 8 for AVX2, 16 for AVX-512 (those that are fastest on the processor). */
  readonly lanes?: 8 | 16;
  /** Bytes of tensors that stay in the device's memory before the least recently used move out (512 MiB). */
  readonly residentBytes?: number;
  /** Whether operations share kernels (true). */
  readonly fusion?: boolean;
  readonly show?: (stage: Stage, text: () => string) => void;
}

/** What x64 code needs of this process and this processor. */
export interface X64Host {
  readonly native: Native;
  readonly features: CpuFeatures;
  /** Whether it can run AVX-512. */
  readonly mayBeWide: boolean;
  /** Lanes of the vectors that are fastest here. */
  readonly lanes: 8 | 16;
}

/**
 * Whether vectors of 512 bits are done in one piece. AMD's Zen 4 takes two turns for each, and its products are then no faster
 * than with AVX2: 60 to 110 GFLOP/s a core against 100 to 107, by the shape of the tile.
 */
const isWideInside = ({ vendor }: CpuFeatures): boolean => vendor === 'GenuineIntel';

/** The host for x64 code; or why there is none, as a sentence. */
export function x64Host(): X64Host | string {
  const { native, reason } = loadNative();
  if (!native) return reason;
  const features = cpuFeatures(native);
  if (!features.avx2 || !features.fma) return `The processor ${features.brand} has no AVX2 with FMA.`;
  const { f, dq, bw, vl } = features.avx512;
  const hasWideVectors = f && dq && bw && vl;
  return { native, features, mayBeWide: hasWideVectors, lanes: hasWideVectors && isWideInside(features) ? 16 : 8 };
}

/** All that 32-bit addresses reach but the last page, so that no address wraps around; less where the system does not give it. */
const largestMemory = 2 ** 32 - 65536;
const leastMemory = 2 ** 28;

function mapMemory(native: Native): { readonly address: number; readonly bytes: number } {
  for (let bytes = largestMemory; ; bytes = Math.floor(bytes / 2 ** 17) * 2 ** 16) {
    try {
      return { address: native.map(bytes), bytes };
    } catch (error) {
      if (!(error instanceof KilnError) || bytes < 2 * leastMemory) throw error;
    }
  }
}

/** A device that runs programs as machine code on native threads, in one mapped region of memory. */
export function x64Device({ native, features, lanes: fastest }: X64Host, options: X64DeviceOptions): MachineDevice {
  const { threads, lanes = fastest, fusion = true, show, residentBytes } = options;
  const { address, bytes } = mapMemory(native);
  const buffer = native.view(address, bytes);
  const team = NativeThreads.create(native, threads);
  const spins = threads > availableParallelism() ? crowdedBarrierSpins : barrierSpins;
  new Int32Array(buffer, controlLayout.barrier + barrierWords.spins, 1)[0] = spins;
  const target = x64Target(lanes, features);

  const addDeviceBarrier = (module: X64ModuleBuilder): X64FunctionBuilder =>
    module.subroutine('barrier', ['i32', 'i32'], (asm: Assembler) => {
      const barrier = addBarrier(asm, native.platform);
      // addresses count from the region's base
      const label = asm.here('barrier of the region');
      asm.op('mov', edi, edi).op('add', rdi, rbx).op('jmp', barrier);
      return label;
    });

  const executing = (code: ExecutableCode, entry: number): AssembledCode => ({
    execute: (context, wanted) => {
      team.run(code.address + entry, context, wanted);
    },
    release: () => code.free(),
  });
  const finish = (module: X64ModuleBuilder, run: X64FunctionBuilder) => {
    module.export('run', run);
    const made = module.finish(address);
    const code = ExecutableCode.create(native, made.bytes);
    return { made, code, entry: made.entries.get('run')! };
  };

  const machine = {
    name: 'x64',
    target: target.name,
    threads: team.threads,
    memory: { buffer },
    heap: new Heap({ start: controlLayout.end, end: bytes, limit: bytes, grow: () => undefined }),
    // native threads start at the first program that wants them, and that program waits for them
    ready: async () => {},
    compile: (graph, donations, programOptions) => {
      const module = new X64ModuleBuilder({ lanes });
      const program = compileProgram(module, graph, donations, {
        ...programOptions,
        target,
        fusion,
        addBarrier: () => addDeviceBarrier(module),
        ...(show && { show }),
      });
      const { made, code, entry } = finish(module, program.run as X64FunctionBuilder);
      programOptions?.listing?.(made.listing());
      show?.('kernels', () => `${program.kernels.join('\n\n')}\n\n${made.listing()}`);
      return { ...program, ...executing(code, entry), byteLength: 4096 + code.byteLength };
    },
    assemble: (build) => {
      const module = new X64ModuleBuilder({ lanes });
      const { code, entry } = finish(module, build(module) as X64FunctionBuilder);
      return executing(code, entry);
    },
  } satisfies Machine;
  return new MachineDevice(machine, residentBytes);
}
