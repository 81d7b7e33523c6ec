import { apply, asTensor, type TensorLike } from '../apply.js';
import { type ComputeDType, type DType, promote } from '../dtype.js';
import type { ParamsOf, PrimitiveName } from '../primitives/index.js';
import { broadcastShapes } from '../shape.js';
import { Tensor } from './tensor.js';

type Unary = () => Tensor;
type Binary = (other: TensorLike) => Tensor;

declare module './tensor.js' {
  /** Element by element. Two operands broadcast as in NumPy; a number adopts the tensor's dtype (a fraction makes it float32). */
  interface Tensor {
    neg: Unary;
    exp: Unary;
    expm1: Unary;
    log: Unary;
    log1p: Unary;
    sqrt: Unary;
    rsqrt: Unary;
    sin: Unary;
    cos: Unary;
    tanh: Unary;
    erf: Unary;
    sigmoid: Unary;
    floor: Unary;
    /** To the nearest integer, halves to the even one. */
    round: Unary;
    abs: Unary;
    sign: Unary;
    /** Logical not of a bool tensor. */
    not: Unary;
    add: Binary;
    sub: Binary;
    mul: Binary;
    /** True division: integers become float32. */
    div: Binary;
    pow: Binary;
    /** The greater of two, element by element. */
    maximum: Binary;
    /** The lesser of two, element by element. */
    minimum: Binary;
    /** Remainder with the divisor's sign. */
    mod: Binary;
    shiftLeft: Binary;
    shiftRight: Binary;
    shiftRightLogical: Binary;
    and: Binary;
    or: Binary;
    xor: Binary;
    equal: Binary;
    notEqual: Binary;
    less: Binary;
    lessEqual: Binary;
    greater: Binary;
    greaterEqual: Binary;
    /** `a` where this bool tensor holds, else `b`. */
    select(a: TensorLike, b: TensorLike): Tensor;
    /** The same values in another dtype; floats are cut towards zero. */
    cast(dtype: ComputeDType): Tensor;
    /** The same values, through which no gradient flows. */
    stopGradient(): Tensor;
  }
}

type Plain = { [K in PrimitiveName]: ParamsOf<K> extends Record<string, never> ? K : never }[PrimitiveName];

const alwaysFloat = ['exp', 'expm1', 'log', 'log1p', 'sqrt', 'rsqrt', 'sin', 'cos', 'tanh', 'erf', 'sigmoid'] as const;
const keepsType = ['neg', 'floor', 'round', 'abs', 'sign', 'not'] as const;
const binaries = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  pow: 'pow',
  maximum: 'max',
  minimum: 'min',
  mod: 'mod',
  shiftLeft: 'shiftLeft',
  shiftRight: 'shiftRight',
  shiftRightLogical: 'shiftRightLogical',
  and: 'and',
  or: 'or',
  xor: 'xor',
  equal: 'equal',
  notEqual: 'notEqual',
  less: 'less',
  lessEqual: 'lessEqual',
  greater: 'greater',
  greaterEqual: 'greaterEqual',
} as const satisfies Record<string, Plain>;
const wantsFloat: ReadonlySet<string> = new Set(['div', 'pow']);
/** Operations that have bool operands as they are; the order of bool is that of 0 and 1. */
const takesBool: ReadonlySet<string> = new Set(['and', 'or', 'xor', 'equal', 'notEqual']);

/** The two operands in their common dtype. A number takes the tensor's dtype unless it does not fit into it. */
function alike(op: string, x: Tensor, other: TensorLike): [Tensor, Tensor] {
  const isNumber = typeof other === 'number' || typeof other === 'boolean';
  const fits =
    isNumber &&
    (x.dtype === 'float32' ||
      (Number.isInteger(Number(other)) &&
        (x.dtype !== 'bool' || typeof other === 'boolean') &&
        (x.dtype !== 'uint8' || (Number(other) >= 0 && Number(other) <= 255))));
  const literal: ComputeDType = fits
    ? (x.dtype as ComputeDType)
    : typeof other === 'number' && !Number.isInteger(other)
      ? 'float32'
      : 'int32';
  const y = asTensor(other, literal);
  const common = promote(x.dtype, y.dtype);
  const dtype: DType = wantsFloat.has(op) ? 'float32' : common === 'bool' && !takesBool.has(op) ? 'int32' : common;
  return [x.cast(dtype as ComputeDType), y.cast(dtype as ComputeDType)];
}

/** Operands broadcast to their common shape. */
export function broadcastAll(op: string, ...tensors: Tensor[]): Tensor[] {
  const shape = broadcastShapes(op, ...tensors.map((tensor) => tensor.shape));
  return tensors.map((tensor) => tensor.broadcastTo(shape));
}

for (const op of alwaysFloat) {
  Tensor.prototype[op] = function (this: Tensor): Tensor {
    return apply(op, [this.cast('float32')], {});
  };
}
for (const op of keepsType) {
  Tensor.prototype[op] = function (this: Tensor): Tensor {
    // integers are whole already
    return (op === 'floor' || op === 'round') && this.dtype !== 'float32' ? this : apply(op, [this], {});
  };
}
for (const [name, op] of Object.entries(binaries) as [
  keyof typeof binaries,
  (typeof binaries)[keyof typeof binaries],
][]) {
  Tensor.prototype[name] = function (this: Tensor, other: TensorLike): Tensor {
    return apply(op, broadcastAll(name, ...alike(op, this, other)), {});
  };
}

Tensor.prototype.select = function (this: Tensor, a: TensorLike, b: TensorLike): Tensor {
  const first = a instanceof Tensor || typeof b === 'number' || typeof b === 'boolean' ? a : b;
  const [x, y] = alike('equal', asTensor(first), first === a ? b : a);
  const [condition, left, right] = broadcastAll('select', this, first === a ? x : y, first === a ? y : x);
  return apply('select', [condition!, left!, right!], {});
};

Tensor.prototype.cast = function (this: Tensor, dtype: ComputeDType): Tensor {
  return dtype === this.dtype ? this : apply('cast', [this], { dtype });
};

Tensor.prototype.stopGradient = function (this: Tensor): Tensor {
  return apply('stopGradient', [this], {});
};
