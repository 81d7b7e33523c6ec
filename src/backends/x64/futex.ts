import { type Assembler, eax, edx, esi, type Memory, type Register, r10, r10d, rdi } from './assembler.js';
import type { Platform } from './platform.js';

/** Operations of futex(2), private to the process. */
const operations = { wait: 128, wake: 129 } as const;

export interface FutexCall {
  readonly operation: keyof typeof operations;
  /** The word. Its address does not use rdx, which is set before. */
  readonly address: Memory;
  /** 'wait' sleeps only while the word has this value; 'wake' wakes so many. */
  readonly value: number | Register<'r32'>;
  /** Seconds and nanoseconds, two 64-bit words; sleeps for ever without. */
  readonly timeout?: Memory;
}

/** A call of futex. Destroys rax, rcx, r11 and the four registers of its arguments (rdi, rsi, rdx, r10); keeps the rest. */
export function emitFutex(
  a: Assembler,
  { systemCalls }: Platform,
  { operation, address, value, timeout }: FutexCall,
): void {
  a.op('mov', edx, value).op('lea', rdi, address).op('mov', esi, operations[operation]);
  if (timeout) a.op('lea', r10, timeout);
  else a.op('xor', r10d, r10d);
  a.op('mov', eax, systemCalls.futex).op('syscall');
}
