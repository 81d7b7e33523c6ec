import { unreachable } from '../core/index.js';
import type { Affine } from './affine.js';
import type { Access, Expression, ScalarOp } from './expression.js';

/** Where the leaves of an expression get their values. Truth values are 0 and 1. */
export interface Surroundings {
  /** Element of a buffer; `dynamic` holds the values of the access's dynamic indices, as computed, in order. */
  readonly load: (access: Access, dynamic: readonly number[]) => number;
  readonly index: (affine: Affine) => number;
  readonly accumulators: ArrayLike<number>;
}

/**
 * The value of an expression at one point, with the semantics that every backend has to reproduce bit by bit: float32
 * rounded after each operation, int32 that wraps around. The oracle for emitters, not a way to run programs.
 */
export function evaluate(expression: Expression, surroundings: Partial<Surroundings> = {}): number {
  const { load = () => missing('loads'), index = () => missing('loop axes'), accumulators = [] } = surroundings;
  const values = new Map<Expression, number>();
  const at = (e: Expression): number => {
    let value = values.get(e);
    if (value === undefined) {
      value = compute(e);
      values.set(e, value);
    }
    return value;
  };
  const compute = (e: Expression): number => {
    switch (e.kind) {
      case 'constant':
        return e.type === 'f32' ? Math.fround(e.value) : e.type === 'i32' ? e.value | 0 : Number(e.value !== 0);
      case 'load':
        return load(
          e.access,
          e.access.dynamic.map(({ value }) => at(value)),
        );
      case 'index':
        return index(e.index) | 0;
      case 'accumulator':
        return accumulators[e.number] ?? missing(`accumulator ${e.number}`);
      case 'operation':
        return evaluateOperation(e.op, e.operands[0]!.type === 'f32', at(e.operands[0]!), () => at(e.operands[1]!));
      case 'select': {
        const [condition, a, b] = e.operands;
        return at(condition) !== 0 ? at(a) : at(b);
      }
      case 'guard': {
        const inside = e.bounds.every((bound) => {
          const position = index(bound.index);
          return position >= 0 && position < bound.extent;
        });
        return inside ? at(e.inside) : e.outside;
      }
      default:
        return unreachable(e);
    }
  };
  return at(expression);
}

function missing(what: string): never {
  throw new Error(`evaluate: the expression has ${what}, for which the caller gave no value`);
}

const word = new DataView(new ArrayBuffer(4));

/** op(a, b); `second` is called only by operations that have a second operand. */
function evaluateOperation(op: ScalarOp, isFloat: boolean, a: number, second: () => number): number {
  const number = (value: number): number => (isFloat ? Math.fround(value) : value | 0);
  switch (op) {
    case 'add':
      return number(a + second());
    case 'sub':
      return number(a - second());
    case 'mul':
      return isFloat ? Math.fround(a * second()) : Math.imul(a, second());
    case 'div': {
      const b = second();
      return isFloat ? Math.fround(a / b) : b === 0 ? 0 : (a / b) | 0;
    }
    case 'min':
      return Math.min(a, second());
    case 'max':
      return Math.max(a, second());
    case 'neg':
      return number(-a);
    case 'abs':
      return number(Math.abs(a));
    case 'sqrt':
      return Math.fround(Math.sqrt(a));
    case 'floor':
      return Math.floor(a);
    case 'round':
      return roundToEven(a);
    case 'shiftLeft':
      return a << second();
    case 'shiftRight':
      return a >> second();
    case 'shiftRightLogical':
      return (a >>> second()) | 0;
    case 'and':
      return a & second();
    case 'or':
      return a | second();
    case 'xor':
      return a ^ second();
    case 'not':
      return Number(a === 0);
    case 'equal':
      return Number(a === second());
    case 'notEqual':
      return Number(a !== second());
    case 'less':
      return Number(a < second());
    case 'lessEqual':
      return Number(a <= second());
    case 'greater':
      return Number(a > second());
    case 'greaterEqual':
      return Number(a >= second());
    case 'mulHigh':
      return Number(BigInt.asIntN(32, (BigInt(a >>> 0) * BigInt(second() >>> 0)) >> 32n));
    case 'toFloat':
      return Math.fround(a);
    case 'toInt':
      return Number.isNaN(a) ? 0 : Math.trunc(Math.min(2147483647, Math.max(-2147483648, a))) | 0;
    case 'toBool':
      return Number(a !== 0);
    case 'floatBits':
      word.setInt32(0, a);
      return word.getFloat32(0);
    case 'intBits':
      word.setFloat32(0, a);
      return word.getInt32(0);
    default:
      return unreachable(op);
  }
}

/** To nearest, ties to even; keeps −0. */
function roundToEven(x: number): number {
  if (!(Math.abs(x) < 2 ** 23)) return x;
  const magic = 2 ** 52; // float64 rounds the sum to an integer, ties to even
  const magnitude = Math.abs(x) + magic - magic;
  return x < 0 || Object.is(x, -0) ? -magnitude : magnitude;
}
