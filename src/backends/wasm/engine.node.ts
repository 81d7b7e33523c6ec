import { setFlagsFromString } from 'node:v8';
import { wasmTarget } from '../../compiler/index.js';
import { detectFeatures, type Engine } from './engine.js';
import { type WasmModule, WebAssembly } from './webassembly.js';

/**
 * Flags of V8 while a module of Kiln's is compiled: all functions at once, by the optimizing compiler.
 * Left to itself V8 runs baseline code first, some kernels for whole seconds at half their speed or less.
 * A module of 98 KB (120 tiles of a matrix product), two cores, Node 20 / 22 / 24 / 26:
 *   default                            13 GFLOP/s, after 40 runs of every kernel too
 *   --no-liftoff                       26 / 26 / 55 / 55, kernels compile one by one at their first call: 34 / 33 / 17 / 18 ms
 *   --no-liftoff, and not lazily       the same speed, compiled on all cores beforehand: 22 / 18 / 10 / 13 ms
 * V8 14 aborts the process when it inlines without the baseline code's call counts ("function_feedback"), so inlining
 * goes as well; nothing of Kiln's needs it.
 */
interface CompileFlags {
  readonly during: readonly string[];
  readonly after: readonly string[];
}

const [major = 0] = process.versions.v8.split('.').map(Number);

/** The newest V8 on which these flags were tried; beyond it, tiering up in the background has to do. */
const newestTried = 14;

const optimized: CompileFlags = {
  during: ['--no-liftoff', '--no-wasm-lazy-compilation', ...(major >= 13 ? ['--no-wasm-inlining'] : [])],
  after: ['--liftoff', '--wasm-lazy-compilation', ...(major >= 13 ? ['--wasm-inlining'] : [])],
};
const background: CompileFlags = {
  during: ['--no-wasm-lazy-compilation', '--no-wasm-dynamic-tiering'],
  after: ['--wasm-lazy-compilation', '--wasm-dynamic-tiering'],
};
const flags = major <= newestTried ? optimized : background;

/**
 * Lets modules use relaxed SIMD on Node 20, where V8 11.3 has it behind a flag. Before the first module is compiled.
 * `nodeEngine` does it by itself.
 */
export function setEngineFlags(): void {
  if (major === 11) setFlagsFromString('--experimental-wasm-relaxed-simd');
}

/** Node's engine. Flags are set while Kiln compiles and put back after it: other packages' modules are not Kiln's matter. */
export function nodeEngine(): Engine {
  setEngineFlags();
  return { features: detectFeatures(), target: wasmTarget(major), compile };
}

function compile(bytes: Uint8Array<ArrayBuffer>): WasmModule {
  for (const flag of flags.during) setFlagsFromString(flag);
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    for (const flag of flags.after) setFlagsFromString(flag);
  }
}
