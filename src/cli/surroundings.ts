/** The machine and the engine that Kiln runs on, as the system describes them. */
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { nodeEngine } from '../backends/wasm/index.js';

export interface Surroundings {
  readonly processor: {
    readonly model: string;
    /** Logical processors that this process may use. */
    readonly count: number;
    readonly frequency: string;
    /** Those that kernels care about; empty where the system does not say. */
    readonly instructions: readonly string[];
    readonly caches: readonly { readonly name: string; readonly bytes: number }[];
  };
  /** Bytes. */
  readonly memory: { readonly free: number; readonly total: number };
  /** What the JavaScript engine offers to WebAssembly. */
  readonly engine: Readonly<Record<'SIMD' | 'fused multiply-add' | 'threads', boolean>>;
  readonly node: {
    readonly version: string;
    readonly v8: string;
    readonly platform: string;
    readonly architecture: string;
  };
}

export async function surroundings(): Promise<Surroundings> {
  const [cpu] = cpus();
  const { simd, relaxedMadd, threads } = nodeEngine().features;
  return {
    processor: {
      model: cpu?.model.trim() || 'unknown',
      count: availableParallelism(),
      frequency: cpu && cpu.speed > 0 ? `${(cpu.speed / 1000).toFixed(1)} GHz` : 'unknown frequency',
      instructions: instructionsIn(await textOf('/proc/cpuinfo')),
      caches: await cachesOf('/sys/devices/system/cpu/cpu0/cache'),
    },
    memory: { free: freemem(), total: totalmem() },
    engine: { SIMD: simd, 'fused multiply-add': relaxedMadd, threads },
    node: {
      version: process.versions.node,
      v8: process.versions.v8,
      platform: process.platform,
      architecture: process.arch,
    },
  };
}

/** Linux's names of what kernels use or may come to use, on x64 and on ARM. */
const known =
  /^(sse4_1|sse4_2|avx|avx2|fma|f16c|avx512(f|dq|bw|vl|_vnni|_bf16)|avx_vnni|amx_(tile|int8|bf16)|asimd|asimddp|asimdhp|sve|sve2|i8mm|bf16)$/;

/** Of the first processor in /proc/cpuinfo. */
export function instructionsIn(cpuinfo: string): string[] {
  const [, flags = ''] = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo) ?? [];
  return flags.split(/\s+/).filter((flag) => known.test(flag));
}

/** A file of the system's, or nothing where there is none: other systems than Linux. */
const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

async function cachesOf(folder: string): Promise<Surroundings['processor']['caches']> {
  const entries = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith('index')).sort();
  const caches = await Promise.all(
    entries.map(async (entry) => {
      const [level, type, size] = await Promise.all(
        ['level', 'type', 'size'].map(async (name) => (await textOf(`${folder}/${entry}/${name}`)).trim()),
      );
      return { type, name: `L${level}`, bytes: 1024 * Number.parseInt(size ?? '', 10) };
    }),
  );
  return caches
    .filter(({ type, bytes }) => type !== 'Instruction' && bytes > 0)
    .map(({ name, bytes }) => ({ name, bytes }));
}
