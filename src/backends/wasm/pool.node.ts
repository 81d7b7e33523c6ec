import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { InternalError } from '../../core/index.js';
import { barrierWords } from './barrier.js';
import { Instances, type Pool, type Trap, trapped } from './pool.js';
import {
  controlBytes,
  controlWords,
  type FromWorker,
  mostThreads,
  notStarted,
  spinMs,
  type ToWorker,
  type WorkerStart,
  workerSource,
} from './pool-worker.js';
import type { WasmMemory, WasmModule } from './webassembly.js';

export interface ThreadPoolOptions {
  /** Address of the `barrierBytes` that the programs' barrier lies in; a trap then ends the other threads' waiting. */
  readonly barrier?: number;
  /** Told when a worker ended that should not have (a process warning). */
  readonly report?: (message: string) => void;
}

/** Workers that were awake for the last program get this long to report for the next, else it runs without them. */
const patienceMs = 5;

interface PoolWorker {
  readonly index: number;
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly modules: Set<number>;
  error: unknown;
}

/**
 * Threads over one shared memory. `run` is synchronous: the calling thread works as thread 0 and never returns to its
 * event loop meanwhile.
 *
 * A program begins with a roll call. Only workers that answered it take part, so that one that died, has not started
 * yet or got no processor is never waited for: the program runs on fewer threads. After that a worker can only end by
 * a trap, which it reports.
 */
export class ThreadPool implements Pool {
  readonly threads: number;
  readonly #memory: WasmMemory;
  readonly #barrier: number;
  readonly #report: (message: string) => void;
  readonly #control = new SharedArrayBuffer(controlBytes);
  readonly #words = new Int32Array(this.#control);
  readonly #instances: Instances;
  readonly #ids = new Map<WasmModule, number>();
  #workers: PoolWorker[] | undefined;
  #generation = 0;
  #nextId = 1;
  #closed = false;

  /** Workers start at the first program that wants more than one thread, and do not keep the process alive. */
  static create(memory: WasmMemory, threads: number, options: ThreadPoolOptions = {}): ThreadPool {
    return new ThreadPool(memory, threads, options);
  }

  private constructor(memory: WasmMemory, threads: number, options: ThreadPoolOptions) {
    if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads) {
      throw new InternalError(`wasm: a pool has 1 to ${mostThreads} threads: got ${threads}`);
    }
    if (threads > 1 && !(memory.buffer instanceof SharedArrayBuffer)) {
      throw new InternalError(`wasm: ${threads} threads need a shared memory`);
    }
    this.threads = threads;
    this.#memory = memory;
    this.#barrier = options.barrier ?? -1;
    this.#report = options.report ?? ((message) => process.emitWarning(message, 'KilnWarning'));
    this.#instances = new Instances(memory, (module) => this.#forget(module));
    this.#words.fill(notStarted, controlWords.reported, controlWords.reported + mostThreads);
  }

  /** Threads that a program would run on now: the calling one, and workers that have started and not ended. */
  get awake(): number {
    return 1 + this.#started().length;
  }

  /** Starts the workers and waits until they are there. Programs do not need it: they run on the threads there are. */
  async ready(): Promise<void> {
    const workers = this.#start();
    while (this.#started().length < (this.#workers ?? workers).length) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  run(module: WasmModule, context: number, threads: number = this.threads): number {
    const run = this.#instances.get(module);
    const team = threads > 1 && this.threads > 1 ? this.#rollCall(Math.min(threads, this.threads) - 1) : [];
    if (team.length > 0) this.#begin(team, module, context);
    const traps: Trap[] = [];
    let result = 0;
    try {
      result = Number(run(context, 0, team.length + 1));
    } catch (error) {
      traps.push({ thread: 0, error: String(error) });
      this.#abort();
    }
    if (team.length > 0) {
      this.#join();
      result = this.#collect(team, traps, result);
    }
    if (traps.length > 0) {
      this.#resetBarrier();
      throw trapped(traps);
    }
    return result;
  }

  release(module: WasmModule): void {
    this.#instances.delete(module);
  }

  /** Ends the workers. Programs run on the calling thread from then on. */
  async close(): Promise<void> {
    const workers = this.#workers ?? [];
    this.#closed = true;
    this.#workers = [];
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  }

  /** Ends one worker, as a lack of memory or a bug would. The pool learns of it by itself. */
  async endWorker(index: number): Promise<void> {
    await this.#workers?.find((member) => member.index === index)?.worker.terminate();
  }

  #start(): PoolWorker[] {
    this.#workers ??= Array.from({ length: this.threads - 1 }, (_, index) => this.#startWorker(index));
    return this.#workers;
  }

  #startWorker(index: number): PoolWorker {
    const { port1, port2 } = new MessageChannel();
    const abortWord = this.#barrier < 0 ? -1 : (this.#barrier + barrierWords.abort) / 4;
    const generationWord = (this.#barrier + barrierWords.generation) / 4;
    const start: WorkerStart = {
      worker: index,
      control: this.#control,
      memory: this.#memory,
      abortWord,
      generationWord,
      port: port2,
    };
    const options = { eval: true, execArgv: [], name: `kiln ${index + 1}`, workerData: start, transferList: [port2] };
    const worker = new Worker(workerSource, options);
    const member: PoolWorker = { index, worker, port: port1, modules: new Set(), error: undefined };
    worker.on('error', (error) => {
      member.error = error;
    });
    worker.on('exit', (code) => this.#lose(member, code));
    worker.unref();
    port1.unref();
    return member;
  }

  #lose(member: PoolWorker, code: number): void {
    if (this.#closed) return;
    this.#workers = (this.#workers ?? []).filter((other) => other !== member);
    const why = member.error ? String(member.error) : `exit code ${code}`;
    const left = this.#workers.length + 1;
    this.#report(
      `wasm: worker thread ${member.index + 1} ended: ${why}\n  Going on with ${left} of ${this.threads} threads.`,
    );
  }

  #started(): PoolWorker[] {
    return (this.#workers ?? []).filter(({ index }) => this.#reported(index) !== notStarted);
  }

  #reported(index: number): number {
    return Atomics.load(this.#words, controlWords.reported + index);
  }

  /** Wakes the workers; returns up to `wanted` of those that answered. */
  #rollCall(wanted: number): PoolWorker[] {
    const words = this.#words;
    const workers = this.#start();
    const before = this.#generation;
    // Who has not answered the last call is starting, dead or starved: welcome if it answers now, but not waited for.
    let expected = 0;
    for (const { index } of workers) if (this.#reported(index) === before) expected++;
    if (expected === 0) return [];
    expected = Math.min(expected, wanted);
    this.#generation = (before + 1) | 0;
    Atomics.store(words, controlWords.generation, this.#generation);
    Atomics.notify(words, controlWords.generation);

    const start = performance.now();
    let present = this.#present();
    while (present.length < expected) {
      const reports = Atomics.load(words, controlWords.reports);
      present = this.#present();
      if (present.length >= expected) break;
      const waited = performance.now() - start;
      if (waited > patienceMs) break;
      if (waited > spinMs) Atomics.wait(words, controlWords.reports, reports, patienceMs - waited);
    }
    const team = present.slice(0, wanted);
    for (const { index } of workers) Atomics.store(words, controlWords.part + index, this.#generation << 8);
    if (team.length === 0) this.#go();
    return team;
  }

  #present(): PoolWorker[] {
    return (this.#workers ?? []).filter(({ index }) => this.#reported(index) === this.#generation);
  }

  #begin(team: readonly PoolWorker[], module: WasmModule, context: number): void {
    const words = this.#words;
    const id = this.#idOf(module);
    for (const [i, { index, modules, port }] of team.entries()) {
      if (!modules.has(id)) {
        port.postMessage({ id, module } satisfies ToWorker);
        modules.add(id);
      }
      words[controlWords.trapped + index] = 0;
      Atomics.store(words, controlWords.part + index, (this.#generation << 8) + i + 1);
    }
    words[controlWords.moduleId] = id;
    words[controlWords.context] = context;
    words[controlWords.threads] = team.length + 1;
    Atomics.store(words, controlWords.remaining, team.length);
    this.#go();
  }

  #go(): void {
    Atomics.store(this.#words, controlWords.go, this.#generation);
    Atomics.notify(this.#words, controlWords.go);
  }

  /** Waits until every worker of the program has come to its end. */
  #join(): void {
    const words = this.#words;
    const start = performance.now();
    for (let remaining: number; (remaining = Atomics.load(words, controlWords.remaining)) > 0; ) {
      if (performance.now() - start > spinMs) Atomics.wait(words, controlWords.remaining, remaining);
    }
  }

  #collect(team: readonly PoolWorker[], traps: Trap[], own: number): number {
    let result = own;
    for (const [i, { index, port }] of team.entries()) {
      result = Math.max(result, this.#words[controlWords.result + index]!);
      if (this.#words[controlWords.trapped + index] === 0) continue;
      const received = receiveMessageOnPort(port) as { message: FromWorker } | undefined;
      traps.push({ thread: i + 1, error: received?.message.error ?? 'no reason was given' });
    }
    return result;
  }

  #abort(): void {
    if (this.#barrier < 0) return;
    const shared = new Int32Array(this.#memory.buffer);
    Atomics.store(shared, (this.#barrier + barrierWords.abort) / 4, 1);
    if (shared.buffer instanceof SharedArrayBuffer) {
      Atomics.notify(shared, (this.#barrier + barrierWords.generation) / 4);
    }
  }

  #resetBarrier(): void {
    if (this.#barrier < 0) return;
    const shared = new Int32Array(this.#memory.buffer, this.#barrier);
    for (const word of [barrierWords.arrivals, barrierWords.abort, barrierWords.sleepers]) shared[word / 4] = 0;
  }

  #idOf(module: WasmModule): number {
    let id = this.#ids.get(module);
    if (id === undefined) this.#ids.set(module, (id = this.#nextId++));
    return id;
  }

  #forget(module: WasmModule): void {
    const id = this.#ids.get(module);
    if (id === undefined) return;
    this.#ids.delete(module);
    for (const { port, modules } of this.#workers ?? []) {
      if (modules.delete(id)) port.postMessage({ release: id } satisfies ToWorker);
    }
  }
}
