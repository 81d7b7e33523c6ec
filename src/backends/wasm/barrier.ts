import type { FunctionBuilder, Local, ModuleBuilder } from './assembler.js';

/**
 * Words of a barrier in the shared memory, as offsets in bytes from an address that is a multiple of 64. All zero at first.
 * Those who arrive and those who look write and read different cache lines: 125 ns a round with two threads, 175 on one line.
 */
export const barrierWords = { arrivals: 0, generation: 64, abort: 68, sleepers: 128 } as const;

/**
 * Rounds of looking before a thread sleeps: about 50 µs, what 2,000 pauses of x64 take; WebAssembly has no pause.
 * With four threads on two cores a round takes 20–45 µs; when they only spin, 4 ms.
 */
const spins = 30_000;

/** A sleeping thread looks this often whether the others were given up. */
const wakeNs = 100_000_000n;

export interface BarrierOptions {
  /** False where the calling thread may not sleep, as on a page's main thread (true). */
  readonly mayWait?: boolean;
}

/**
 * Adds the function barrier(address, threads) to a module: it returns when that many threads have called it, and is at
 * once ready for the next round. It traps when the abort word is set, so that one thread's end never hangs the others.
 * In a module with unshared memory there is one thread and nothing to wait for.
 *
 * A generation counter: the last to arrive clears the arrivals and counts up, the others look at the counter.
 */
export function addBarrier(module: ModuleBuilder, options: BarrierOptions = {}): FunctionBuilder {
  const { mayWait = true } = options;
  const f = module.function('barrier', ['i32', 'i32']);
  if (!module.sharedMemory) return f;
  const [address, threads] = f.params as [Local, Local];
  const generation = f.local('i32');
  const left = f.local('i32');

  const load = (word: number) => f.get(address).memory('i32.atomic.load', word);
  const add = (word: number, amount: number) => f.get(address).i32(amount).memory('i32.atomic.rmw.add', word);
  const returnIfOver = () => {
    load(barrierWords.generation).get(generation).op('i32.ne');
    f.if_(() => f.return_());
  };
  const trapIfAborted = () => {
    load(barrierWords.abort);
    f.if_(() => f.op('unreachable'));
  };

  trapIfAborted();
  load(barrierWords.generation).set(generation);
  add(barrierWords.arrivals, 1).i32(1).op('i32.add').get(threads).op('i32.eq');
  f.comment('the last one opens').if_(() => {
    f.get(address).i32(0).memory('i32.atomic.store', barrierWords.arrivals);
    add(barrierWords.generation, 1).drop();
    // Who counts itself a sleeper after this look finds the generation changed and does not sleep.
    load(barrierWords.sleepers);
    f.if_(() => f.get(address).i32(-1).memory('memory.atomic.notify', barrierWords.generation).drop());
    f.return_();
  });

  f.comment('the others look for a while').i32(spins).set(left);
  f.loop((again) => {
    returnIfOver();
    if (!mayWait) trapIfAborted();
    else f.get(left).i32(1).op('i32.sub').tee(left);
    if (mayWait) f.brIf(again);
    else f.br(again);
  });
  if (!mayWait) return f;

  f.comment('then sleep').loop((again) => {
    add(barrierWords.sleepers, 1).drop();
    f.get(address).get(generation).i64(wakeNs).memory('memory.atomic.wait32', barrierWords.generation).drop();
    add(barrierWords.sleepers, -1).drop();
    returnIfOver();
    trapIfAborted();
    f.br(again);
  });
  return f;
}
