import { InternalError } from '../../core/index.js';
import type { RegisterType } from '../machine/index.js';
import type { Allocation } from './allocate.js';
import {
  type Assembler,
  broadcast,
  dword,
  indexed,
  type Memory,
  type Mnemonic,
  mem,
  type Operand,
  type Register,
  rbx,
  register,
  rsp,
  type VectorKind,
} from './assembler.js';
import type { Address, MachineFunction, Source } from './instructions.js';
import type { Place } from './moves.js';

/** Instructions whose operand in memory may be one element for all lanes. */
const takesBroadcast =
  /^v((add|sub|mul|div|min|max|and|or|xor|sqrt|cmp|blendm)ps|p(add|sub|mull|cmp|blendm)d|p(min|max)sd|fmadd\d+ps)$/;

/** The part of the stack that a function has for itself, in bytes. */
export interface Frame {
  /** What its calls take at its low end. */
  readonly outgoing: number;
  readonly bytes: number;
}

/** Where a function's values are, and how instructions name them. */
export class Operands {
  readonly #asm: Assembler;
  readonly #name: string;
  readonly #machine: MachineFunction;
  readonly #allocation: Allocation;
  readonly #frame: Frame;
  readonly #constants = new Map<number, Place>();
  readonly #memories = new Map<Int32Array, Memory>();

  constructor(asm: Assembler, name: string, machine: MachineFunction, allocation: Allocation, frame: Frame) {
    this.#asm = asm;
    this.#name = name;
    this.#machine = machine;
    this.#allocation = allocation;
    this.#frame = frame;
  }

  place(virtual: number): Place {
    const type = this.#allocation.types[virtual]!;
    const machine = this.#allocation.registers[virtual];
    if (machine !== undefined) return { kind: 'register', type, register: machine };
    const home = this.#allocation.homeOf(virtual);
    switch (home.kind) {
      case 'slot':
        return { kind: 'memory', type, memory: mem(rsp, this.#frame.outgoing + home.offset) };
      case 'incoming':
        return { kind: 'memory', type, memory: mem(rsp, this.#frame.bytes + 8 + 8 * home.slot) };
      case 'constant':
        return this.#constantPlace(virtual, type);
    }
  }

  #constantPlace(virtual: number, type: RegisterType): Place {
    const root = this.#allocation.rootOf(virtual);
    let place = this.#constants.get(root);
    if (!place) {
      place = this.#placeOfConstant(root, type);
      this.#constants.set(root, place);
    }
    return place;
  }

  #placeOfConstant(root: number, type: RegisterType): Place {
    const known = this.#machine.constants.get(root)!;
    if (typeof known === 'number' && type === 'i32') return { kind: 'number', type, value: known };
    // 16 bytes of a float, since whole xmm registers are read as well
    const words = typeof known === 'number' ? new Int32Array(4).fill(known) : known;
    const bits = words.every((word) => word === words[0]) ? words[0] : undefined;
    return { kind: 'constant', type, words, uniform: bits };
  }

  #constantMemory(words: Int32Array): Memory {
    let memory = this.#memories.get(words);
    if (!memory) {
      memory = this.#asm.constant(words);
      this.#memories.set(words, memory);
    }
    return memory;
  }

  address({ index, offset, isBroadcast }: Address): Memory {
    const memory =
      index === undefined ? mem(rbx, offset) : indexed(rbx, register('r64', this.number(index)), 1, offset);
    return isBroadcast ? broadcast(memory) : memory;
  }

  /** The number of the machine register that a virtual one has. */
  number(virtual: number): number {
    const machine = this.#allocation.registers[virtual];
    if (machine === undefined) throw new InternalError(`x64: ${this.#name}: register ${virtual} is not in a register`);
    return machine;
  }

  /** An integer as an operand: a register, memory, or a number. */
  integer(source: Source): Register<'r32'> | Memory | number {
    if (typeof source !== 'number') return dword(this.address(source));
    const place = this.place(source);
    switch (place.kind) {
      case 'register':
        return register('r32', place.register);
      case 'number':
        return place.value;
      case 'memory':
        return dword(place.memory);
      default:
        throw new InternalError('x64: an integer in the pool');
    }
  }

  vector(source: Source, kind: VectorKind, name?: Mnemonic): Operand {
    if (typeof source !== 'number') return this.address(source);
    const place = this.place(source);
    switch (place.kind) {
      case 'register':
        return register(kind, place.register);
      case 'memory':
        return place.memory;
      case 'constant':
        if (kind === 'zmm' && place.uniform !== undefined && name && takesBroadcast.test(name))
          return broadcast(this.#asm.int32(place.uniform));
        return this.#constantMemory(place.words);
      default:
        throw new InternalError('x64: a number where a vector is needed');
    }
  }

  homePlace(virtual: number): Place {
    const home = this.#allocation.homeOf(virtual);
    if (home.kind === 'constant') return this.#constantPlace(virtual, this.#allocation.types[virtual]!);
    const type = this.#allocation.types[virtual]!;
    const memory =
      home.kind === 'slot'
        ? mem(rsp, this.#frame.outgoing + home.offset)
        : mem(rsp, this.#frame.bytes + 8 + 8 * home.slot);
    return { kind: 'memory', type, memory };
  }

  isMemory(source: Source): boolean {
    return typeof source !== 'number' || this.#allocation.registers[source] === undefined;
  }
}
