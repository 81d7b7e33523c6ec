import { type Assembler, dword, eax, ecx, esi, type Label, type Memory, mem, r8, r9d, rdi } from './assembler.js';
import { emitFutex } from './futex.js';
import type { Platform } from './platform.js';

/**
 * Words of a barrier, as offsets in bytes from an address that is a multiple of 64. All zero at first but `spins`.
 * Those who arrive and those who look write and read different cache lines.
 */
export const barrierWords = { arrivals: 0, generation: 64, abort: 68, spins: 72, sleepers: 128 } as const;
export const barrierBytes = 192;

/** Pauses before a thread sleeps: 30 to 100 µs. Threads that only spin, four on two cores, take 4 ms a round. */
export const barrierSpins = 2000;

/** The same with more threads than cores, where who looks keeps others from arriving. */
export const crowdedBarrierSpins = 100;

/** A sleeping thread looks this often whether the others were given up. */
const wakeNanoseconds = 100_000_000n;

const everybody = 0x7fffffff;

/**
 * Adds the subroutine barrier(rdi: address, esi: threads): it returns 0 when that many threads have called it, and is at once
 * ready for the next round. It returns 1 when the abort word is set, so that one thread's end never hangs the others.
 * Of the general registers it destroys those that any call may; it keeps all vectors.
 *
 * A generation counter: the last to arrive clears the arrivals and counts up, the others look at the counter.
 */
export function addBarrier(a: Assembler, platform: Platform): Label {
  const entry = a.here('barrier');
  const wait = a.label('barrier.wait', { isShort: true });
  const over = a.label('barrier.over', { isShort: true });
  const aborted = a.label('barrier.aborted', { isShort: true });
  const word = (name: keyof typeof barrierWords): Memory => dword(mem(r8, barrierWords[name]));

  a.op('mov', r8, rdi).op('mov', r9d, word('generation'));
  a.op('mov', eax, 1).op('lock xadd', word('arrivals'), eax).op('inc', eax).op('cmp', eax, esi).op('jne', wait);
  a.comment('the last one lets the others go').op('mov', word('arrivals'), 0).op('lock inc', word('generation'));
  // who counts itself a sleeper after this look finds the generation changed and does not sleep
  a.op('cmp', word('sleepers'), 0).op('je', over);
  emitFutex(a, platform, { operation: 'wake', address: word('generation'), value: everybody });

  a.bind(over).op('xor', eax, eax).op('ret');

  a.bind(wait).op('mov', ecx, word('spins'));
  const spin = a.here('barrier.spin');
  a.op('cmp', word('generation'), r9d).op('jne', over);
  a.op('pause').op('dec', ecx).op('jg', spin);

  const sleep = a.here('barrier.sleep');
  a.op('lock inc', word('sleepers')).op('cmp', word('abort'), 0).op('jne', aborted);
  const timeout = a.constant(BigInt64Array.of(0n, wakeNanoseconds), 8);
  emitFutex(a, platform, { operation: 'wait', address: word('generation'), value: r9d, timeout });
  a.op('lock dec', word('sleepers')).op('cmp', word('generation'), r9d).op('jne', over);
  a.op('jmp', sleep);

  a.bind(aborted).op('lock dec', word('sleepers')).op('mov', eax, 1).op('ret');
  return entry;
}

/** Gives the others up: barriers at the address in rdi return 1 from now on. Destroys what a barrier does. */
export function emitAbort(a: Assembler, platform: Platform): void {
  a.op('mov', r8, rdi)
    .op('mov', dword(mem(r8, barrierWords.abort)), 1)
    .op('mfence');
  emitFutex(a, platform, { operation: 'wake', address: mem(r8, barrierWords.generation), value: everybody });
}
