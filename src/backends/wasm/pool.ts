import { InternalError } from '../../core/index.js';
import { type WasmFunction, type WasmMemory, type WasmModule, WebAssembly } from './webassembly.js';

/**
 * Runs programs: compiled modules that import `env.memory` and export `run(context, thread, threads): i32`.
 * Every thread calls `run` once; what it does there it draws from a counter in the memory, so that any number of threads
 * does the same work.
 */
export interface Pool {
  /** Threads that a program gets at most, the calling one included. */
  readonly threads: number;
  /**
   * Runs a program to its end on at most `threads` threads and returns the largest of the numbers that they returned.
   *
   * @throws InternalError when a thread trapped; it names the thread and what happened
   */
  run(module: WasmModule, context: number, threads?: number): number;
  /** Resolves when all threads are up. */
  ready(): Promise<void>;
  /** Forgets a module that will not run again. */
  release(module: WasmModule): void;
}

/** Instances that a thread keeps; beyond that the one that ran longest ago goes. */
export const keptInstances = 256;

/** A module's `run` on the calling thread. */
export class Instances {
  readonly #memory: WasmMemory;
  readonly #runs = new Map<WasmModule, WasmFunction>();
  readonly #dropped: (module: WasmModule) => void;

  constructor(memory: WasmMemory, dropped: (module: WasmModule) => void = () => {}) {
    this.#memory = memory;
    this.#dropped = dropped;
  }

  get(module: WasmModule): WasmFunction {
    let run = this.#runs.get(module);
    if (run)
      this.#runs.delete(module); // the map's order is the order of use
    else run = this.#instantiate(module);
    this.#runs.set(module, run);
    return run;
  }

  delete(module: WasmModule): void {
    if (this.#runs.delete(module)) this.#dropped(module);
  }

  #instantiate(module: WasmModule): WasmFunction {
    if (this.#runs.size >= keptInstances) {
      for (const [oldest] of this.#runs) {
        this.delete(oldest);
        break;
      }
    }
    const { run } = new WebAssembly.Instance(module, { env: { memory: this.#memory } }).exports;
    if (!run) throw new InternalError('wasm: a program exports no function `run`');
    return run;
  }
}

/** The pool without workers: for unshared memory, and for one thread. */
export class SinglePool implements Pool {
  readonly threads = 1;
  readonly #instances: Instances;

  constructor(memory: WasmMemory) {
    this.#instances = new Instances(memory);
  }

  run(module: WasmModule, context: number): number {
    try {
      return Number(this.#instances.get(module)(context, 0, 1));
    } catch (error) {
      throw trapped([{ thread: 0, error: String(error) }]);
    }
  }

  async ready(): Promise<void> {}

  release(module: WasmModule): void {
    this.#instances.delete(module);
  }
}

export interface Trap {
  readonly thread: number;
  readonly error: string;
}

/** The error for a program of which some threads did not come to their end. */
export function trapped(traps: readonly Trap[]): InternalError {
  const lines = traps.map(({ thread, error }) => `thread ${thread}: ${error}`);
  return new InternalError(`wasm: a program trapped\n  ${lines.join('\n  ')}`);
}
