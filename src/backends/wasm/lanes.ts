import type { Access, Affine, Expression, ScalarOp, ScalarType } from '../../compiler/index.js';
import { bytesPerElement, type DType, InternalError } from '../../core/index.js';
import type { FunctionBuilder, Local, ValueType } from './assembler.js';
import type { PlainName } from './opcodes.js';

/** Lanes of a vector. */
export const vectorLanes = 4;

/** What the surroundings know of the point at which expressions are evaluated; for vectors, of its first lane. */
export interface PointSources {
  /** Pushes the address of an access, without its dynamic part; returns a static offset to be added (at least 0). */
  address(access: Access): number;
  /** Elements between neighbouring lanes. */
  laneStride(access: Access): number;
  /** Pushes the value of an affine, and says what each lane adds to it. */
  index(affine: Affine): void;
  laneStep(affine: Affine): number;
  /** Holds accumulator `number` in this width. */
  accumulator(number: number): Local;
  /** Pushes the address of the word that tells of an index out of range. */
  faultAddress(): void;
  /** Number of the place that a fault is reported with. */
  faultCode(where: string, extent: number): number;
}

type Unary = readonly [scalar: (f: FunctionBuilder) => void, vector: (f: FunctionBuilder) => void];

const plain =
  (...names: readonly PlainName[]) =>
  (f: FunctionBuilder): void => {
    for (const name of names) f.op(name);
  };

/** Instructions for an operation on operands of a type; the operands are on the stack. */
const instructions: Partial<Record<`${ScalarType} ${ScalarOp}`, Unary>> = {
  'f32 add': [plain('f32.add'), plain('f32x4.add')],
  'f32 sub': [plain('f32.sub'), plain('f32x4.sub')],
  'f32 mul': [plain('f32.mul'), plain('f32x4.mul')],
  'f32 div': [plain('f32.div'), plain('f32x4.div')],
  'f32 min': [plain('f32.min'), plain('f32x4.min')],
  'f32 max': [plain('f32.max'), plain('f32x4.max')],
  'f32 neg': [plain('f32.neg'), plain('f32x4.neg')],
  'f32 abs': [plain('f32.abs'), plain('f32x4.abs')],
  'f32 sqrt': [plain('f32.sqrt'), plain('f32x4.sqrt')],
  'f32 floor': [plain('f32.floor'), plain('f32x4.floor')],
  'f32 round': [plain('f32.nearest'), plain('f32x4.nearest')],
  'f32 equal': [plain('f32.eq'), plain('f32x4.eq')],
  'f32 notEqual': [plain('f32.ne'), plain('f32x4.ne')],
  'f32 less': [plain('f32.lt'), plain('f32x4.lt')],
  'f32 lessEqual': [plain('f32.le'), plain('f32x4.le')],
  'f32 greater': [plain('f32.gt'), plain('f32x4.gt')],
  'f32 greaterEqual': [plain('f32.ge'), plain('f32x4.ge')],
  'f32 toInt': [plain('i32.trunc_sat_f32_s'), plain('i32x4.trunc_sat_f32x4_s')],
  'f32 toBool': [(f) => f.f32(0).op('f32.ne'), (f) => f.v128Const(Float32Array.of(0, 0, 0, 0)).op('f32x4.ne')],
  'f32 intBits': [plain('i32.reinterpret_f32'), () => {}],
  'i32 add': [plain('i32.add'), plain('i32x4.add')],
  'i32 sub': [plain('i32.sub'), plain('i32x4.sub')],
  'i32 mul': [plain('i32.mul'), plain('i32x4.mul')],
  'i32 and': [plain('i32.and'), plain('v128.and')],
  'i32 or': [plain('i32.or'), plain('v128.or')],
  'i32 xor': [plain('i32.xor'), plain('v128.xor')],
  'i32 equal': [plain('i32.eq'), plain('i32x4.eq')],
  'i32 notEqual': [plain('i32.ne'), plain('i32x4.ne')],
  'i32 less': [plain('i32.lt_s'), plain('i32x4.lt_s')],
  'i32 lessEqual': [plain('i32.le_s'), plain('i32x4.le_s')],
  'i32 greater': [plain('i32.gt_s'), plain('i32x4.gt_s')],
  'i32 greaterEqual': [plain('i32.ge_s'), plain('i32x4.ge_s')],
  'i32 toFloat': [plain('f32.convert_i32_s'), plain('f32x4.convert_i32x4_s')],
  'i32 toBool': [(f) => f.i32(0).op('i32.ne'), (f) => f.v128Const(Int32Array.of(0, 0, 0, 0)).op('i32x4.ne')],
  'i32 floatBits': [plain('f32.reinterpret_i32'), () => {}],
  'bool and': [plain('i32.and'), plain('v128.and')],
  'bool or': [plain('i32.or'), plain('v128.or')],
  'bool xor': [plain('i32.xor'), plain('v128.xor')],
  'bool notEqual': [plain('i32.xor'), plain('v128.xor')],
  'bool equal': [(f) => f.op('i32.eq'), (f) => f.op('v128.xor').op('v128.not')],
  'bool not': [plain('i32.eqz'), plain('v128.not')],
  'bool toBool': [() => {}, () => {}],
  'bool toInt': [() => {}, (f) => f.v128Const(Int32Array.of(1, 1, 1, 1)).op('v128.and')],
  'bool toFloat': [plain('f32.convert_i32_s'), (f) => f.v128Const(Float32Array.of(1, 1, 1, 1)).op('v128.and')],
};

/** Integer operations that vectors lack, or that trap: done lane by lane. */
const scalarOnly: ReadonlySet<ScalarOp> = new Set<ScalarOp>(['div']);

/**
 * Evaluates expressions at a point, one lane or four, into locals. Each expression object is computed once; the same
 * instructions' meaning in both widths makes a tail computed lane by lane equal to the vectors before it, bit for bit.
 */
export class LaneEmitter {
  readonly #f: FunctionBuilder;
  readonly #isVector: boolean;
  readonly #sources: PointSources;
  readonly #values = new Map<Expression, Local>();

  constructor(f: FunctionBuilder, width: 1 | typeof vectorLanes, sources: PointSources) {
    this.#f = f;
    this.#isVector = width > 1;
    this.#sources = sources;
  }

  #typeOf(type: ScalarType): ValueType {
    return this.#isVector ? 'v128' : type === 'f32' ? 'f32' : 'i32';
  }

  /** The local that holds an expression's value from here on. */
  value(expression: Expression): Local {
    if (expression.kind === 'accumulator') return this.#sources.accumulator(expression.number);
    const known = this.#values.get(expression);
    if (known) return known;
    this.#push(expression);
    const local = this.#f.local(this.#typeOf(expression.type));
    this.#f.set(local);
    this.#values.set(expression, local);
    return local;
  }

  /** Gives back the locals of everything that was computed. */
  release(): void {
    for (const local of this.#values.values()) this.#f.free(local);
    this.#values.clear();
  }

  #push(expression: Expression): void {
    const f = this.#f;
    switch (expression.kind) {
      case 'constant':
        this.#constant(expression.type, expression.value);
        return;
      case 'index':
        this.#index(expression.index);
        return;
      case 'load':
        this.#load(expression.access);
        return;
      case 'select': {
        const [condition, a, b] = expression.operands.map((operand) => this.value(operand)) as [Local, Local, Local];
        f.get(a).get(b).get(condition);
        if (this.#isVector) f.op('v128.bitselect');
        else f.select();
        return;
      }
      case 'guard':
        this.#guard(expression);
        return;
      case 'operation':
        this.#operation(expression.op, expression.operands);
        return;
      case 'accumulator':
        f.get(this.value(expression));
    }
  }

  #constant(type: ScalarType, value: number): void {
    const f = this.#f;
    if (!this.#isVector) {
      if (type === 'f32') f.f32(value);
      else f.i32(value);
    } else if (type === 'f32') {
      f.v128Const(new Float32Array(vectorLanes).fill(value));
    } else {
      f.v128Const(new Int32Array(vectorLanes).fill(type === 'bool' ? -value : value));
    }
  }

  #index(affine: Affine): void {
    const f = this.#f;
    this.#sources.index(affine);
    if (!this.#isVector) return;
    const step = this.#sources.laneStep(affine);
    f.op('i32x4.splat');
    if (step !== 0) f.v128Const(Int32Array.from({ length: vectorLanes }, (_, lane) => lane * step)).op('i32x4.add');
  }

  /** Inside is evaluated only where every bound holds, so its values do not outlive it. Bounds are the same for all lanes. */
  #guard({ bounds, inside, outside, type }: Extract<Expression, { kind: 'guard' }>): void {
    const f = this.#f;
    bounds.forEach(({ index, extent }, i) => {
      if (this.#isVector && this.#sources.laneStep(index) !== 0)
        throw new InternalError('a guard differs between lanes');
      this.#sources.index(index);
      f.i32(extent).op('i32.lt_u');
      if (i > 0) f.op('i32.and');
    });
    const before = new Set(this.#values.keys());
    f.if_(
      () => {
        f.get(this.value(inside));
        for (const [expression, local] of this.#values) {
          if (before.has(expression)) continue;
          this.#values.delete(expression);
          f.free(local);
        }
      },
      () => this.#constant(type, outside),
      this.#typeOf(type),
    );
  }

  #operation(op: ScalarOp, operands: readonly Expression[]): void {
    const f = this.#f;
    const { type } = operands[0]!;
    if (this.#isVector && scalarOnly.has(op) && type === 'i32') {
      this.#laneByLane(op, operands);
      return;
    }
    if (op === 'shiftLeft' || op === 'shiftRight' || op === 'shiftRightLogical') {
      this.#shift(op, operands as readonly [Expression, Expression]);
      return;
    }
    const locals = operands.map((operand) => this.value(operand));
    if (type === 'i32' && this.#integer(op, locals)) return;
    const known = instructions[`${type} ${op}`];
    if (!known) throw new InternalError(`no instruction for ${type} ${op}`);
    for (const local of locals) f.get(local);
    known[this.#isVector ? 1 : 0](f);
  }

  #shift(op: 'shiftLeft' | 'shiftRight' | 'shiftRightLogical', [x, count]: readonly [Expression, Expression]): void {
    const f = this.#f;
    const name = op === 'shiftLeft' ? 'shl' : op === 'shiftRight' ? 'shr_s' : 'shr_u';
    if (!this.#isVector) {
      f.get(this.value(x)).get(this.value(count)).op(`i32.${name}`);
    } else if (count.kind === 'constant') {
      f.get(this.value(x)).i32(count.value).op(`i32x4.${name}`);
    } else {
      this.#laneByLane(op, [x, count]);
    }
  }

  #laneByLane(op: ScalarOp, operands: readonly Expression[]): void {
    const f = this.#f;
    const vectors = operands.map((operand) => this.value(operand));
    const scalars = vectors.map(() => f.local('i32'));
    const result = f.local('v128');
    f.v128Const(Int32Array.of(0, 0, 0, 0)).set(result);
    for (let lane = 0; lane < vectorLanes; lane++) {
      vectors.forEach((vector, i) => {
        f.get(vector).lane('i32x4.extract_lane', lane).set(scalars[i]!);
      });
      f.get(result);
      scalarInteger(f, op, scalars);
      f.lane('i32x4.replace_lane', lane).set(result);
    }
    f.get(result);
    for (const local of [...scalars, result]) f.free(local);
  }

  /** Integer operations whose instructions differ more between the widths. */
  #integer(op: ScalarOp, [a, b]: readonly Local[]): boolean {
    const f = this.#f;
    switch (op) {
      case 'neg':
        if (this.#isVector) f.get(a!).op('i32x4.neg');
        else f.i32(0).get(a!).op('i32.sub');
        return true;
      case 'abs':
        if (this.#isVector) f.get(a!).op('i32x4.abs');
        else f.i32(0).get(a!).op('i32.sub').get(a!).get(a!).i32(0).op('i32.lt_s').select();
        return true;
      case 'min':
      case 'max':
        f.get(a!).get(b!);
        if (this.#isVector) f.op(op === 'min' ? 'i32x4.min_s' : 'i32x4.max_s');
        else
          f.get(a!)
            .get(b!)
            .op(op === 'min' ? 'i32.lt_s' : 'i32.gt_s')
            .select();
        return true;
      case 'mulHigh':
        if (this.#isVector) {
          f.get(a!).get(b!).op('i64x2.extmul_low_i32x4_u').get(a!).get(b!).op('i64x2.extmul_high_i32x4_u');
          f.shuffle([4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]);
        } else {
          f.get(a!)
            .op('i64.extend_i32_u')
            .get(b!)
            .op('i64.extend_i32_u')
            .op('i64.mul')
            .i64(32n)
            .op('i64.shr_u')
            .op('i32.wrap_i64');
        }
        return true;
      case 'div':
        scalarInteger(f, 'div', [a!, b!]);
        return true;
      default:
        return false;
    }
  }

  /** Pushes an access's address with its dynamic part; returns the static offset. */
  #address(access: Access): number {
    const f = this.#f;
    const offset = this.#sources.address(access);
    for (const { value, stride, extent, outside, where } of access.dynamic) {
      const index = this.scalarIndex(value);
      if (outside === 'raise') {
        f.get(index).i32(extent).op('i32.ge_u');
        f.if_(() => {
          this.#sources.faultAddress();
          f.get(index).memory('i32.store', 4);
          this.#sources.faultAddress();
          f.i32(this.#sources.faultCode(where, extent)).memory('i32.store', 0);
          f.i32(0).set(index);
        });
      } else {
        f.get(index).i32(0).get(index).i32(0).op('i32.gt_s').select().set(index);
        f.get(index)
          .i32(extent - 1)
          .get(index)
          .i32(extent - 1)
          .op('i32.lt_s')
          .select()
          .set(index);
      }
      f.get(index)
        .i32(stride * bytesPerElement[access.dtype])
        .op('i32.mul')
        .op('i32.add')
        .free(index);
    }
    return offset;
  }

  /** An index that all lanes share, in a fresh i32 local. */
  scalarIndex(expression: Expression): Local {
    const f = this.#f;
    const index = f.local('i32');
    f.get(this.value(expression));
    if (this.#isVector) f.lane('i32x4.extract_lane', 0);
    f.set(index);
    return index;
  }

  #load(access: Access): void {
    const f = this.#f;
    const { dtype } = access;
    const offset = this.#address(access);
    if (!this.#isVector) {
      if (dtype === 'float32') f.memory('f32.load', offset);
      else if (dtype === 'int32') f.memory('i32.load', offset);
      else f.memory('i32.load8_u', offset);
      return;
    }
    const stride = this.#sources.laneStride(access);
    const isByte = dtype === 'uint8' || dtype === 'bool';
    if (stride === 1 && !isByte) {
      f.memory('v128.load', offset, 4);
    } else if (stride === 1) {
      f.memory('v128.load32_zero', offset, 1).op('i16x8.extend_low_i8x16_u').op('i32x4.extend_low_i16x8_u');
    } else if (stride === 0) {
      if (isByte) f.memory('i32.load8_u', offset).op('i32x4.splat');
      else f.memory('v128.load32_splat', offset);
    } else {
      this.#gather(dtype, offset, stride);
    }
    if (dtype === 'bool') f.v128Const(Int32Array.of(0, 0, 0, 0)).op('i32x4.ne');
  }

  /** Four lanes at a distance; the first one's address is on the stack. */
  #gather(dtype: DType, offset: number, stride: number): void {
    const f = this.#f;
    const address = f.local('i32');
    const result = f.local('v128');
    f.set(address);
    const bytes = stride * bytesPerElement[dtype];
    const isByte = bytesPerElement[dtype] === 1;
    for (let lane = 0; lane < vectorLanes; lane++) {
      const at = offset + lane * bytes;
      const push = (): number => {
        f.get(address);
        if (at < 0) f.i32(at).op('i32.add');
        return Math.max(0, at);
      };
      if (isByte) {
        if (lane === 0) {
          f.memory('i32.load8_u', push()).op('i32x4.splat').set(result);
        } else {
          f.get(result);
          f.memory('i32.load8_u', push()).lane('i32x4.replace_lane', lane).set(result);
        }
      } else if (lane === 0) {
        f.memory('v128.load32_zero', push()).set(result);
      } else {
        const rest = push();
        f.get(result).memoryLane('v128.load32_lane', rest, lane).set(result);
      }
    }
    f.get(result).free(address).free(result);
  }

  /** Stores a value (in a local of this width); with `lanes` below four only the first ones. `add` adds to what is there. */
  store(
    access: Access,
    value: Local,
    { lanes = vectorLanes, add = false }: { readonly lanes?: number; readonly add?: boolean } = {},
  ): void {
    const f = this.#f;
    const { dtype } = access;
    const offset = this.#address(access);
    const address = f.local('i32');
    f.set(address);
    const isByte = bytesPerElement[dtype] === 1;
    if (!this.#isVector) {
      f.get(address);
      if (dtype === 'float32') {
        if (add) f.get(address).memory('f32.load', offset);
        f.get(value);
        if (add) f.op('f32.add');
        f.memory('f32.store', offset);
      } else {
        if (add) f.get(address).memory(isByte ? 'i32.load8_u' : 'i32.load', offset);
        f.get(value);
        if (add) f.op('i32.add');
        f.memory(isByte ? 'i32.store8' : 'i32.store', offset);
      }
      f.free(address);
      return;
    }
    const stride = this.#sources.laneStride(access);
    let vector = value;
    const whole = f.local('v128');
    if (add) {
      if (stride !== 1 || isByte) throw new InternalError('adding stores are contiguous and 32 bits wide');
      f.get(address)
        .memory('v128.load', offset, 4)
        .get(value)
        .op(dtype === 'float32' ? 'f32x4.add' : 'i32x4.add')
        .set(whole);
      vector = whole;
    }
    if (dtype === 'bool') {
      f.get(value)
        .v128Const(Int32Array.of(1, 1, 1, 1))
        .op('v128.and')
        .set(whole);
      vector = whole;
    }
    if (stride === 1 && isByte && lanes === vectorLanes) {
      f.get(vector).get(vector).shuffle([0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12]).set(whole);
      f.get(address).get(whole).memoryLane('v128.store32_lane', offset, 0);
    } else if (stride === 1 && !isByte && lanes === vectorLanes) {
      f.get(address).get(vector).memory('v128.store', offset, 4);
    } else {
      const bytes = stride * bytesPerElement[dtype];
      for (let lane = 0; lane < lanes; lane++) {
        const at = offset + lane * bytes;
        f.get(address);
        if (at < 0) f.i32(at).op('i32.add');
        if (isByte) f.get(vector).lane('i32x4.extract_lane', lane).memory('i32.store8', Math.max(0, at));
        else f.get(vector).memoryLane('v128.store32_lane', Math.max(0, at), lane);
      }
    }
    f.free(address).free(whole);
  }
}

/** Integer work in one lane, without traps: a quotient by zero is 0, the quotient that overflows wraps around. */
function scalarInteger(f: FunctionBuilder, op: ScalarOp, [a, b]: readonly Local[]): void {
  switch (op) {
    case 'div':
      f.get(b!).op('i32.eqz');
      f.if_(
        () => f.i32(0),
        () => {
          f.get(b!).i32(-1).op('i32.eq');
          f.if_(
            () => f.i32(0).get(a!).op('i32.sub'),
            () => f.get(a!).get(b!).op('i32.div_s'),
            'i32',
          );
        },
        'i32',
      );
      return;
    case 'shiftLeft':
      f.get(a!).get(b!).op('i32.shl');
      return;
    case 'shiftRight':
      f.get(a!).get(b!).op('i32.shr_s');
      return;
    case 'shiftRightLogical':
      f.get(a!).get(b!).op('i32.shr_u');
      return;
    default:
      throw new InternalError(`${op} is not done lane by lane`);
  }
}
