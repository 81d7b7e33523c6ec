/** Small programs for the tests of pools: `run(context, thread, threads)` on a shared memory. */
import { type FunctionBuilder, type Local, ModuleBuilder } from '../../../src/backends/wasm/assembler.js';
import { addBarrier } from '../../../src/backends/wasm/barrier.js';
import { nodeEngine } from '../../../src/backends/wasm/engine.node.js';
import { type WasmModule, WebAssembly } from '../../../src/backends/wasm/webassembly.js';

export const engine = nodeEngine();
export const barrierAddress = 64;
/** Where programs may write: one word a thread from here on, and a counter. */
export const slots = 1024;
export const counter = 512;

export const sharedMemory = () => new WebAssembly.Memory({ initial: 2, maximum: 16, shared: true });

export interface Body {
  readonly f: FunctionBuilder;
  readonly context: Local;
  readonly thread: Local;
  readonly threads: Local;
  /** All threads meet. */
  barrier(): void;
}

/** A program whose body leaves an i32, its result, on the stack. */
export function program(body: (parts: Body) => void, shared = true): WasmModule {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 2, 16, shared);
  const barrier = addBarrier(module);
  const f = module.function('run', ['i32', 'i32', 'i32'], ['i32']);
  const [context, thread, threads] = f.params as [Local, Local, Local];
  const address = f.local('i32');
  f.i32(barrierAddress).set(address);
  body({ f, context, thread, threads, barrier: () => f.get(address).get(threads).call(barrier) });
  module.export('run', f);
  return engine.compile(module.finish());
}

/** Every thread writes context + thread to its slot; the result is the number of threads. */
export const mark = (): WasmModule =>
  program(({ f, context, thread, threads }) => {
    f.get(thread).i32(2).op('i32.shl').get(context).get(thread).op('i32.add').memory('i32.store', slots);
    f.get(threads);
  });

/**
 * `context` rounds in which every thread adds one to a counter and all meet; after each meeting every thread checks that
 * all have added. The result is the number of failed checks.
 */
export const rounds = (): WasmModule =>
  program(({ f, context, threads, barrier }) => {
    const round = f.local('i32');
    const failed = f.local('i32');
    f.loop((again) => {
      f.get(round).i32(1).op('i32.add').set(round);
      f.i32(counter).i32(1).memory('i32.atomic.rmw.add').drop();
      barrier();
      f.i32(counter).memory('i32.atomic.load').get(round).get(threads).op('i32.mul').op('i32.ne');
      f.get(failed).op('i32.add').set(failed);
      barrier();
      f.get(round).get(context).op('i32.lt_s').brIf(again);
    });
    f.get(failed);
  });

/** Thread `context` traps; the others go to a barrier that it never reaches. */
export const trapping = (): WasmModule =>
  program(({ f, context, thread, barrier }) => {
    f.get(thread).get(context).op('i32.eq');
    f.if_(() => f.i32(1).i32(0).op('i32.div_s').drop());
    barrier();
    f.i32(0);
  });
