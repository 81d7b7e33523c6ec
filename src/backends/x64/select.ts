import { InternalError } from '../../core/index.js';
import type { RegisterType } from '../machine/index.js';
import type { Mnemonic } from './assembler.js';
import type { Condition } from './general-instructions.js';
import {
  type Address,
  type Comparison,
  Instruction,
  type KnownValue,
  MachineBlock,
  type MachineFunction,
  MachineLoop,
  type Operation,
  type Source,
  type VirtualRegister,
} from './instructions.js';
import {
  Block,
  floatComparisons,
  hasEffect,
  integerComparisons,
  type Loop,
  type SsaFunction,
  type Value,
  vectorComparisons,
} from './ir.js';
import { selectInteger } from './select-integer.js';
import { selectMemory } from './select-memory.js';
import { selectVector } from './select-vector.js';

/** Chooses machine instructions for a function's values. */
export const select = (f: SsaFunction, lanes: number): MachineFunction => new Selector(f, lanes).run();

const maskLogic: ReadonlySet<string> = new Set([
  ...['vector.and', 'vector.or', 'vector.xor', 'vector.not'],
  ...['vector.i32.and', 'vector.i32.or', 'vector.i32.xor'],
]);

export interface PlainOptions {
  readonly imm?: number;
  readonly fold?: number;
  readonly commutes?: boolean;
  readonly mask?: number;
}

/** Mask registers that hold the same all through a function without calls: k4 and up. */
const firstFixedMask = 4;
const lastFixedMask = 7;

/**
 * Loads wait until somebody needs them: they become operands of the only instruction that uses them, or stand before
 * the first one that does; nothing that writes memory overtakes them. Comparisons wait for the only branch or select.
 */
export class Selector {
  readonly lanes: number;
  /** AVX-512: comparisons into mask registers, masked loads and stores, one element of memory for all lanes. */
  readonly hasMasks: boolean;
  readonly #f: SsaFunction;
  readonly #types: RegisterType[] = [];
  readonly #constants = new Map<VirtualRegister, KnownValue>();
  readonly #constantOf = new Map<Value, VirtualRegister>();
  readonly #constantKeys = new Map<string, VirtualRegister>();
  readonly #isDone: Uint8Array;
  readonly #blocks: MachineBlock[];
  readonly #loops = new Map<Loop, MachineLoop>();
  readonly #fixedMasks = new Map<number, number>();
  readonly #hasCalls: boolean;
  #parts = new Map<string, VirtualRegister>();
  #pending: Value[] = [];
  #block!: Block;
  #out!: MachineBlock;

  constructor(f: SsaFunction, lanes: number) {
    this.#f = f;
    this.lanes = lanes;
    this.hasMasks = lanes === 16;
    this.#isDone = new Uint8Array(f.valueCount);
    this.#hasCalls = f.blocks.some(({ values }) => values.some(({ op }) => op === 'call'));
    this.#blocks = f.blocks.map(({ order }) => new MachineBlock(order));
    for (let i = 0; i < f.valueCount; i++) this.#types.push('i32');
  }

  run(): MachineFunction {
    const { blocks } = this.#f;
    for (const block of blocks) {
      const out = this.#blocks[block.order]!;
      out.loop = block.loop && this.#loopOf(block.loop);
      if (out.loop && block === block.loop!.header) {
        out.loop.header = out;
        out.loop.last = this.#blocks[block.loop!.last]!;
      }
      for (const phi of block.phis) if (phi.isLive) out.phis.push(this.register(phi));
    }
    for (const block of blocks) {
      this.#block = block;
      this.#out = this.#blocks[block.order]!;
      this.#parts = new Map();
      if (block.order === 0) this.#enter();
      for (const value of block.values) if (value.isLive) this.#visit(value);
      this.flush();
      this.#terminate(block);
    }
    return {
      blocks: this.#blocks,
      types: this.#types,
      constants: this.#constants,
      hasCalls: this.#hasCalls,
      masks: this.#fixedMasks,
    };
  }

  /** Parameters arrive: where from is said by their numbers, as −1 − number. */
  #enter(): void {
    const entry = this.add('entry', undefined, []);
    entry.moves = this.#f.parameters.flatMap((parameter, i) =>
      parameter.isLive ? [{ to: this.register(parameter), from: -1 - i }] : [],
    );
  }

  #loopOf(loop: Loop): MachineLoop {
    let made = this.#loops.get(loop);
    if (!made) {
      const parent = loop.parent && this.#loopOf(loop.parent);
      made = new MachineLoop(parent, this.#blocks[loop.preheader.order]!, !loop.hasInner);
      parent?.children.push(made);
      this.#loops.set(loop, made);
    }
    return made;
  }

  #visit(value: Value): void {
    if (this.#isDone[value.id]) return;
    if (this.#canWait(value)) return;
    if (value.op.startsWith('load')) this.#pending.push(value);
    else this.#emit(value);
  }

  #emit(value: Value): void {
    if (hasEffect(value.op) && value.op !== 'comment') this.flush();
    else if (value.op === 'i32.add' && value.args[1]!.op === 'constant') this.#flushFrom(value.args[0]!);
    this.#isDone[value.id] = 1;
    if (value.op.startsWith('load') || value.op.startsWith('store') || /^(gather|scatter|atomic)/.test(value.op))
      selectMemory(this, value);
    else if (value.type === 'i32' || value.type === 'none') selectInteger(this, value);
    else selectVector(this, value);
  }

  /** Emits loads that still wait. */
  flush(): void {
    while (this.#pending.length > 0) this.use(this.#pending[0]!);
  }

  /** Emits loads from an address that is about to move on: later they would keep two of it in registers. */
  #flushFrom(address: Value): void {
    for (const value of this.#pending.slice()) if (value.args[0] === address) this.use(value);
  }

  /** Whether a value is computed where it is used, by the one that uses it. */
  #canWait(value: Value): boolean {
    const { user } = value;
    if (value.uses !== 1 || !user) return false;
    if (integerComparisons.has(value.op) || floatComparisons.has(value.op)) {
      if (user instanceof Block) return user === this.#block && this.#isBranchable(value);
      if (user.block !== value.block) return false;
      if (user.op === 'i32.isZero') return this.#isBranchable(value) && this.#canWait(user);
      if (user.op !== 'select' || user.args[2] !== value) return false;
      return (user.type === 'f32' && value.op !== 'i32.isZero') || this.#isBranchable(value);
    }
    if (!this.hasMasks || !(vectorComparisons.has(value.op) || maskLogic.has(value.op))) return false;
    if (user instanceof Block || user.block !== value.block) return false;
    if (user.op === 'vector.select') return user.args[2] === value;
    return maskLogic.has(user.op) && this.#canWait(user);
  }

  /** Whether one comparison instruction sets the flags for it: for equal floats they are not enough, because of NaN. */
  #isBranchable({ op }: Value): boolean {
    return op !== 'f32.equal' && op !== 'f32.notEqual';
  }

  #isWaiting(value: Value): boolean {
    return value.op !== 'constant' && this.#isDone[value.id] === 0 && this.#canWait(value);
  }

  /** A mask that is computed into a mask register by whoever selects with it. */
  isWaitingMask(value: Value): boolean {
    return value.type === 'vector' && this.#isWaiting(value);
  }

  /** A comparison of floats that waits for a select. */
  isWaitingComparison(value: Value): boolean {
    return floatComparisons.has(value.op) && this.#isWaiting(value);
  }

  markDone(value: Value): void {
    this.#isDone[value.id] = 1;
  }

  /** A value's register, without computing it. */
  register(value: Value): VirtualRegister {
    this.#types[value.id] = value.type === 'none' ? 'i32' : value.type;
    return value.id;
  }

  /** A value in a register (or a constant that may end up in one). */
  use(value: Value): VirtualRegister {
    if (value.op === 'constant') {
      let register = this.#constantOf.get(value);
      if (register === undefined) {
        const known = value.type === 'vector' ? (value.data as Int32Array) : value.imm;
        register = this.constant(value.type as RegisterType, known);
        this.#constantOf.set(value, register);
      }
      return register;
    }
    if (value.op !== 'phi' && value.op !== 'parameter' && !this.#isDone[value.id] && value.block === this.#block) {
      const at = this.#pending.indexOf(value);
      if (at >= 0) this.#pending.splice(at, 1);
      this.#emit(value);
    }
    return this.register(value);
  }

  /** A value as an instruction's operand: memory where a load waits for only this. */
  operand(value: Value, width: 'integer' | 'scalar' | 'packed'): Source {
    if (value.uses !== 1 || this.#isDone[value.id]) return this.use(value);
    const isRight =
      (width === 'integer' && value.op === 'load.i32') ||
      (width === 'scalar' && value.op === 'load.f32') ||
      (width === 'packed' && (value.op === 'load.vector' || (value.op === 'load.splat' && this.hasMasks)));
    const at = isRight ? this.#pending.indexOf(value) : -1;
    if (at < 0) return this.use(value);
    this.#pending.splice(at, 1);
    this.#isDone[value.id] = 1;
    return this.address(value.args[0]!, value.imm, value.op === 'load.splat');
  }

  address(value: Value, offset: number, isBroadcast = false): Address {
    if (value.op === 'constant') return this.#checkedAddress(undefined, (value.imm >>> 0) + offset, isBroadcast);
    return this.#checkedAddress(this.use(value), offset, isBroadcast);
  }

  #checkedAddress(index: VirtualRegister | undefined, offset: number, isBroadcast: boolean): Address {
    if (offset < -0x7fffff00 || offset > 0x7fffff00)
      throw new InternalError(`x64: an offset of ${offset} is too large`);
    return { index, offset, isBroadcast };
  }

  temporary(type: RegisterType): VirtualRegister {
    this.#types.push(type);
    return this.#types.length - 1;
  }

  constant(type: RegisterType, known: KnownValue): VirtualRegister {
    const key = typeof known === 'number' ? `${type} ${known}` : known.join();
    let register = this.#constantKeys.get(key);
    if (register === undefined) {
      register = this.temporary(type);
      this.#constants.set(register, known);
      this.#constantKeys.set(key, register);
    }
    return register;
  }

  /** A vector with the same 32 bits in each lane. */
  uniform(bits: number): VirtualRegister {
    return this.constant('vector', new Int32Array(this.lanes).fill(bits));
  }

  add(operation: Operation, dst: VirtualRegister | undefined, src: Source[]): Instruction {
    const instruction = new Instruction(operation, dst, src);
    this.#out.instructions.push(instruction);
    return instruction;
  }

  /** One instruction of the assembler. */
  plain(
    name: Mnemonic,
    form: string,
    dst: VirtualRegister | undefined,
    src: Source[],
    options: PlainOptions = {},
  ): Instruction {
    const instruction = this.add('plain', dst, src);
    instruction.name = name;
    instruction.form = form;
    instruction.imm = options.imm;
    instruction.fold = options.fold ?? -1;
    instruction.commutes = options.commutes ?? false;
    instruction.mask = options.mask ?? 1;
    return instruction;
  }

  /** A mask register with the lowest `count` bits set. */
  countMask(count: number): number {
    const bits = (1 << count) - 1;
    for (const [mask, value] of this.#fixedMasks) if (value === bits) return mask;
    const next = firstFixedMask + this.#fixedMasks.size;
    if (!this.#hasCalls && next <= lastFixedMask) {
      this.#fixedMasks.set(next, bits);
      return next;
    }
    return this.maskConstant(bits);
  }

  maskConstant(bits: number): number {
    this.add('maskConstant', undefined, []).imm = bits;
    return 1;
  }

  /** 128 bits of a vector, by their number; asked for again in the same block, the same register. */
  part(vector: VirtualRegister, quarter: number): VirtualRegister {
    if (quarter === 0) return vector;
    const key = `${vector} ${quarter}`;
    let part = this.#parts.get(key);
    if (part === undefined) {
      part = this.temporary('vector');
      if (this.hasMasks) this.plain('vextractf32x4', 'Xvi', part, [vector], { imm: quarter });
      else this.plain('vextractf128', 'Xvi', part, [vector], { imm: quarter });
      this.#parts.set(key, part);
    }
    return part;
  }

  /** How a condition is tested; computes what it compares. */
  condition(value: Value): { readonly comparison: Comparison; readonly src: [Source, Source] } {
    if (!this.#isWaiting(value) || !this.#isBranchable(value))
      return { comparison: { isFloat: false, condition: 'ne' }, src: [this.use(value), this.constant('i32', 0)] };
    this.markDone(value);
    const [a, b] = value.args as [Value, Value];
    if (value.op === 'i32.isZero') {
      if (this.#isWaiting(a)) {
        const { comparison, src } = this.condition(a);
        return { comparison: { ...comparison, condition: negated[comparison.condition]! }, src };
      }
      return { comparison: { isFloat: false, condition: 'e' }, src: [this.use(a), this.constant('i32', 0)] };
    }
    const isFloat = floatComparisons.has(value.op);
    const condition = conditions[value.op]!;
    if (!isFloat) return { comparison: { isFloat, condition }, src: [this.use(a), this.operand(b, 'integer')] };
    // unordered operands set carry: only "above" is false for them
    const [left, right] = value.op.startsWith('f32.less') ? [b, a] : [a, b];
    return { comparison: { isFloat, condition }, src: [this.use(left), this.operand(right, 'scalar')] };
  }

  /** The condition of any comparison, waiting or not. */
  conditionOf(value: Value): Condition {
    return conditions[value.op]!;
  }

  #terminate(block: Block): void {
    const out = this.#out;
    const { terminator } = block;
    if (!terminator) throw new InternalError(`x64: block ${block.order} has no end`);
    switch (terminator.kind) {
      case 'jump': {
        const to = this.#blocks[terminator.to.order]!;
        this.#moves(block, terminator.to);
        out.successors.push(to);
        this.add('jump', undefined, []).whenTrue = to;
        return;
      }
      case 'branch': {
        const { comparison, src } = this.condition(terminator.condition);
        const branch = this.add('branch', undefined, src);
        branch.comparison = comparison;
        branch.whenTrue = this.#blocks[terminator.whenTrue.order]!;
        branch.whenFalse = this.#blocks[terminator.whenFalse.order]!;
        out.successors.push(branch.whenTrue, branch.whenFalse);
        return;
      }
      case 'return':
        this.add('return', undefined, terminator.value ? [this.use(terminator.value)] : []);
    }
  }

  #moves(block: Block, to: Block): void {
    const at = to.predecessors.indexOf(block);
    const moves = to.phis
      .filter(({ isLive }) => isLive)
      .map((phi) => ({ to: this.register(phi), from: this.use(phi.args[at]!) }))
      .filter((move) => move.to !== move.from);
    if (moves.length > 0) this.add('moves', undefined, []).moves = moves;
  }
}

const conditions: Readonly<Record<string, Condition>> = {
  'i32.equal': 'e',
  'i32.notEqual': 'ne',
  'i32.less': 'l',
  'i32.lessEqual': 'le',
  'i32.greater': 'g',
  'i32.greaterEqual': 'ge',
  'i32.lessUnsigned': 'b',
  'i32.greaterEqualUnsigned': 'ae',
  'i32.isZero': 'e',
  'f32.less': 'a',
  'f32.greater': 'a',
  'f32.lessEqual': 'ae',
  'f32.greaterEqual': 'ae',
};

export const negated: Readonly<Record<string, Condition>> = {
  ...{ e: 'ne', ne: 'e', l: 'ge', ge: 'l', le: 'g', g: 'le', b: 'ae', ae: 'b', a: 'be', be: 'a' },
};
