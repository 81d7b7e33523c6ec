import type { CodeModule, RegisterType } from '../machine/index.js';
import {
  Assembler,
  type Label,
  listing,
  low32,
  mem,
  r8,
  r9,
  r12,
  r13,
  r14,
  r15,
  rax,
  rbp,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
} from './assembler.js';
import { emitFunction } from './emit.js';
import { X64FunctionBuilder } from './function-builder.js';

export interface X64ModuleOptions {
  /** 8 for AVX2 and FMA, 16 for AVX-512 (F, VL, BW, DQ). */
  readonly lanes: 8 | 16;
}

/** A module's machine code. It runs wherever it is put. */
export interface X64Code {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Offsets of the exported functions. */
  readonly entries: ReadonlyMap<string, number>;
  listing(): string;
}

const callerSees = [rbx, rbp, r12, r13, r14, r15];
const systemArguments = [rdi, rsi, rdx, rcx, r8, r9];

/** A program's functions, made into machine code for one mapped region of memory. */
export class X64ModuleBuilder implements CodeModule {
  readonly lanes: 8 | 16;
  readonly #functions: X64FunctionBuilder[] = [];
  readonly #exports = new Map<string, X64FunctionBuilder>();
  readonly #subroutines = new Map<X64FunctionBuilder, (asm: Assembler) => Label>();

  constructor({ lanes }: X64ModuleOptions) {
    this.lanes = lanes;
  }

  function(
    name: string,
    parameters: readonly RegisterType[],
    results: readonly RegisterType[] = [],
  ): X64FunctionBuilder {
    const f = new X64FunctionBuilder(name, this.lanes, parameters, results);
    this.#functions.push(f);
    return f;
  }

  /** A function of integers whose code is written by hand, in the functions' own convention: `emit` places its label. */
  subroutine(name: string, parameters: readonly RegisterType[], emit: (asm: Assembler) => Label): X64FunctionBuilder {
    const handle = new X64FunctionBuilder(name, this.lanes, parameters);
    this.#subroutines.set(handle, emit);
    return handle;
  }

  /** Lets a function of up to six integers, which gives an integer or nothing, be called from outside, as System V has it. */
  export(name: string, f: X64FunctionBuilder): void {
    this.#exports.set(name, f);
  }

  /** @param base address of the region: what addresses count from */
  finish(base: number): X64Code {
    const asm = new Assembler();
    const labels = new Map<X64FunctionBuilder, Label>();
    const labelOf = (f: X64FunctionBuilder): Label => {
      let label = labels.get(f);
      if (!label) {
        label = asm.label(f.name);
        labels.set(f, label);
      }
      return label;
    };
    for (const [handle, emit] of this.#subroutines) labels.set(handle, emit(asm));
    const entries = new Map<string, Label>();
    for (const [name, f] of this.#exports) entries.set(name, emitEntry(asm, name, f, labelOf(f), base));
    for (const f of this.#functions) emitFunction(asm, f, labelOf);
    const bytes = asm.finish();
    return {
      bytes,
      entries: new Map([...entries].map(([name, { offset }]) => [name, offset])),
      listing: () => listing(asm),
    };
  }
}

function emitEntry(asm: Assembler, name: string, f: X64FunctionBuilder, target: Label, base: number): Label {
  const label = asm.label(`entry ${name}`);
  asm.align(16).bind(label);
  for (const register of callerSees) asm.op('push', register);
  // the upper halves of 32-bit arguments hold anything
  f.parameters.forEach((_, i) => {
    const register = low32(systemArguments[i]!);
    asm.op('mov', register, register);
  });
  asm.op('mov', rax, rsp).op('and', rsp, -64).op('sub', rsp, 64).op('mov', mem(rsp), rax);
  asm.set(rbx, base).op('call', target);
  asm.op('mov', rsp, mem(rsp));
  for (const register of callerSees.toReversed()) asm.op('pop', register);
  asm.op('vzeroupper').op('ret');
  return label;
}
