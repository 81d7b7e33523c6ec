import type { Access, Affine, Expression, ScalarOp, ScalarType } from '../../compiler/index.js';
import { bytesPerElement, InternalError } from '../../core/index.js';
import type { Code, Local, MachineOp, RegisterType } from './code.js';

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

/** Operations on lanes that are one of the machine's, by the operands' type: `vector.` before it for vectors. */
const direct: Partial<Record<`${ScalarType} ${ScalarOp}`, string>> = {
  ...Object.fromEntries(
    ['add', 'sub', 'mul', 'div', 'min', 'max', 'neg', 'abs', 'sqrt', 'floor', 'round', 'toInt'].map((op) => [
      `f32 ${op}`,
      `f32.${op}`,
    ]),
  ),
  ...Object.fromEntries(
    ['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual'].flatMap((op) => [
      [`f32 ${op}`, `f32.${op}`],
      [`i32 ${op}`, `i32.${op}`],
    ]),
  ),
  ...Object.fromEntries(['add', 'sub', 'mul', 'mulHigh', 'min', 'max'].map((op) => [`i32 ${op}`, `i32.${op}`])),
  'i32 toFloat': 'i32.toFloat',
};

/** Bitwise operations, whose vectors have no type. */
const bitwise: Partial<Record<ScalarOp, 'and' | 'or' | 'xor'>> = { and: 'and', or: 'or', xor: 'xor' };

/** Integer operations that vectors lack, or that trap: done lane by lane. */
const scalarOnly: ReadonlySet<ScalarOp> = new Set<ScalarOp>(['div']);

/**
 * Evaluates expressions at a point, one lane or a vector of them, into registers. Each expression object is computed once; the
 * same operations' meaning in both widths makes a tail computed lane by lane equal to the vectors before it, bit for bit.
 */
export class LaneEmitter {
  readonly #f: Code;
  readonly #isVector: boolean;
  readonly #sources: PointSources;
  readonly #values = new Map<Expression, Local>();

  /** @param width 1, or the machine's lanes */
  constructor(f: Code, width: number, sources: PointSources) {
    this.#f = f;
    this.#isVector = width > 1;
    this.#sources = sources;
  }

  #typeOf(type: ScalarType): RegisterType {
    return this.#isVector ? 'vector' : type === 'f32' ? 'f32' : 'i32';
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
        if (this.#isVector) f.op('vector.select');
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
    // truth is all ones in a lane, 1 in a scalar
    if (this.#isVector) f.vector(type === 'f32' ? 'f32' : 'i32', type === 'bool' ? -value : value);
    else if (type === 'f32') f.f32(value);
    else f.i32(value);
  }

  #index(affine: Affine): void {
    const f = this.#f;
    this.#sources.index(affine);
    if (!this.#isVector) return;
    const step = this.#sources.laneStep(affine);
    f.op('vector.i32.splat');
    if (step !== 0) f.vector('i32', (lane) => lane * step).op('vector.i32.add');
  }

  /** Inside is evaluated only where every bound holds, so its values do not outlive it. Bounds are the same for all lanes. */
  #guard({ bounds, inside, outside, type }: Extract<Expression, { kind: 'guard' }>): void {
    const f = this.#f;
    bounds.forEach(({ index, extent }, i) => {
      if (this.#isVector && this.#sources.laneStep(index) !== 0)
        throw new InternalError('a guard differs between lanes');
      this.#sources.index(index);
      f.i32(extent).op('i32.lessUnsigned');
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
    if (this.#isVector && type === 'i32' && scalarOnly.has(op)) {
      this.#laneByLane(op, operands);
      return;
    }
    if (op === 'shiftLeft' || op === 'shiftRight' || op === 'shiftRightLogical') {
      this.#shift(op, operands as readonly [Expression, Expression]);
      return;
    }
    const locals = operands.map((operand) => this.value(operand));
    const known = direct[`${type} ${op}`];
    const bits = bitwise[op];
    if (known || bits) {
      for (const local of locals) f.get(local);
      f.op(
        (bits
          ? `${this.#isVector ? 'vector' : 'i32'}.${bits}`
          : `${this.#isVector ? 'vector.' : ''}${known}`) as MachineOp,
      );
      return;
    }
    const a = locals[0]!;
    const b = locals[1] ?? a;
    if (type === 'bool') this.#ofTruth(op, a, b);
    else if (op === 'toBool') this.#isNotZero(type, a);
    else if (op === 'floatBits' || op === 'intBits') this.#sameBits(op, a);
    else this.#ofInteger(op, a, b);
  }

  #ofTruth(op: ScalarOp, a: Local, b: Local): void {
    const f = this.#f;
    switch (op) {
      case 'equal':
      case 'notEqual':
        f.get(a)
          .get(b)
          .op(this.#isVector ? 'vector.xor' : 'i32.xor');
        if (op === 'equal') f.op(this.#isVector ? 'vector.not' : 'i32.isZero');
        return;
      case 'not':
        f.get(a).op(this.#isVector ? 'vector.not' : 'i32.isZero');
        return;
      case 'toBool':
        f.get(a);
        return;
      case 'toInt':
        f.get(a);
        if (this.#isVector) f.vector('i32', 1).op('vector.and');
        return;
      case 'toFloat':
        f.get(a);
        if (this.#isVector) f.vector('f32', 1).op('vector.and');
        else f.op('i32.toFloat');
        return;
      default:
        throw new InternalError(`no instruction for bool ${op}`);
    }
  }

  #isNotZero(type: ScalarType, x: Local): void {
    const f = this.#f;
    const kind = type === 'f32' ? 'f32' : 'i32';
    f.get(x);
    if (this.#isVector) f.vector(kind, 0).op(`vector.${kind}.notEqual`);
    else if (kind === 'f32') f.f32(0).op('f32.notEqual');
    else f.i32(0).op('i32.notEqual');
  }

  #sameBits(op: 'floatBits' | 'intBits', x: Local): void {
    this.#f.get(x);
    if (!this.#isVector) this.#f.op(op === 'floatBits' ? 'i32.floatBits' : 'f32.intBits');
  }

  #ofInteger(op: ScalarOp, a: Local, b: Local): void {
    const f = this.#f;
    if (op === 'div') {
      scalarInteger(f, 'div', [a, b]);
    } else if (op === 'neg' || op === 'abs') {
      if (this.#isVector) f.get(a).op(`vector.i32.${op}`);
      else if (op === 'neg') f.i32(0).get(a).op('i32.sub');
      else f.i32(0).get(a).op('i32.sub').get(a).get(a).i32(0).op('i32.less').select();
    } else {
      throw new InternalError(`no instruction for i32 ${op}`);
    }
  }

  #shift(op: 'shiftLeft' | 'shiftRight' | 'shiftRightLogical', [x, count]: readonly [Expression, Expression]): void {
    const f = this.#f;
    if (!this.#isVector) f.get(this.value(x)).get(this.value(count)).op(`i32.${op}`);
    else if (count.kind === 'constant') f.get(this.value(x)).i32(count.value).op(`vector.i32.${op}`);
    else this.#laneByLane(op, [x, count]);
  }

  #laneByLane(op: ScalarOp, operands: readonly Expression[]): void {
    const f = this.#f;
    const vectors = operands.map((operand) => this.value(operand));
    const scalars = vectors.map(() => f.local('i32'));
    const result = f.local('vector');
    f.vector('i32', 0).set(result);
    for (let lane = 0; lane < f.lanes; lane++) {
      vectors.forEach((vector, i) => {
        f.get(vector).extractLane('i32', lane).set(scalars[i]!);
      });
      f.get(result);
      scalarInteger(f, op, scalars);
      f.replaceLane('i32', lane).set(result);
    }
    f.get(result);
    for (const local of [...scalars, result]) f.free(local);
  }

  /** Pushes an access's address with its dynamic part; returns the static offset. */
  #address(access: Access): number {
    const f = this.#f;
    const offset = this.#sources.address(access);
    for (const { value, stride, extent, outside, where } of access.dynamic) {
      const index = this.scalarIndex(value);
      if (outside === 'raise') {
        f.get(index).i32(extent).op('i32.greaterEqualUnsigned');
        f.if_(() => {
          this.#sources.faultAddress();
          f.get(index).store('i32', 4);
          this.#sources.faultAddress();
          f.i32(this.#sources.faultCode(where, extent)).store('i32', 0);
          f.i32(0).set(index);
        });
      } else {
        f.get(index).i32(0).get(index).i32(0).op('i32.greater').select().set(index);
        f.get(index)
          .i32(extent - 1)
          .get(index)
          .i32(extent - 1)
          .op('i32.less')
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
    if (this.#isVector) f.extractLane('i32', 0);
    f.set(index);
    return index;
  }

  #load(access: Access): void {
    const f = this.#f;
    const { dtype } = access;
    const offset = this.#address(access);
    const bytes = bytesPerElement[dtype];
    if (!this.#isVector) {
      f.load(bytes === 1 ? 'u8' : dtype === 'float32' ? 'f32' : 'i32', offset);
      return;
    }
    const stride = this.#sources.laneStride(access);
    if (stride === 1) f.load(bytes === 1 ? 'bytes' : 'vector', offset);
    else if (stride === 0) f.load(bytes === 1 ? 'byteSplat' : 'splat', offset);
    else f.gather(bytes === 1 ? 'u8' : '32', stride * bytes, offset);
    if (dtype === 'bool') f.vector('i32', 0).op('vector.i32.notEqual');
  }

  /** Stores a value (in a register of this width). `add` adds to what is there. */
  store(access: Access, value: Local, { add = false }: { readonly add?: boolean } = {}): void {
    const f = this.#f;
    const { dtype } = access;
    const bytes = bytesPerElement[dtype];
    const isFloat = dtype === 'float32';
    const offset = this.#address(access);
    const address = f.local('i32');
    f.set(address);
    const push = (): void => {
      f.get(value);
      if (this.#isVector && dtype === 'bool') f.vector('i32', 1).op('vector.and');
    };
    f.get(address);
    if (!this.#isVector) {
      if (add) f.get(address).load(bytes === 1 ? 'u8' : isFloat ? 'f32' : 'i32', offset);
      push();
      if (add) f.op(isFloat ? 'f32.add' : 'i32.add');
      f.store(bytes === 1 ? 'u8' : isFloat ? 'f32' : 'i32', offset);
    } else {
      const stride = this.#sources.laneStride(access);
      if (add && (stride !== 1 || bytes === 1))
        throw new InternalError('adding stores are contiguous and 32 bits wide');
      if (add) f.get(address).load('vector', offset);
      push();
      if (add) f.op(isFloat ? 'vector.f32.add' : 'vector.i32.add');
      if (stride === 1) f.store(bytes === 1 ? 'bytes' : 'vector', offset);
      else f.scatter(bytes === 1 ? 'u8' : '32', stride * bytes, f.lanes, offset);
    }
    f.free(address);
  }
}

/** Integer work in one lane, without traps: a quotient by zero is 0, the quotient that overflows wraps around. */
function scalarInteger(f: Code, op: ScalarOp, [a, b]: readonly Local[]): void {
  switch (op) {
    case 'div':
      f.get(b!).op('i32.isZero');
      f.if_(
        () => f.i32(0),
        () => {
          f.get(b!).i32(-1).op('i32.equal');
          f.if_(
            () => f.i32(0).get(a!).op('i32.sub'),
            () => f.get(a!).get(b!).op('i32.divSigned'),
            'i32',
          );
        },
        'i32',
      );
      return;
    case 'shiftLeft':
      f.get(a!).get(b!).op('i32.shiftLeft');
      return;
    case 'shiftRight':
      f.get(a!).get(b!).op('i32.shiftRight');
      return;
    case 'shiftRightLogical':
      f.get(a!).get(b!).op('i32.shiftRightLogical');
      return;
    default:
      throw new InternalError(`${op} is not done lane by lane`);
  }
}
