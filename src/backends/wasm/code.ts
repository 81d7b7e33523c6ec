import { InternalError } from '../../core/index.js';
import type {
  Code,
  CodeModule,
  FunctionHandle,
  Label,
  LoadName,
  Local,
  MachineOp,
  RegisterType,
  StoreName,
} from '../machine/index.js';
import type { FunctionBuilder, ModuleBuilder, ValueType, Local as WasmLocal } from './assembler.js';
import type { MemoryName, PlainName } from './opcodes.js';

const lanes = 4;

const valueType: Readonly<Record<RegisterType, ValueType>> = { i32: 'i32', f32: 'f32', vector: 'v128' };

/** Instructions for each operation; the operands are on the stack. */
const plainOps: Readonly<Partial<Record<MachineOp, readonly PlainName[]>>> = {
  'i32.add': ['i32.add'],
  'i32.sub': ['i32.sub'],
  'i32.mul': ['i32.mul'],
  'i32.and': ['i32.and'],
  'i32.or': ['i32.or'],
  'i32.xor': ['i32.xor'],
  'i32.equal': ['i32.eq'],
  'i32.notEqual': ['i32.ne'],
  'i32.less': ['i32.lt_s'],
  'i32.lessEqual': ['i32.le_s'],
  'i32.greater': ['i32.gt_s'],
  'i32.greaterEqual': ['i32.ge_s'],
  'i32.divSigned': ['i32.div_s'],
  'i32.divUnsigned': ['i32.div_u'],
  'i32.remUnsigned': ['i32.rem_u'],
  'i32.lessUnsigned': ['i32.lt_u'],
  'i32.greaterEqualUnsigned': ['i32.ge_u'],
  'i32.isZero': ['i32.eqz'],
  'i32.shiftLeft': ['i32.shl'],
  'i32.shiftRight': ['i32.shr_s'],
  'i32.shiftRightLogical': ['i32.shr_u'],
  'i32.toFloat': ['f32.convert_i32_s'],
  'i32.floatBits': ['f32.reinterpret_i32'],
  'f32.add': ['f32.add'],
  'f32.sub': ['f32.sub'],
  'f32.mul': ['f32.mul'],
  'f32.div': ['f32.div'],
  'f32.min': ['f32.min'],
  'f32.max': ['f32.max'],
  'f32.neg': ['f32.neg'],
  'f32.abs': ['f32.abs'],
  'f32.sqrt': ['f32.sqrt'],
  'f32.floor': ['f32.floor'],
  'f32.round': ['f32.nearest'],
  'f32.equal': ['f32.eq'],
  'f32.notEqual': ['f32.ne'],
  'f32.less': ['f32.lt'],
  'f32.lessEqual': ['f32.le'],
  'f32.greater': ['f32.gt'],
  'f32.greaterEqual': ['f32.ge'],
  'f32.toInt': ['i32.trunc_sat_f32_s'],
  'f32.intBits': ['i32.reinterpret_f32'],
  'vector.i32.add': ['i32x4.add'],
  'vector.i32.sub': ['i32x4.sub'],
  'vector.i32.mul': ['i32x4.mul'],
  'vector.i32.and': ['v128.and'],
  'vector.i32.or': ['v128.or'],
  'vector.i32.xor': ['v128.xor'],
  'vector.i32.min': ['i32x4.min_s'],
  'vector.i32.max': ['i32x4.max_s'],
  'vector.i32.equal': ['i32x4.eq'],
  'vector.i32.notEqual': ['i32x4.ne'],
  'vector.i32.less': ['i32x4.lt_s'],
  'vector.i32.lessEqual': ['i32x4.le_s'],
  'vector.i32.greater': ['i32x4.gt_s'],
  'vector.i32.greaterEqual': ['i32x4.ge_s'],
  'vector.i32.neg': ['i32x4.neg'],
  'vector.i32.abs': ['i32x4.abs'],
  'vector.i32.splat': ['i32x4.splat'],
  'vector.i32.toFloat': ['f32x4.convert_i32x4_s'],
  'vector.i32.shiftLeft': ['i32x4.shl'],
  'vector.i32.shiftRight': ['i32x4.shr_s'],
  'vector.i32.shiftRightLogical': ['i32x4.shr_u'],
  'vector.f32.add': ['f32x4.add'],
  'vector.f32.sub': ['f32x4.sub'],
  'vector.f32.mul': ['f32x4.mul'],
  'vector.f32.div': ['f32x4.div'],
  'vector.f32.min': ['f32x4.min'],
  'vector.f32.max': ['f32x4.max'],
  'vector.f32.neg': ['f32x4.neg'],
  'vector.f32.abs': ['f32x4.abs'],
  'vector.f32.sqrt': ['f32x4.sqrt'],
  'vector.f32.floor': ['f32x4.floor'],
  'vector.f32.round': ['f32x4.nearest'],
  'vector.f32.equal': ['f32x4.eq'],
  'vector.f32.notEqual': ['f32x4.ne'],
  'vector.f32.less': ['f32x4.lt'],
  'vector.f32.lessEqual': ['f32x4.le'],
  'vector.f32.greater': ['f32x4.gt'],
  'vector.f32.greaterEqual': ['f32x4.ge'],
  'vector.f32.toInt': ['i32x4.trunc_sat_f32x4_s'],
  'vector.and': ['v128.and'],
  'vector.or': ['v128.or'],
  'vector.xor': ['v128.xor'],
  'vector.not': ['v128.not'],
  'vector.select': ['v128.bitselect'],
};

const loads: Readonly<Record<Exclude<LoadName, 'bytes' | 'byteSplat'>, MemoryName>> = {
  i32: 'i32.load',
  f32: 'f32.load',
  u8: 'i32.load8_u',
  vector: 'v128.load',
  splat: 'v128.load32_splat',
};
const stores: Readonly<Record<Exclude<StoreName, 'bytes'>, MemoryName>> = {
  i32: 'i32.store',
  f32: 'f32.store',
  u8: 'i32.store8',
  vector: 'v128.store',
};

const lowWords = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const highWords = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
const firstHalves = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const secondHalves = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];

export interface WasmCodeOptions {
  /** Whether the engine multiplies and adds in one instruction. */
  readonly relaxedMadd: boolean;
  readonly hasAtomics: boolean;
}

/** WebAssembly of the abstract machine's code: 128-bit vectors, most operations an instruction. */
export class WasmCode implements Code {
  readonly lanes = lanes;
  readonly canTranspose = true;
  readonly name: string;
  readonly parameters: readonly RegisterType[];
  readonly params: readonly Local[];
  readonly inner: FunctionBuilder;
  readonly #options: WasmCodeOptions;
  readonly #locals: (readonly [Local, WasmLocal])[] = [];

  constructor(inner: FunctionBuilder, parameters: readonly RegisterType[], options: WasmCodeOptions) {
    this.inner = inner;
    this.name = inner.name;
    this.parameters = parameters;
    this.#options = options;
    this.params = inner.params.map((local, i) => this.#wrap(local, parameters[i]!));
  }

  #wrap(local: WasmLocal, type: RegisterType): Local {
    const known = this.#locals[local.index];
    if (known) return known[0];
    const wrapped: Local = { index: local.index, type };
    this.#locals[local.index] = [wrapped, local];
    return wrapped;
  }

  #unwrap(local: Local): WasmLocal {
    const known = this.#locals[local.index];
    if (known?.[0] !== local)
      throw new InternalError(`wasm: ${this.name}: local ${local.index} belongs to another function`);
    return known[1];
  }

  local(type: RegisterType): Local {
    return this.#wrap(this.inner.local(valueType[type]), type);
  }
  free(local: Local): this {
    this.inner.free(this.#unwrap(local));
    return this;
  }
  get(local: Local): this {
    this.inner.get(this.#unwrap(local));
    return this;
  }
  set(local: Local): this {
    this.inner.set(this.#unwrap(local));
    return this;
  }
  tee(local: Local): this {
    this.inner.tee(this.#unwrap(local));
    return this;
  }
  i32(value: number): this {
    this.inner.i32(value);
    return this;
  }
  f32(value: number): this {
    this.inner.f32(value);
    return this;
  }

  vector(type: 'i32' | 'f32', value: number | ((lane: number) => number)): this {
    const at = typeof value === 'number' ? () => value : value;
    const values = Array.from({ length: lanes }, (_, lane) => at(lane));
    this.inner.v128Const(type === 'f32' ? Float32Array.from(values) : Int32Array.from(values));
    return this;
  }

  op(name: MachineOp): this {
    const f = this.inner;
    const plain = plainOps[name];
    if (plain) {
      for (const instruction of plain) f.op(instruction);
      return this;
    }
    switch (name) {
      case 'vector.f32.madd':
        this.#multiplyAdd();
        return this;
      case 'vector.i32.mulHigh': {
        const [a, b] = this.#pop(2, 'v128');
        f.get(a!).get(b!).op('i64x2.extmul_low_i32x4_u').get(a!).get(b!).op('i64x2.extmul_high_i32x4_u');
        f.shuffle([4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]).free(a!).free(b!);
        return this;
      }
      case 'i32.mulHigh': {
        const [a, b] = this.#pop(2, 'i32');
        f.get(a!).op('i64.extend_i32_u').get(b!).op('i64.extend_i32_u').op('i64.mul').i64(32n).op('i64.shr_u');
        f.op('i32.wrap_i64').free(a!).free(b!);
        return this;
      }
      case 'i32.min':
      case 'i32.max': {
        const [a, b] = this.#pop(2, 'i32');
        f.get(a!)
          .get(b!)
          .get(a!)
          .get(b!)
          .op(name === 'i32.min' ? 'i32.lt_s' : 'i32.gt_s')
          .select()
          .free(a!)
          .free(b!);
        return this;
      }
      default:
        throw new InternalError(`wasm: no instruction for ${name}`);
    }
  }

  #multiplyAdd(): void {
    const f = this.inner;
    if (this.#options.relaxedMadd) {
      f.op('f32x4.relaxed_madd');
      return;
    }
    const [c] = this.#pop(1, 'v128');
    f.op('f32x4.mul').get(c!).op('f32x4.add').free(c!);
  }

  /** Takes operands off the stack into locals, the first one pushed first. */
  #pop(count: number, type: ValueType): WasmLocal[] {
    const locals = Array.from({ length: count }, () => this.inner.local(type));
    for (const local of locals.toReversed()) this.inner.set(local);
    return locals;
  }

  load(name: LoadName, offset = 0): this {
    const f = this.inner;
    if (name === 'bytes')
      f.memory('v128.load32_zero', offset, 1).op('i16x8.extend_low_i8x16_u').op('i32x4.extend_low_i16x8_u');
    else if (name === 'byteSplat') f.memory('i32.load8_u', offset).op('i32x4.splat');
    else f.memory(loads[name], offset, name === 'vector' ? 4 : undefined);
    return this;
  }

  store(name: StoreName, offset = 0): this {
    const f = this.inner;
    if (name === 'bytes') {
      const [value] = this.#pop(1, 'v128');
      f.get(value!)
        .get(value!)
        .shuffle([0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12])
        .memoryLane('v128.store32_lane', offset, 0)
        .free(value!);
    } else {
      f.memory(stores[name], offset, name === 'vector' ? 4 : undefined);
    }
    return this;
  }

  loadPartial(count: number, offset = 0): this {
    const f = this.inner;
    if (count === 1) f.memory('v128.load32_zero', offset);
    else if (count === 2) f.memory('v128.load64_zero', offset, 4);
    else {
      const [address] = this.#pop(1, 'i32');
      const low = f.local('v128');
      f.get(address!)
        .memory('v128.load64_zero', offset, 4)
        .set(low)
        .get(address!)
        .get(low)
        .memoryLane('v128.load32_lane', offset + 8, 2);
      f.free(address!).free(low);
    }
    return this;
  }

  storePartial(count: number, offset = 0): this {
    return this.scatter('32', 4, count, offset);
  }

  gather(element: 'u8' | '32', stride: number, offset = 0): this {
    const f = this.inner;
    const [address] = this.#pop(1, 'i32');
    const result = f.local('v128');
    for (let lane = 0; lane < lanes; lane++) {
      if (element === 'u8') {
        if (lane > 0) f.get(result);
        const rest = this.#pushAt(address!, offset + lane * stride);
        f.memory('i32.load8_u', rest);
        if (lane === 0) f.op('i32x4.splat').set(result);
        else f.lane('i32x4.replace_lane', lane).set(result);
      } else {
        const rest = this.#pushAt(address!, offset + lane * stride);
        if (lane === 0) f.memory('v128.load32_zero', rest).set(result);
        else f.get(result).memoryLane('v128.load32_lane', rest, lane).set(result);
      }
    }
    f.get(result).free(result).free(address!);
    return this;
  }

  scatter(element: 'u8' | '32', stride: number, count: number, offset = 0): this {
    const f = this.inner;
    const [value] = this.#pop(1, 'v128');
    const [address] = this.#pop(1, 'i32');
    for (let lane = 0; lane < count; lane++) {
      const rest = this.#pushAt(address!, offset + lane * stride);
      f.get(value!);
      if (element === 'u8') f.lane('i32x4.extract_lane', lane).memory('i32.store8', rest);
      else f.memoryLane('v128.store32_lane', rest, lane);
    }
    f.free(value!).free(address!);
    return this;
  }

  /** Pushes the address moved by what a static offset cannot say, a negative amount; returns the rest. */
  #pushAt(address: WasmLocal, amount: number): number {
    this.inner.get(address);
    if (amount >= 0) return amount;
    this.inner.i32(amount).op('i32.add');
    return 0;
  }

  extractLane(type: 'i32' | 'f32', lane: number): this {
    this.inner.lane(`${type}x4.extract_lane`, lane);
    return this;
  }
  replaceLane(type: 'i32' | 'f32', lane: number): this {
    this.inner.lane(`${type}x4.replace_lane`, lane);
    return this;
  }
  sumLanes(): this {
    const f = this.inner;
    const [vector] = this.#pop(1, 'v128');
    const pairs = f.local('v128');
    // neighbours, then the two pairs
    f.get(vector!)
      .get(vector!)
      .get(vector!)
      .shuffle([4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11])
      .op('f32x4.add')
      .set(pairs);
    f.get(pairs).lane('f32x4.extract_lane', 0).get(pairs).lane('f32x4.extract_lane', 2).op('f32.add');
    f.free(vector!).free(pairs);
    return this;
  }

  transpose(rows: readonly Local[]): this {
    const f = this.inner;
    const [a, b, c, d] = rows.map((row) => this.#unwrap(row)) as [WasmLocal, WasmLocal, WasmLocal, WasmLocal];
    const interleave = (x: WasmLocal, y: WasmLocal, bytes: readonly number[]): WasmLocal => {
      const local = f.local('v128');
      f.get(x).get(y).shuffle(bytes).set(local);
      return local;
    };
    const [lowAB, lowCD] = [interleave(a, b, lowWords), interleave(c, d, lowWords)];
    const [highAB, highCD] = [interleave(a, b, highWords), interleave(c, d, highWords)];
    f.get(lowAB).get(lowCD).shuffle(firstHalves).set(a).get(lowAB).get(lowCD).shuffle(secondHalves).set(b);
    f.get(highAB).get(highCD).shuffle(firstHalves).set(c).get(highAB).get(highCD).shuffle(secondHalves).set(d);
    for (const local of [lowAB, lowCD, highAB, highCD]) f.free(local);
    return this;
  }

  select(): this {
    this.inner.select();
    return this;
  }
  zeroMemory(): this {
    const [length] = this.#pop(1, 'i32');
    this.inner.i32(0).get(length!).op('memory.fill').free(length!);
    return this;
  }

  atomicAdd(offset = 0): this {
    const f = this.inner;
    if (this.#options.hasAtomics) {
      f.memory('i32.atomic.rmw.add', offset);
      return this;
    }
    const [address, amount] = this.#pop(2, 'i32');
    const before = f.local('i32');
    f.get(address!).memory('i32.load', offset).set(before);
    f.get(address!).get(before).get(amount!).op('i32.add').memory('i32.store', offset).get(before);
    for (const local of [address!, amount!, before]) f.free(local);
    return this;
  }

  block(body: (exit: Label) => void): this {
    this.inner.block(body);
    return this;
  }
  loop(body: (again: Label) => void): this {
    this.inner.loop(body);
    return this;
  }
  if_(whenTrue: (exit: Label) => void, whenFalse?: (exit: Label) => void, result?: RegisterType): this {
    this.inner.if_(whenTrue, whenFalse, result && valueType[result]);
    return this;
  }
  br(label: Label): this {
    this.inner.br(label);
    return this;
  }
  brIf(label: Label): this {
    this.inner.brIf(label);
    return this;
  }
  call(target: FunctionHandle): this {
    if (!(target instanceof WasmCode)) throw new InternalError(`wasm: ${target.name} is no function of this module`);
    this.inner.call(target.inner);
    return this;
  }
  return_(): this {
    this.inner.return_();
    return this;
  }
  drop(): this {
    this.inner.drop();
    return this;
  }
  comment(text: string): this {
    this.inner.comment(text);
    return this;
  }
}

/** A WebAssembly module's functions as the abstract machine's. */
export class WasmCodeModule implements CodeModule {
  readonly lanes = lanes;
  readonly #module: ModuleBuilder;
  readonly #options: WasmCodeOptions;

  constructor(module: ModuleBuilder, options: WasmCodeOptions) {
    this.#module = module;
    this.#options = options;
  }

  function(name: string, parameters: readonly RegisterType[], results: readonly RegisterType[] = []): WasmCode {
    const types = (list: readonly RegisterType[]): ValueType[] => list.map((type) => valueType[type]);
    return new WasmCode(this.#module.function(name, types(parameters), types(results)), parameters, this.#options);
  }
}
