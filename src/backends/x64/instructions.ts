import type { RegisterType } from '../machine/index.js';
import type { Mnemonic } from './assembler.js';
import type { X64FunctionBuilder } from './function-builder.js';
import type { Condition } from './general-instructions.js';

/** What a virtual register holds: also halves of nothing else; every 32-bit integer has zeros above it. */
export type VirtualRegister = number;

/** Memory that an instruction reads or writes: the register's address + offset in the mapped region. */
export interface Address {
  readonly index: VirtualRegister | undefined;
  readonly offset: number;
  /** One element for all lanes. */
  readonly isBroadcast: boolean;
}

export type Source = VirtualRegister | Address;

/**
 * Operations of machine instructions. 'plain' is one instruction of the assembler, written by its form; the others are
 * spelled out where they are emitted, when it is known which operands are registers.
 */
export type Operation =
  | 'plain'
  | 'fma' // dst = src0 · src1 + src2
  | 'copy'
  | 'add'
  | 'sub'
  | 'and'
  | 'or'
  | 'xor'
  | 'imul'
  | 'shl'
  | 'shr'
  | 'sar'
  | 'neg'
  | 'mulHigh'
  | 'set' // 1 where src0 ? src1
  | 'choose' // src2 ? src3: src0, else src1
  | 'load32'
  | 'load8'
  | 'store32'
  | 'store8'
  | 'exchangeAdd'
  | 'maskConstant' // mask register k = imm
  | 'entry'
  | 'moves'
  | 'call'
  | 'result'
  | 'branch'
  | 'jump'
  | 'return'
  | 'comment';

/** Part of a parallel move. In an entry `from` is −1 − number of the parameter. */
export interface Move {
  to: VirtualRegister;
  from: VirtualRegister;
}

const noMoves: readonly Move[] = [];

/** How a comparison of integers or of scalar floats is done. */
export interface Comparison {
  readonly isFloat: boolean;
  readonly condition: Condition;
}

/** Loads a register from where its value is at home, before an instruction, or puts it there afterwards. */
export interface Transfer {
  readonly register: VirtualRegister;
  readonly home: VirtualRegister;
}

/**
 * One machine instruction on virtual registers.
 *
 * A form has a letter an operand: capitals V, X, Y, G, Q the destination as whole vector, xmm, ymm, 32 or 64-bit register;
 * the same small the sources in turn; M a source that is memory written to; i the immediate; k, K the mask register
 * (source, destination); Z, W, z, w a whole vector (z, w: xmm) as destination under that mask, zeroing and merging; N memory under it; n the
 * mask register after k's; 0 the destination once more, as xmm.
 */
export class Instruction {
  readonly operation: Operation;
  name: Mnemonic | undefined;
  form = '';
  dst: VirtualRegister | undefined;
  readonly src: Source[];
  imm: number | undefined;
  mask = 1;
  /** Which source may stand in memory, −1 for none. */
  fold = -1;
  /** Sources 0 and 1 may change places. */
  commutes = false;
  /** Sources that are still read after the destination is written. */
  late = 0;
  comparison: Comparison | undefined;
  moves: readonly Move[] = noMoves;
  callee: X64FunctionBuilder | undefined;
  whenTrue: MachineBlock | undefined;
  whenFalse: MachineBlock | undefined;
  text = '';
  /** The register that is read from its home as the one operand in memory. */
  fromHome: VirtualRegister | undefined;
  before: Transfer[] | undefined;
  after: Transfer[] | undefined;

  constructor(operation: Operation, dst: VirtualRegister | undefined, src: Source[]) {
    this.operation = operation;
    this.dst = dst;
    this.src = src;
  }
}

export class MachineLoop {
  readonly parent: MachineLoop | undefined;
  readonly depth: number;
  readonly isInnermost: boolean;
  readonly preheader: MachineBlock;
  readonly children: MachineLoop[] = [];
  header!: MachineBlock;
  last!: MachineBlock;

  constructor(parent: MachineLoop | undefined, preheader: MachineBlock, isInnermost: boolean) {
    this.parent = parent;
    this.depth = (parent?.depth ?? 0) + 1;
    this.preheader = preheader;
    this.isInnermost = isInnermost;
  }
}

export class MachineBlock {
  readonly order: number;
  loop: MachineLoop | undefined;
  readonly instructions: Instruction[] = [];
  readonly successors: MachineBlock[] = [];
  /** Registers that the blocks before assign at their ends. */
  readonly phis: VirtualRegister[] = [];
  /** Number of its first instruction among all. */
  first = 0;

  constructor(order: number) {
    this.order = order;
  }

  /** Number of the instruction behind its last one. */
  get end(): number {
    return this.first + this.instructions.length;
  }
}

/** A number known now, as it is held in a register. */
export type KnownValue = number | Int32Array;

export interface MachineFunction {
  readonly blocks: readonly MachineBlock[];
  /** Types of the virtual registers, constants among them. */
  readonly types: readonly RegisterType[];
  readonly constants: ReadonlyMap<VirtualRegister, KnownValue>;
  readonly hasCalls: boolean;
  /** Mask registers that are set once, at the start: their values. */
  readonly masks: ReadonlyMap<number, number>;
}
