import { type GeneralRegister, r8, r9, r12, r13, r14, r15, rbp, rbx, rcx, rdi, rdx, rsi } from './operands.js';

/** What emitted code must know about the system it runs on. */
export interface Platform {
  readonly name: string;
  /** Where a called function finds its first integer arguments; its result goes to rax. */
  readonly arguments: readonly [
    GeneralRegister,
    GeneralRegister,
    GeneralRegister,
    GeneralRegister,
    ...GeneralRegister[],
  ];
  /** Registers that a function gives back as it found them. rsp too; it is a multiple of 16 where a function is called. */
  readonly preserved: readonly GeneralRegister[];
  /** Numbers for `syscall`, which takes rdi, rsi, rdx, r10, r8, r9 and destroys rax, rcx and r11. */
  readonly systemCalls: { readonly futex: number; readonly signalMask: number };
  readonly memory: {
    readonly read: number;
    readonly write: number;
    readonly execute: number;
    /** Flags of mmap: private, of no file. */
    readonly anonymous: number;
    /** Advice to use huge pages. */
    readonly hugePages: number;
  };
}

/** By `process.platform`-`process.arch`. Other systems run on WebAssembly. */
export const platforms: { readonly [name: string]: Platform } = {
  // System V ABI, AMD64 supplement 1.0, section 3.2; linux/arch/x86/entry/syscalls/syscall_64.tbl
  'linux-x64': {
    name: 'Linux on x64',
    arguments: [rdi, rsi, rdx, rcx, r8, r9],
    preserved: [rbx, rbp, r12, r13, r14, r15],
    systemCalls: { futex: 202, signalMask: 14 },
    memory: { read: 1, write: 2, execute: 4, anonymous: 0x22, hugePages: 14 },
  },
};
