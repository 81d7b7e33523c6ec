import { InternalError } from '../../core/index.js';
import { type Allocation, allocate } from './allocate.js';
import {
  type Assembler,
  byte,
  dword,
  indexed,
  k,
  type Label,
  low8,
  low32,
  Memory,
  type Mnemonic,
  masked,
  mem,
  type Operand,
  Register,
  rax,
  rcx,
  register,
  rsp,
  type VectorKind,
  xmm,
} from './assembler.js';
import { BlockLayout } from './block-layout.js';
import { argumentPlaces, stackSlots } from './convention.js';
import type { X64FunctionBuilder } from './function-builder.js';
import type {
  Address,
  Comparison,
  Instruction,
  MachineBlock,
  MachineFunction,
  Source,
  Transfer,
} from './instructions.js';
import { moveAll, type Place } from './moves.js';
import { Operands } from './operand-places.js';
import { negated, select } from './select.js';
import { toSsa } from './ssa.js';

/** Appends a function's machine code; `labelOf` says where the others begin. */
export function emitFunction(asm: Assembler, f: X64FunctionBuilder, labelOf: (f: X64FunctionBuilder) => Label): void {
  const machine = select(toSsa(f), f.lanes);
  const allocation = allocate(machine, f.parameters, f.lanes);
  new FunctionEmitter(asm, f, machine, allocation, labelOf).emit();
}

const eax = low32(rax);
const align = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit;

class FunctionEmitter {
  readonly #asm: Assembler;
  readonly #f: X64FunctionBuilder;
  readonly #machine: MachineFunction;
  readonly #allocation: Allocation;
  readonly #labelOf: (f: X64FunctionBuilder) => Label;
  readonly #layout: BlockLayout;
  readonly #vectorKind: VectorKind;
  readonly #outgoing: number;
  readonly #frame: number;
  readonly #operands: Operands;
  /** The general register whose being zero the flags tell; or −1 − register, of a virtual one at home in memory. */
  #flagsOf: number | undefined;

  constructor(
    asm: Assembler,
    f: X64FunctionBuilder,
    machine: MachineFunction,
    allocation: Allocation,
    labelOf: (f: X64FunctionBuilder) => Label,
  ) {
    this.#asm = asm;
    this.#f = f;
    this.#machine = machine;
    this.#allocation = allocation;
    this.#labelOf = labelOf;
    this.#vectorKind = f.lanes === 16 ? 'zmm' : 'ymm';
    let slots = 0;
    for (const { instructions } of machine.blocks)
      for (const { callee } of instructions) if (callee) slots = Math.max(slots, stackSlots(callee.parameters));
    this.#outgoing = align(slots * 8, 64);
    const bytes = this.#outgoing + allocation.frameBytes;
    // a call has pushed 8 bytes below a multiple of 64
    this.#frame = bytes > 0 || machine.hasCalls ? align(bytes + 8, 64) - 8 : 0;
    this.#operands = new Operands(asm, f.name, machine, allocation, { outgoing: this.#outgoing, bytes: this.#frame });
    this.#layout = new BlockLayout(asm, machine, allocation, this.#operands);
  }

  emit(): void {
    const asm = this.#asm;
    asm.align(16).comment(this.#f.name).bind(this.#labelOf(this.#f));
    if (this.#frame > 0) asm.op('sub', rsp, this.#frame);
    for (const [mask, bits] of this.#machine.masks) asm.op('mov', eax, bits).op('kmovw', k(mask), eax);
    for (const block of this.#machine.blocks) {
      if (this.#layout.emitsNothing(block) && block.order > 0) continue;
      const { loop } = block;
      if (loop?.isInnermost && loop.header === block) asm.align(32);
      asm.bind(this.#layout.label(block));
      this.#flagsOf = undefined;
      for (const instruction of block.instructions) {
        for (const transfer of instruction.before ?? []) this.#load(transfer);
        this.#instruction(instruction, block);
        for (const transfer of instruction.after ?? []) this.#store(transfer);
      }
    }
  }

  // ---- control ----

  #jump(to: MachineBlock, from: MachineBlock): void {
    const target = this.#layout.target(to);
    if (target !== this.#layout.next(from)) this.#asm.op('jmp', this.#layout.label(target));
  }

  #branch({ src, comparison, whenTrue, whenFalse }: Instruction, block: MachineBlock): void {
    const condition = this.#compare(src[0]!, src[1]!, comparison!);
    const [isTrue, isFalse] = [this.#layout.target(whenTrue!), this.#layout.target(whenFalse!)];
    const next = this.#layout.next(block);
    if (isTrue === next) {
      this.#asm.op(`j${negated[condition]!}` as Mnemonic, this.#layout.label(isFalse));
    } else {
      this.#asm.op(`j${condition}`, this.#layout.label(isTrue));
      if (isFalse !== next) this.#asm.op('jmp', this.#layout.label(isFalse));
    }
  }

  // ---- transfers ----

  #moves(moves: readonly (readonly [to: Place, from: Place])[]): void {
    moveAll(this.#asm, moves, { vectorKind: this.#vectorKind });
  }

  #load({ register: virtual, home }: Transfer): void {
    const machine = this.#allocation.registers[virtual];
    if (machine === undefined) return;
    this.#moves([[this.#operands.place(virtual), this.#operands.homePlace(home)]]);
    if (machine === this.#flagsOf && this.#allocation.types[virtual] === 'i32') this.#flagsOf = undefined;
  }

  #store({ register: virtual, home }: Transfer): void {
    if (this.#allocation.registers[virtual] !== undefined)
      this.#moves([[this.#operands.homePlace(home), this.#operands.place(virtual)]]);
  }

  #enter({ moves }: Instruction): void {
    const places = argumentPlaces(this.#f.parameters);
    this.#moves(
      moves.map(({ to, from }) => {
        const type = this.#f.parameters[-1 - from]!;
        const place = places[-1 - from]!;
        const source: Place =
          place.kind === 'register'
            ? { kind: 'register', type, register: place.register }
            : { kind: 'memory', type, memory: mem(rsp, this.#frame + 8 + 8 * place.slot) };
        return [this.#operands.place(to), source];
      }),
    );
  }

  #call({ src, callee }: Instruction): void {
    const places = argumentPlaces(callee!.parameters);
    this.#moves(
      src.map((source, i) => {
        const type = callee!.parameters[i]!;
        const place = places[i]!;
        const to: Place =
          place.kind === 'register'
            ? { kind: 'register', type, register: place.register }
            : { kind: 'memory', type, memory: mem(rsp, 8 * place.slot) };
        return [to, this.#operands.place(source as number)];
      }),
    );
    this.#asm.op('call', this.#labelOf(callee!));
  }

  #return({ src }: Instruction): void {
    const source = src[0];
    if (typeof source === 'number') {
      const type = this.#f.results[0]!;
      this.#moves([[{ kind: 'register', type, register: 0 }, this.#operands.place(source)]]);
    }
    if (this.#frame > 0) this.#asm.op('add', rsp, this.#frame);
    this.#asm.op('ret');
  }

  // ---- instructions ----

  #instruction(instruction: Instruction, block: MachineBlock): void {
    const { operation, src, dst } = instruction;
    const asm = this.#asm;
    const flags = this.#flagsOf;
    this.#flagsOf = undefined;
    switch (operation) {
      case 'plain':
        this.#plain(instruction);
        if (dst === undefined || this.#allocation.types[dst] !== 'i32') this.#flagsOf = flags;
        return;
      case 'fma':
        this.#fma(instruction);
        this.#flagsOf = flags;
        return;
      case 'copy':
        if (this.#allocation.types[dst!] === 'i32')
          asm.op('mov', this.#target32(dst!), this.#operands.integer(src[0]!));
        else this.#copyScalar(dst!, src[0] as number);
        return;
      case 'add':
      case 'sub':
      case 'and':
      case 'or':
      case 'xor':
      case 'imul':
        this.#arithmetic(instruction);
        return;
      case 'shl':
      case 'shr':
      case 'sar':
        this.#shift(instruction);
        return;
      case 'neg': {
        const target = this.#target32(dst!);
        this.#moveInteger(target, this.#operands.integer(src[0]!));
        asm.op('neg', target);
        return;
      }
      case 'mulHigh': {
        const [a, b] = src.map((source) => this.#operands.number(source as number)) as [number, number];
        asm.op('mov', eax, register('r32', a)).op('imul', rax, register('r64', b)).op('shr', rax, 32);
        asm.op('mov', this.#target32(dst!), eax);
        return;
      }
      case 'set': {
        const condition = this.#compare(src[0]!, src[1]!, instruction.comparison!, flags);
        asm.op(`set${condition}`, low8(rax)).op('movzx', this.#target32(dst!), low8(rax));
        return;
      }
      case 'choose':
        this.#choose(instruction);
        return;
      case 'load32':
        asm.op('mov', this.#target32(dst!), this.#operands.address(src[0] as Address));
        this.#flagsOf = flags === this.#operands.number(dst!) ? undefined : flags;
        return;
      case 'load8':
        asm.op('movzx', this.#target32(dst!), byte(this.#operands.address(src[0] as Address)));
        return;
      case 'store32':
        asm.op('mov', dword(this.#operands.address(src[0] as Address)), this.#operands.integer(src[1]!));
        return;
      case 'store8': {
        const value = this.#operands.integer(src[1]!);
        const to = byte(this.#operands.address(src[0] as Address));
        asm.op('mov', to, value instanceof Register ? low8(value) : (value as number) & 255);
        return;
      }
      case 'exchangeAdd': {
        const target = this.#target32(dst!);
        this.#moveInteger(target, this.#operands.integer(src[0]!));
        asm.op('lock xadd', this.#operands.address(src[1] as Address), target);
        return;
      }
      case 'maskConstant':
        asm.op('mov', eax, instruction.imm!).op('kmovw', k(1), eax);
        return;
      case 'entry':
        this.#enter(instruction);
        return;
      case 'moves':
        this.#moves(instruction.moves.map(({ to, from }) => [this.#operands.place(to), this.#operands.place(from)]));
        return;
      case 'call':
        this.#call(instruction);
        return;
      case 'result':
        asm.op('mov', this.#target32(dst!), eax);
        return;
      case 'branch':
        this.#flagsOf = flags;
        this.#branch(instruction, block);
        return;
      case 'jump':
        this.#jump(instruction.whenTrue!, block);
        return;
      case 'return':
        this.#return(instruction);
        return;
      case 'comment':
        asm.comment(instruction.text);
    }
  }

  #target32(virtual: number): Register<'r32'> {
    return register('r32', this.#operands.number(virtual));
  }

  #moveInteger(to: Register<'r32'>, from: Register<'r32'> | Memory | number): void {
    if (to !== from) this.#asm.op('mov', to, from);
  }

  #copyScalar(dst: number, src: number): void {
    const to = xmm(this.#operands.number(dst));
    const from = this.#operands.vector(src, 'xmm');
    if (from instanceof Memory) this.#asm.op('vmovss', to, from);
    else if (from !== to) this.#asm.op('vmovaps', to, from);
  }

  #arithmetic({ operation, dst, src, commutes }: Instruction): void {
    const asm = this.#asm;
    const name = operation as 'add' | 'sub' | 'and' | 'or' | 'xor' | 'imul';
    let [a, b] = [this.#operands.integer(src[0]!), this.#operands.integer(src[1]!)];
    if (this.#allocation.registers[dst!] === undefined) {
      if (b instanceof Memory) {
        asm.op('mov', eax, b);
        b = eax;
      }
      asm.op(name, a as Memory, b);
      this.#flagsOf = -1 - this.#allocation.rootOf(dst!);
      return;
    }
    const to = this.#target32(dst!);
    if (commutes && (typeof a === 'number' || b === to)) [a, b] = [b, a];
    if (name === 'imul' && typeof b === 'number') {
      asm.op('imul', to, a, b);
      return;
    }
    if (name === 'add' && a !== to && a instanceof Register && !(b instanceof Memory)) {
      const base = register('r64', a.index);
      asm.op('lea', to, typeof b === 'number' ? mem(base, b) : indexed(base, register('r64', b.index)));
      return;
    }
    this.#moveInteger(to, a);
    if (name === 'add' && b === -1) asm.op('dec', to);
    else asm.op(name, to, b);
    if (name !== 'imul') this.#flagsOf = to.index;
  }

  /** A count in a register has to be in cl, which changes places with it meanwhile. */
  #shift({ operation, dst, src }: Instruction): void {
    const asm = this.#asm;
    const name = operation as 'shl' | 'shr' | 'sar';
    const [a, count] = [this.#operands.integer(src[0]!), this.#operands.integer(src[1]!)];
    const to = this.#target32(dst!);
    if (typeof count === 'number') {
      this.#moveInteger(to, a);
      asm.op(name, to, count & 31);
      return;
    }
    const place = register('r64', (count as Register).index);
    asm.op('mov', eax, a);
    if (place !== rcx) asm.op('xchg', rcx, place);
    asm.op(name, eax, low8(rcx));
    if (place !== rcx) asm.op('xchg', rcx, place);
    asm.op('mov', to, eax);
  }

  #choose({ dst, src, comparison }: Instruction): void {
    const asm = this.#asm;
    const condition = this.#compare(src[2]!, src[3]!, comparison!);
    const to = this.#target32(dst!);
    const [whenTrue, whenFalse] = [this.#operands.integer(src[0]!), this.#operands.integer(src[1]!)];
    if (whenTrue === to) {
      asm.op(`cmov${negated[condition]!}` as Mnemonic, to, whenFalse);
    } else {
      this.#moveInteger(to, whenFalse);
      asm.op(`cmov${condition}`, to, whenTrue);
    }
  }

  /** Sets the flags; returns the condition to look for. */
  #compare(
    left: Source,
    right: Source,
    { isFloat, condition }: Comparison,
    flags = this.#flagsOf,
  ): Comparison['condition'] {
    const asm = this.#asm;
    if (isFloat) {
      asm.op('vucomiss', this.#operands.vector(left, 'xmm'), this.#operands.vector(right, 'xmm'));
      return condition;
    }
    const [a, b] = [this.#operands.integer(left), this.#operands.integer(right)];
    const flagged =
      a instanceof Register ? a.index : typeof left === 'number' ? -1 - this.#allocation.rootOf(left) : undefined;
    const isKnown = b === 0 && flags !== undefined && flags === flagged && (condition === 'e' || condition === 'ne');
    if (isKnown) return condition;
    if (b === 0 && a instanceof Register) {
      asm.op('test', a, a);
    } else {
      asm.op('cmp', a, b);
    }
    return condition;
  }

  #plain({ name, form, dst, src, imm, mask, commutes }: Instruction): void {
    const operands: Operand[] = [];
    let sources: readonly Source[] = src;
    if (commutes && this.#operands.isMemory(src[0]!)) sources = [src[1]!, src[0]!, ...src.slice(2)];
    let at = 0;
    const kindOf = { v: this.#vectorKind, x: 'xmm', y: 'ymm' } as const;
    for (const letter of form) {
      switch (letter) {
        case 'V':
        case 'X':
        case 'Y':
          operands.push(register(kindOf[letter.toLowerCase() as 'v' | 'x' | 'y'], this.#operands.number(dst!)));
          break;
        case '0':
          operands.push(xmm(this.#operands.number(dst!)));
          break;
        case 'G':
          operands.push(register('r32', this.#operands.number(dst!)));
          break;
        case 'Q':
          operands.push(register('r64', this.#operands.number(dst!)));
          break;
        case 'v':
        case 'x':
        case 'y':
          operands.push(this.#operands.vector(sources[at++]!, kindOf[letter], name));
          break;
        case 'g': {
          const source = sources[at++]!;
          operands.push(
            typeof source === 'number'
              ? register('r32', this.#operands.number(source))
              : this.#operands.address(source),
          );
          break;
        }
        case 'q':
          operands.push(register('r64', this.#operands.number(sources[at++] as number)));
          break;
        case 'M':
          operands.push(this.#operands.address(sources[at++] as Address));
          break;
        case 'N':
          operands.push(masked(this.#operands.address(sources[at++] as Address), k(mask)));
          break;
        case 'i':
          operands.push(imm!);
          break;
        case 'k':
        case 'K':
          operands.push(k(mask));
          break;
        case 'n':
          operands.push(k(mask + 1));
          break;
        case 'Z':
        case 'W':
        case 'z':
        case 'w': {
          const kind = letter === 'Z' || letter === 'W' ? this.#vectorKind : 'xmm';
          const masking = letter === 'Z' || letter === 'z' ? 'zero' : 'merge';
          operands.push(masked(register(kind, this.#operands.number(dst!)), k(mask), masking));
          break;
        }
        default:
          throw new InternalError(`x64: what is ${letter} in the form ${form}?`);
      }
    }
    this.#asm.op(name!, ...operands);
  }

  /** Which of its three orders an fma takes depends on whose register it may overwrite, and on what is in memory. */
  #fma({ dst, src }: Instruction): void {
    const asm = this.#asm;
    const kind = this.#vectorKind;
    let [a, b, c] = src as [Source, Source, Source];
    if (this.#operands.isMemory(a)) [a, b] = [b, a];
    const to = register(kind, this.#operands.number(dst!));
    const operand = (source: Source): Operand => this.#operands.vector(source, kind, 'vfmadd231ps');
    const [x, y, z] = [operand(a), operand(b), operand(c)];
    if (z === to) asm.op('vfmadd231ps', to, x, y);
    else if (x === to && this.#operands.isMemory(b)) asm.op('vfmadd132ps', to, z, y);
    else if (x === to) asm.op('vfmadd213ps', to, y, z);
    else if (y === to) asm.op('vfmadd213ps', to, x, z);
    else if (this.#operands.isMemory(c))
      asm.op('vmovups', to, this.#operands.vector(c, kind)).op('vfmadd231ps', to, x, y);
    else asm.op('vmovaps', to, z).op('vfmadd231ps', to, x, y);
  }
}
