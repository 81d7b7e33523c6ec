/** What a register of the abstract machine holds: an integer (also every address), a float, or a vector of 32-bit lanes. */
export type RegisterType = 'i32' | 'f32' | 'vector';

/** A virtual register: parameters first, then locals. Backends give it a place. */
export interface Local {
  readonly index: number;
  readonly type: RegisterType;
}

/** Where a branch goes: the end of a block or `if`, the start of a loop. Valid inside that body only. */
export interface Label {
  readonly depth: number;
}

/** Something that can be called. */
export interface FunctionHandle {
  readonly name: string;
  readonly parameters: readonly RegisterType[];
}

type IntegerOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'mulHigh' // upper half of the unsigned 64-bit product
  | 'and'
  | 'or'
  | 'xor'
  | 'min' // signed, as are max and the comparisons without u
  | 'max'
  | 'equal'
  | 'notEqual'
  | 'less'
  | 'lessEqual'
  | 'greater'
  | 'greaterEqual';
type FloatOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'min'
  | 'max'
  | 'neg'
  | 'abs'
  | 'sqrt'
  | 'floor'
  | 'round'
  | 'equal'
  | 'notEqual'
  | 'less'
  | 'lessEqual'
  | 'greater'
  | 'greaterEqual';

/**
 * Operations without immediates; operands come from the stack, the last one from its top.
 * Comparisons of scalars give 0 or 1, of vectors all ones or zero in each lane. min and max of floats are NaN where one is.
 * `toInt` cuts towards zero, saturates, and makes NaN 0. Shifts count modulo 32. `madd` is a·b + c, fused where the machine
 * can; nothing else is ever contracted. `select` is [a, b, mask]: a where the mask holds.
 */
export type MachineOp =
  | `i32.${IntegerOp}`
  | 'i32.divSigned' // traps at 0 and overflow: guarded by whoever uses it
  | 'i32.divUnsigned'
  | 'i32.remUnsigned'
  | 'i32.lessUnsigned'
  | 'i32.greaterEqualUnsigned'
  | 'i32.isZero'
  | 'i32.shiftLeft'
  | 'i32.shiftRight'
  | 'i32.shiftRightLogical'
  | 'i32.toFloat'
  | 'i32.floatBits'
  | `f32.${FloatOp}`
  | 'f32.toInt'
  | 'f32.intBits'
  | `vector.i32.${IntegerOp}`
  | 'vector.i32.neg'
  | 'vector.i32.abs'
  | 'vector.i32.splat' // an i32 in every lane
  | 'vector.i32.toFloat'
  | 'vector.i32.shiftLeft' // every lane by the same count, an i32 on top of the stack
  | 'vector.i32.shiftRight'
  | 'vector.i32.shiftRightLogical'
  | `vector.f32.${FloatOp}`
  | 'vector.f32.toInt'
  | 'vector.f32.madd'
  | 'vector.and'
  | 'vector.or'
  | 'vector.xor'
  | 'vector.not'
  | 'vector.select';

/** Reads at the address on the stack plus a static offset. `splat` repeats 32 bits, `byteSplat` a byte; `bytes` widens a byte a lane. */
export type LoadName = 'i32' | 'f32' | 'u8' | 'vector' | 'splat' | 'bytes' | 'byteSplat';
/** Writes [address, value]; `bytes` writes the low byte of each lane. */
export type StoreName = 'i32' | 'f32' | 'u8' | 'vector' | 'bytes';

/**
 * Code for one function of an abstract machine: a stack for operands, virtual registers, structured control, vectors of
 * `lanes` 32-bit lanes. What runs a nest is written once against this; a backend makes its machine's instructions of it.
 * Every method appends and returns the builder.
 */
export interface Code {
  readonly lanes: number;
  readonly params: readonly Local[];
  /** A register: one that was freed, with whatever it holds, or a fresh one. */
  local(type: RegisterType): Local;
  free(local: Local): this;
  get(local: Local): this;
  set(local: Local): this;
  tee(local: Local): this;
  i32(value: number): this;
  f32(value: number): this;
  /** A vector known now: lane by lane, or the same number in each. */
  vector(type: 'i32' | 'f32', value: number | ((lane: number) => number)): this;
  op(name: MachineOp): this;
  load(name: LoadName, offset?: number): this;
  store(name: StoreName, offset?: number): this;
  /** The first `count` lanes (fewer than all), nothing read beyond them; the others are zero. */
  loadPartial(count: number, offset?: number): this;
  /** Writes the first `count` lanes of [address, vector], nothing beyond them. */
  storePartial(count: number, offset?: number): this;
  /** One 32-bit element (or byte, zero-extended) a lane, `stride` bytes apart (it may be negative). */
  gather(element: 'u8' | '32', stride: number, offset?: number): this;
  /** Writes the first `count` lanes of [address, vector], `stride` bytes apart. */
  scatter(element: 'u8' | '32', stride: number, count: number, offset?: number): this;
  /** One lane of the vector on the stack, as a scalar. */
  extractLane(type: 'i32' | 'f32', lane: number): this;
  /** [vector, scalar]: the vector with one lane replaced. */
  replaceLane(type: 'i32' | 'f32', lane: number): this;
  /** [vector of floats]: the sum of its lanes as a scalar, neighbours first, then neighbouring pairs, and so on. */
  sumLanes(): this;
  /** Whether `transpose` is there. */
  readonly canTranspose: boolean;
  /** As many vectors as there are lanes, as a square matrix, transposed in place. */
  transpose(rows: readonly Local[]): this;
  /** [a, b, condition]: a where the i32 is not zero, else b; scalars. */
  select(): this;
  /** Fills [address, length in bytes] with zeros; length is a multiple of 4. */
  zeroMemory(): this;
  /** [address, amount]: adds to the 32-bit word, between threads, and gives what was there. */
  atomicAdd(offset?: number): this;
  block(body: (exit: Label) => void): this;
  loop(body: (again: Label) => void): this;
  /** Takes a condition from the stack; with `result` both branches leave a value. */
  if_(whenTrue: (exit: Label) => void, whenFalse?: (exit: Label) => void, result?: RegisterType): this;
  br(label: Label): this;
  brIf(label: Label): this;
  call(target: FunctionHandle): this;
  return_(): this;
  drop(): this;
  /** Seen in the listing only. */
  comment(text: string): this;
}

/** A program's functions in the making. */
export interface CodeModule {
  readonly lanes: number;
  function(name: string, parameters: readonly RegisterType[], results?: readonly RegisterType[]): Code & FunctionHandle;
}
