import type { RegisterType } from '../machine/index.js';
import { integerComparisons, readsMemory, type Value, type ValueOp } from './ir.js';

type Make = (op: ValueOp, type: RegisterType | 'none', args: Value[], imm?: number, data?: unknown) => Value;
type Constant = (value: number) => Value;

const inverse: Partial<Record<ValueOp, ValueOp>> = {
  'i32.equal': 'i32.notEqual',
  'i32.notEqual': 'i32.equal',
  'i32.less': 'i32.greaterEqual',
  'i32.greaterEqual': 'i32.less',
  'i32.greater': 'i32.lessEqual',
  'i32.lessEqual': 'i32.greater',
  'i32.lessUnsigned': 'i32.greaterEqualUnsigned',
  'i32.greaterEqualUnsigned': 'i32.lessUnsigned',
};

/** What operations with a constant on the left become, with it on the right. */
const mirrored: Partial<Record<ValueOp, ValueOp>> = {
  'i32.add': 'i32.add',
  'i32.mul': 'i32.mul',
  'i32.mulHigh': 'i32.mulHigh',
  'i32.and': 'i32.and',
  'i32.or': 'i32.or',
  'i32.xor': 'i32.xor',
  'i32.min': 'i32.min',
  'i32.max': 'i32.max',
  'i32.equal': 'i32.equal',
  'i32.notEqual': 'i32.notEqual',
  'i32.less': 'i32.greater',
  'i32.greater': 'i32.less',
  'i32.lessEqual': 'i32.greaterEqual',
  'i32.greaterEqual': 'i32.lessEqual',
};

const isConstant = (value: Value | undefined): value is Value => value?.op === 'constant';

/** A simpler value for an operation on these operands, if there is one. Float arithmetic is left as it is. */
export function simplify(
  op: ValueOp,
  args: readonly Value[],
  imm: number,
  data: unknown,
  make: Make,
  constant: Constant,
): Value | undefined {
  if (readsMemory(op) || op.startsWith('store') || op.startsWith('scatter') || op === 'atomicAdd')
    return foldAddress(op, args, imm, data, make);
  if (op === 'select') return isConstant(args[2]) ? (args[2].imm !== 0 ? args[0] : args[1]) : undefined;
  if (!op.startsWith('i32.')) return undefined;
  const [a, b] = args as [Value, Value];
  if (isConstant(a) && (b === undefined || isConstant(b))) {
    const folded = fold(op, a.imm, b?.imm ?? 0);
    if (folded !== undefined) return constant(folded | 0);
  }
  if (op === 'i32.isZero') {
    if (a.op === 'i32.isZero' && integerComparisons.has(a.args[0]!.op)) return a.args[0];
    const other = inverse[a.op];
    return other && make(other, 'i32', a.args);
  }
  if (isConstant(a) && !isConstant(b)) {
    const other = mirrored[op];
    if (other) return make(other, 'i32', [b, a]);
  }
  return isConstant(b) ? withConstant(op, a, b.imm, make, constant) : undefined;
}

/**
 * Takes a constant that an address has lost into the access's offset. One that it has won cannot go there: the sum
 * may have wrapped around, which offsets do not.
 */
function foldAddress(op: ValueOp, args: readonly Value[], imm: number, data: unknown, make: Make): Value | undefined {
  const [address, ...others] = args as [Value, ...Value[]];
  const by = address.args[1];
  if (address.op !== 'i32.add' || !isConstant(by) || by.imm >= 0 || by.imm < -0x40000000) return undefined;
  const type = op.startsWith('load.i32') || op === 'load.u8' || op === 'atomicAdd' ? 'i32' : undefined;
  const result = type ?? (readsMemory(op) ? (op === 'load.f32' ? 'f32' : 'vector') : 'none');
  return make(op, result, [address.args[0]!, ...others], imm + by.imm, data);
}

function fold(op: ValueOp, a: number, b: number): number | undefined {
  switch (op) {
    case 'i32.add':
      return a + b;
    case 'i32.sub':
      return a - b;
    case 'i32.mul':
      return Math.imul(a, b);
    case 'i32.and':
      return a & b;
    case 'i32.or':
      return a | b;
    case 'i32.xor':
      return a ^ b;
    case 'i32.min':
      return Math.min(a, b);
    case 'i32.max':
      return Math.max(a, b);
    case 'i32.shiftLeft':
      return a << b;
    case 'i32.shiftRight':
      return a >> b;
    case 'i32.shiftRightLogical':
      return a >>> b;
    case 'i32.isZero':
      return Number(a === 0);
    case 'i32.equal':
      return Number(a === b);
    case 'i32.notEqual':
      return Number(a !== b);
    case 'i32.less':
      return Number(a < b);
    case 'i32.lessEqual':
      return Number(a <= b);
    case 'i32.greater':
      return Number(a > b);
    case 'i32.greaterEqual':
      return Number(a >= b);
    case 'i32.lessUnsigned':
      return Number(a >>> 0 < b >>> 0);
    case 'i32.greaterEqualUnsigned':
      return Number(a >>> 0 >= b >>> 0);
    case 'i32.divUnsigned':
      return b === 0 ? undefined : Math.floor((a >>> 0) / (b >>> 0));
    case 'i32.remUnsigned':
      return b === 0 ? undefined : (a >>> 0) % (b >>> 0);
    default:
      return undefined;
  }
}

function withConstant(op: ValueOp, a: Value, b: number, make: Make, constant: Constant): Value | undefined {
  switch (op) {
    case 'i32.sub':
      return make('i32.add', 'i32', [a, constant(-b | 0)]);
    case 'i32.add':
      if (b === 0) return a;
      // a loop's variable is not kept past its change
      if (a.op === 'i32.add' && isConstant(a.args[1]) && a.args[0]!.op !== 'phi')
        return make('i32.add', 'i32', [a.args[0]!, constant((a.args[1].imm + b) | 0)]);
      return undefined;
    case 'i32.mul':
      if (b === 0) return constant(0);
      if (b === 1) return a;
      return (b & (b - 1)) === 0 ? make('i32.shiftLeft', 'i32', [a, constant(31 - Math.clz32(b))]) : undefined;
    case 'i32.and':
      return b === 0 ? constant(0) : b === -1 ? a : undefined;
    case 'i32.or':
    case 'i32.xor':
      return b === 0 ? a : undefined;
    case 'i32.shiftLeft':
    case 'i32.shiftRight':
    case 'i32.shiftRightLogical':
      if ((b & 31) === 0) return a;
      return (b & 31) === b ? undefined : make(op, 'i32', [a, constant(b & 31)]);
    case 'i32.divUnsigned':
      return divideBy(a, b >>> 0, make, constant);
    case 'i32.remUnsigned': {
      const divisor = b >>> 0;
      if (divisor === 0) return undefined;
      if (divisor === 1) return constant(0);
      if ((divisor & (divisor - 1)) === 0) return make('i32.and', 'i32', [a, constant((divisor - 1) | 0)]);
      const quotient = divideBy(a, divisor, make, constant)!;
      return make('i32.sub', 'i32', [a, make('i32.mul', 'i32', [quotient, constant(divisor | 0)])]);
    }
    default:
      return undefined;
  }
}

/**
 * ⌊a / d⌋ as a multiplication and shifts.
 * @see Granlund & Montgomery 1994, "Division by invariant integers using multiplication", figure 4.1
 */
function divideBy(a: Value, divisor: number, make: Make, constant: Constant): Value | undefined {
  if (divisor === 0) return undefined;
  if (divisor === 1) return a;
  const shift = (value: Value, by: number): Value => make('i32.shiftRightLogical', 'i32', [value, constant(by)]);
  if ((divisor & (divisor - 1)) === 0) return shift(a, 31 - Math.clz32(divisor));
  const d = BigInt(divisor);
  const bits = BigInt(32 - Math.clz32(divisor - 1));
  for (let s = 0n; s <= bits; s++) {
    // one multiplication is enough where the factor, rounded up, is off by little
    const factor = ((1n << (32n + s)) + d - 1n) / d;
    if (factor < 1n << 32n && factor * d - (1n << (32n + s)) <= 1n << s)
      return shift(make('i32.mulHigh', 'i32', [a, constant(Number(factor) | 0)]), Number(s));
  }
  const factor = ((1n << 32n) * ((1n << bits) - d)) / d + 1n;
  const high = make('i32.mulHigh', 'i32', [a, constant(Number(factor) | 0)]);
  const half = shift(make('i32.sub', 'i32', [a, high]), 1);
  return shift(make('i32.add', 'i32', [half, high]), Number(bits) - 1);
}
