import { type Target, wasmTarget } from '../../compiler/index.js';
import { ModuleBuilder } from './assembler.js';
import { type WasmModule, WebAssembly } from './webassembly.js';

/** What the JavaScript engine offers to kernels. */
export interface EngineFeatures {
  /** 128-bit vectors; without them Kiln has no WebAssembly backend. */
  readonly simd: boolean;
  /** f32x4.relaxed_madd: a fused multiply-add where the processor has one. */
  readonly relaxedMadd: boolean;
  /** A memory that several threads see. In a browser only on a cross-origin isolated page. */
  readonly sharedMemory: boolean;
  /** Shared memory and atomic instructions in modules. */
  readonly threads: boolean;
}

/** What is left to the host: Node turns its flags, a browser has none. */
export interface Engine {
  readonly features: EngineFeatures;
  /** What schedules may know of it. */
  readonly target: Target;
  /** Compiles, with optimized code from the first call on where the host can do that. */
  compile(bytes: Uint8Array<ArrayBuffer>): WasmModule;
}

export function detectFeatures(): EngineFeatures {
  const sharedMemory = canShare();
  return {
    simd: validates('v128', (f, x) => f.get(x).get(x).op('f32x4.add').drop()),
    relaxedMadd: validates('v128', (f, x) => f.get(x).get(x).get(x).op('f32x4.relaxed_madd').drop()),
    sharedMemory,
    threads: sharedMemory && validates('i32', (f, x) => f.get(x).memory('i32.atomic.load').drop()),
  };
}

/** Browsers update themselves: theirs is taken for V8 13 or newer, or one that allocates registers as well. */
const newestKnown = 13;

/** The engine of a page, or of a host that Kiln knows nothing more of. */
export function plainEngine(): Engine {
  return {
    features: detectFeatures(),
    target: wasmTarget(newestKnown),
    compile: (bytes) => new WebAssembly.Module(bytes),
  };
}

type Kernel = ReturnType<ModuleBuilder['function']>;

function validates(type: 'v128' | 'i32', body: (f: Kernel, x: Kernel['params'][number]) => void): boolean {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1, 1, type === 'i32');
  const f = module.function('probe', []);
  body(f, f.local(type));
  return WebAssembly.validate(module.finish());
}

function canShare(): boolean {
  try {
    const { buffer } = new WebAssembly.Memory({ initial: 0, maximum: 1, shared: true });
    return typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer;
  } catch {
    return false; // the page is not cross-origin isolated
  }
}
