import { InternalError } from '../../core/index.js';
import { ByteBuffer } from './byte-buffer.js';
import {
  control,
  emptyBlock,
  type LaneName,
  laneCodes,
  laneCount,
  type MemoryLaneName,
  type MemoryName,
  memoryCodes,
  memoryLaneCodes,
  naturalAlignment,
  type PlainName,
  plainCodes,
  type ValueType,
  valueTypeCodes,
  zeroTailCodes,
} from './opcodes.js';

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Something that can be called, exported or put into the table. */
export interface FunctionHandle {
  readonly name: string;
  readonly index: number;
  readonly type: FunctionType;
}

/** A parameter or local variable of one function. */
export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

/** Where a branch goes: the end of a block or `if`, the start of a loop. Valid inside that body only. */
export interface Label {
  readonly depth: number;
}

/** A remark for the listing, before the instruction at `offset`. */
export interface Comment {
  readonly offset: number;
  readonly text: string;
}

/** The body of one function. Every method appends one instruction and returns the builder. */
export class FunctionBuilder implements FunctionHandle {
  readonly name: string;
  readonly index: number;
  readonly type: FunctionType;
  readonly params: readonly Local[];
  readonly code = new ByteBuffer();
  readonly comments: Comment[] = [];
  readonly #typeIndex: (type: FunctionType) => number;
  readonly #locals: Local[] = [];
  readonly #free = new Map<ValueType, Local[]>();
  readonly #labels: Label[] = [];

  /** Made by `ModuleBuilder.function`. */
  constructor(name: string, index: number, type: FunctionType, typeIndex: (type: FunctionType) => number) {
    this.name = name;
    this.index = index;
    this.type = type;
    this.#typeIndex = typeIndex;
    for (const param of type.params) this.#declare(param);
    this.params = this.#locals.slice();
  }

  /** Parameters, then locals, by index. */
  get locals(): readonly Local[] {
    return this.#locals;
  }

  /** A local of this type: one that was freed, with whatever value it has, or a fresh one, which is zero. */
  local(type: ValueType): Local {
    return this.#free.get(type)?.pop() ?? this.#declare(type);
  }

  /** Gives a local back, so that a later `local` of its type may reuse it. */
  free(local: Local): this {
    this.#check(local);
    const free = this.#free.get(local.type);
    if (free?.includes(local)) this.#broken(`local ${local.index} is freed twice`);
    if (free) free.push(local);
    else this.#free.set(local.type, [local]);
    return this;
  }

  get(local: Local): this {
    return this.#variable(control.get, local);
  }

  set(local: Local): this {
    return this.#variable(control.set, local);
  }

  /** Sets the local and leaves the value on the stack. */
  tee(local: Local): this {
    return this.#variable(control.tee, local);
  }

  i32(value: number): this {
    this.code.byte(control.i32);
    this.code.i32(value);
    return this;
  }

  i64(value: bigint): this {
    this.code.byte(control.i64);
    this.code.i64(value);
    return this;
  }

  f32(value: number): this {
    this.code.byte(control.f32);
    this.code.f32(value);
    return this;
  }

  f64(value: number): this {
    this.code.byte(control.f64);
    this.code.f64(value);
    return this;
  }

  /** The 16 bytes of a typed array: `Float32Array.of(a, b, c, d)`, `Int32Array.of(…)`, `Uint8Array.of(…)`. */
  v128Const(lanes: Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array): this {
    if (lanes.byteLength !== 16) this.#broken(`v128.const takes 16 bytes: got ${lanes.byteLength}`);
    this.#opcode(control.v128);
    this.code.raw(new Uint8Array(lanes.buffer, lanes.byteOffset, 16));
    return this;
  }

  /** Any instruction without immediates, by its name in the text format. */
  op(name: PlainName): this {
    const code = plainCodes[name as keyof typeof plainCodes];
    if (code !== undefined) {
      this.#opcode(code);
      return this;
    }
    const [tailCode, zeros] = zeroTailCodes[name as keyof typeof zeroTailCodes];
    this.#opcode(tailCode);
    for (let i = 0; i < zeros; i++) this.code.byte(0);
    return this;
  }

  /**
   * A load, store or atomic. Address (and value) are on the stack.
   *
   * @param offset added to the address, without wrapping around
   * @param align  a promise about the address in bytes, for speed only; atomics demand the natural one
   */
  memory(name: MemoryName, offset = 0, align = naturalAlignment(name)): this {
    this.#opcode(memoryCodes[name]);
    this.#memoryImmediates(name, offset, align);
    return this;
  }

  /** `f32x4.extract_lane`, `i32x4.replace_lane` … */
  lane(name: LaneName, lane: number): this {
    this.#checkLane(name, lane, laneCount(name));
    this.#opcode(laneCodes[name]);
    this.code.byte(lane);
    return this;
  }

  /** `v128.load32_lane`, `v128.store32_lane` … Address and vector are on the stack. */
  memoryLane(name: MemoryLaneName, offset: number, lane: number): this {
    this.#checkLane(name, lane, laneCount(name));
    this.#opcode(memoryLaneCodes[name]);
    this.#memoryImmediates(name, offset, naturalAlignment(name));
    this.code.byte(lane);
    return this;
  }

  /** i8x16.shuffle: 16 byte positions, 0–15 of the first vector, 16–31 of the second. */
  shuffle(lanes: readonly number[]): this {
    if (lanes.length !== 16) this.#broken(`i8x16.shuffle takes 16 positions: got ${lanes.length}`);
    this.#opcode(control.shuffle);
    for (const lane of lanes) {
      this.#checkLane('i8x16.shuffle', lane, 32);
      this.code.byte(lane);
    }
    return this;
  }

  call(target: FunctionHandle): this {
    this.code.byte(control.call);
    this.code.u32(target.index);
    return this;
  }

  /** Calls the table's function whose index is on top of the stack, above its arguments. */
  callIndirect(params: readonly ValueType[], results: readonly ValueType[] = []): this {
    this.code.byte(control.callIndirect);
    this.code.u32(this.#typeIndex({ params, results }));
    this.code.byte(0);
    return this;
  }

  return_(): this {
    this.code.byte(control.return);
    return this;
  }

  drop(): this {
    this.code.byte(control.drop);
    return this;
  }

  /** [a, b, condition] becomes a where the condition is not zero, else b. */
  select(): this {
    this.code.byte(control.select);
    return this;
  }

  /** A branch to `exit` leaves the block. `result`, if given, is left on the stack by the body and by each branch. */
  block(body: (exit: Label) => void, result?: ValueType): this {
    return this.#structure(control.block, body, result);
  }

  /** A branch to `again` starts the next round; falling off the end leaves the loop. */
  loop(body: (again: Label) => void, result?: ValueType): this {
    return this.#structure(control.loop, body, result);
  }

  /** Takes a condition from the stack. A branch to `exit` leaves the `if`. */
  if_(then: (exit: Label) => void, otherwise?: (exit: Label) => void, result?: ValueType): this {
    return this.#structure(control.if, then, result, otherwise);
  }

  br(label: Label): this {
    return this.#branch(control.br, label);
  }

  /** Takes a condition from the stack. */
  brIf(label: Label): this {
    return this.#branch(control.brIf, label);
  }

  /** Takes an index from the stack and branches to that label, or to `otherwise` beyond the last. */
  brTable(labels: readonly Label[], otherwise: Label): this {
    this.code.byte(control.brTable);
    this.code.u32(labels.length);
    for (const label of labels) this.code.u32(this.#distance(label));
    this.code.u32(this.#distance(otherwise));
    return this;
  }

  /** A remark that only the listing shows. */
  comment(text: string): this {
    this.comments.push({ offset: this.code.length, text });
    return this;
  }

  #declare(type: ValueType): Local {
    const local: Local = { index: this.#locals.length, type };
    this.#locals.push(local);
    return local;
  }

  #variable(code: number, local: Local): this {
    this.#check(local);
    this.code.byte(code);
    this.code.u32(local.index);
    return this;
  }

  #check(local: Local): void {
    if (this.#locals[local.index] !== local) this.#broken(`local ${local.index} belongs to another function`);
  }

  #opcode(code: number): void {
    if (code < 0x100) {
      this.code.byte(code);
    } else {
      this.code.byte(code >> 12);
      this.code.u32(code & 0xfff);
    }
  }

  #memoryImmediates(name: MemoryName | MemoryLaneName, offset: number, align: number): void {
    const log2 = 31 - Math.clz32(align);
    if (1 << log2 !== align || align > naturalAlignment(name)) {
      this.#broken(`${name}: alignment is a power of two up to ${naturalAlignment(name)}: got ${align}`);
    }
    if (!Number.isInteger(offset) || offset < 0 || offset > 0xffffffff) {
      this.#broken(`${name}: offset is an unsigned 32-bit integer: got ${offset}`);
    }
    this.code.byte(log2);
    this.code.u32(offset);
  }

  #checkLane(name: string, lane: number, count: number): void {
    if (!Number.isInteger(lane) || lane < 0 || lane >= count) {
      this.#broken(`${name}: lane is an integer from 0 to ${count - 1}: got ${lane}`);
    }
  }

  #structure(code: number, body: (label: Label) => void, result?: ValueType, otherwise?: (label: Label) => void): this {
    const label: Label = { depth: this.#labels.length };
    this.#labels.push(label);
    this.code.byte(code);
    this.code.byte(result ? valueTypeCodes[result] : emptyBlock);
    body(label);
    if (otherwise) {
      this.code.byte(control.else);
      otherwise(label);
    }
    this.code.byte(control.end);
    this.#labels.pop();
    return this;
  }

  #branch(code: number, label: Label): this {
    this.code.byte(code);
    this.code.u32(this.#distance(label));
    return this;
  }

  #distance(label: Label): number {
    if (this.#labels[label.depth] !== label) this.#broken(`branch to a label of depth ${label.depth} outside its body`);
    return this.#labels.length - 1 - label.depth;
  }

  #broken(what: string): never {
    throw new InternalError(`wasm assembler: ${this.name}: ${what}`);
  }
}
