import { availableParallelism } from 'node:os';
import { InternalError } from '../../core/index.js';
import { Assembler } from './assembler.js';
import { barrierSpins, barrierWords, crowdedBarrierSpins } from './barrier.js';
import { ExecutableCode } from './executable.node.js';
import type { Native, NativeFunction, ThreadHandle } from './native.node.js';
import { addRun, addStop, addWorkerEntry, teamLayout } from './team-code.js';

export const mostThreads = 64;

export interface NativeThreadsOptions {
  /** Cores that the threads share: with more threads than that they sleep sooner (those of the process). */
  readonly cores?: number;
  /** Told when the system gives fewer threads than asked for (a process warning). */
  readonly report?: (message: string) => void;
}

/**
 * Native threads that run programs of machine code. `run` is one native call: the caller works as thread 0.
 *
 * A program's entry is entry(context, thread, threads, barrier) → int32 in the platform's calling convention; `barrier` is
 * the address for the subroutine of `addBarrier`. Between programs the threads look for the next for 50 µs and then sleep;
 * the process may exit meanwhile. What goes wrong in a program ends the process: there is no thread that dies alone.
 */
export class NativeThreads {
  /** Threads that a program gets at most, the calling one included. */
  readonly threads: number;
  readonly #native: Native;
  readonly #report: (message: string) => void;
  readonly #code: ExecutableCode;
  readonly #workerEntry: number;
  readonly #run: NativeFunction;
  readonly #stop: NativeFunction;
  readonly #team: number;
  readonly #teamBytes: number;
  #workers: ThreadHandle[] | undefined;
  #isClosed = false;

  /** The threads start at the first program that wants more than one, in about 0.1 ms. */
  static create(native: Native, threads: number, options: NativeThreadsOptions = {}): NativeThreads {
    return new NativeThreads(native, threads, options);
  }

  private constructor(native: Native, threads: number, options: NativeThreadsOptions) {
    if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads) {
      throw new InternalError(`x64: there are 1 to ${mostThreads} threads: got ${threads}`);
    }
    const { cores = availableParallelism(), report = (message) => process.emitWarning(message, 'KilnWarning') } =
      options;
    this.threads = threads;
    this.#native = native;
    this.#report = report;
    const a = new Assembler();
    const run = addRun(a, native.platform);
    const stop = addStop(a, native.platform);
    const workerEntry = addWorkerEntry(a.align(64), native.platform);
    this.#code = ExecutableCode.create(native, a.finish());
    this.#workerEntry = this.#code.address + workerEntry.offset;
    this.#run = native.functionAt(this.#code.address + run.offset, 4);
    this.#stop = native.functionAt(this.#code.address + stop.offset, 2);
    this.#teamBytes = teamLayout.workers + threads * teamLayout.workerBytes;
    this.#team = native.map(this.#teamBytes);
    const spins = Int32Array.of(threads > cores ? crowdedBarrierSpins : barrierSpins);
    native.write(this.#team + teamLayout.barrier + barrierWords.spins, spins);
  }

  /** Threads that a program would run on now. */
  get awake(): number {
    return 1 + (this.#workers?.length ?? 0);
  }

  /**
   * Runs a program to its end and returns the largest of the numbers that its threads returned.
   *
   * @param entry   address of the program's entry
   * @param context handed to it, usually an address
   */
  run(entry: number, context: number, threads: number = this.threads): number {
    if (this.#isClosed) throw new InternalError('x64: a program is run on threads that were ended');
    const wanted = Math.min(threads, this.threads);
    const given = wanted > 1 ? Math.min(wanted, 1 + this.#start().length) : 1;
    return this.#run(this.#team, entry, context, given);
  }

  /** Ends the threads and frees their code. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const workers = this.#workers ?? [];
    if (workers.length > 0) this.#stop(this.#team, workers.length);
    for (const worker of workers) this.#native.joinThread(worker);
    this.#native.unmap(this.#team, this.#teamBytes);
    this.#code.free();
  }

  #start(): readonly ThreadHandle[] {
    if (this.#workers) return this.#workers;
    this.#workers = [];
    for (let i = 0; i < this.threads - 1; i++) {
      const thread = this.#startWorker(i);
      if (thread === undefined) {
        this.#report(`x64: the system gave ${i + 1} of ${this.threads} threads\n  Going on with ${i + 1}.`);
        break;
      }
      this.#workers.push(thread);
    }
    return this.#workers;
  }

  #startWorker(index: number): ThreadHandle | undefined {
    const address = this.#team + teamLayout.workers + index * teamLayout.workerBytes;
    this.#native.write(address + teamLayout.worker.thread, Int32Array.of(index + 1));
    this.#native.write(address + teamLayout.worker.team, BigInt64Array.of(BigInt(this.#team)));
    return this.#native.startThread(this.#workerEntry, address);
  }
}
