import { InternalError } from '../../core/index.js';
import { comparisons } from './assembler.js';
import type { X64FunctionBuilder } from './function-builder.js';
import type { Operation, Source } from './instructions.js';
import { floatComparisons, integerComparisons, type Value } from './ir.js';
import type { Selector } from './select.js';

const arithmetic: Readonly<Record<string, Operation>> = {
  'i32.add': 'add',
  'i32.sub': 'sub',
  'i32.mul': 'imul',
  'i32.and': 'and',
  'i32.or': 'or',
  'i32.xor': 'xor',
  'i32.shiftLeft': 'shl',
  'i32.shiftRight': 'sar',
  'i32.shiftRightLogical': 'shr',
};
const commutative: ReadonlySet<Operation> = new Set<Operation>(['add', 'imul', 'and', 'or', 'xor']);

/** Instructions for what gives an integer, and for calls. */
export function selectInteger(s: Selector, value: Value): void {
  const { op, args } = value;
  const [a, b] = args as [Value, Value];
  const operation = arithmetic[op];
  if (operation) {
    const src: Source[] = [
      s.use(a),
      operation.startsWith('s') && operation !== 'sub' ? s.use(b) : s.operand(b, 'integer'),
    ];
    const instruction = s.add(operation, s.register(value), src);
    instruction.commutes = commutative.has(operation);
    instruction.fold = 1;
    if (!instruction.commutes || typeof src[1] !== 'number') instruction.late = 1 << 1;
    return;
  }
  if (integerComparisons.has(op)) {
    const src = op === 'i32.isZero' ? [s.use(a), s.constant('i32', 0)] : [s.use(a), s.operand(b, 'integer')];
    const instruction = s.add('set', s.register(value), src);
    instruction.comparison = { isFloat: false, condition: s.conditionOf(value) };
    return;
  }
  if (floatComparisons.has(op)) {
    compareFloats(s, value);
    return;
  }
  switch (op) {
    case 'i32.mulHigh':
      s.add('mulHigh', s.register(value), [s.use(a), s.use(b)]);
      return;
    case 'i32.min':
    case 'i32.max': {
      const [x, y] = [s.use(a), s.use(b)];
      const instruction = s.add('choose', s.register(value), [x, y, x, y]);
      instruction.comparison = { isFloat: false, condition: op === 'i32.min' ? 'l' : 'g' };
      return;
    }
    case 'i32.divSigned':
    case 'i32.divUnsigned':
    case 'i32.remUnsigned':
      divide(s, value);
      return;
    case 'f32.toInt':
      floatToInt(s, value);
      return;
    case 'f32.intBits':
      s.plain('vmovd', 'Gx', s.register(value), [s.use(a)]);
      return;
    case 'extractLane.i32': {
      const vector = s.part(s.use(a), value.imm >> 2);
      if ((value.imm & 3) === 0) s.plain('vmovd', 'Gx', s.register(value), [vector]);
      else s.plain('vpextrd', 'Gxi', s.register(value), [vector], { imm: value.imm & 3 });
      return;
    }
    case 'select': {
      const [x, y] = [s.use(a), s.use(b)];
      const { comparison, src } = s.condition(args[2]!);
      s.add('choose', s.register(value), [x, y, ...src]).comparison = comparison;
      return;
    }
    case 'call': {
      const call = s.add(
        'call',
        undefined,
        args.map((arg) => s.use(arg)),
      );
      call.callee = value.data as X64FunctionBuilder;
      if (call.callee.results.length > 0 && value.uses > 0) s.add('result', s.register(value), []);
      return;
    }
    case 'comment':
      s.add('comment', undefined, []).text = value.data as string;
      return;
    default:
      throw new InternalError(`x64: no instruction for ${op}`);
  }
}

/** 1 or 0 for a comparison of scalar floats. */
function compareFloats(s: Selector, value: Value): void {
  const [a, b] = value.args as [Value, Value];
  if (value.op !== 'f32.equal' && value.op !== 'f32.notEqual') {
    const [left, right] = value.op.startsWith('f32.less') ? [b, a] : [a, b];
    const instruction = s.add('set', s.register(value), [s.use(left), s.operand(right, 'scalar')]);
    instruction.comparison = { isFloat: true, condition: s.conditionOf(value) };
    return;
  }
  const imm = value.op === 'f32.equal' ? comparisons.equal : comparisons.notEqualUnordered;
  const [left, right] = [s.use(a), s.operand(b, 'scalar')];
  if (s.hasMasks) {
    s.plain('vcmpss', 'Kxxi', undefined, [left, right], { imm, fold: 1 });
    s.plain('kmovw', 'Gk', s.register(value), []);
    return;
  }
  const [mask, ones] = [s.temporary('f32'), s.temporary('i32')];
  s.plain('vcmpss', 'Xxxi', mask, [left, right], { imm, fold: 1 });
  s.plain('vmovd', 'Gx', ones, [mask]);
  s.add('neg', s.register(value), [ones]);
}

/** Quotients of 32-bit integers are exact enough in 64-bit floats: rounding never reaches the next integer. */
function divide(s: Selector, value: Value): void {
  const [a, b] = value.args.map((arg) => s.use(arg)) as [number, number];
  const isSigned = value.op === 'i32.divSigned';
  const zero = s.temporary('f32');
  s.plain('vxorps', 'X00', zero, []);
  const asDouble = (source: number): number => {
    const result = s.temporary('f32');
    s.plain('vcvtsi2sd', isSigned ? 'Xxg' : 'Xxq', result, [zero, source]);
    return result;
  };
  const [x, y, ratio] = [asDouble(a), asDouble(b), s.temporary('f32')];
  s.plain('vdivsd', 'Xxx', ratio, [x, y]);
  const quotient = value.op === 'i32.remUnsigned' ? s.temporary('i32') : s.register(value);
  s.plain('vcvttsd2si', isSigned ? 'Gx' : 'Qx', quotient, [ratio]);
  if (value.op !== 'i32.remUnsigned') return;
  const product = s.temporary('i32');
  s.add('imul', product, [quotient, b]).commutes = true;
  s.add('sub', s.register(value), [a, product]).late = 1 << 1;
}

/** Towards zero, saturating, NaN to 0. */
function floatToInt(s: Selector, value: Value): void {
  const a = s.use(value.args[0]!);
  const result = s.temporary('f32');
  convertToInt(s, 'x', a, result);
  s.plain('vmovd', 'Gx', s.register(value), [result]);
}

/** The conversion gives 0x80000000 for all that does not fit: right for what is too small. */
export function convertToInt(s: Selector, size: 'v' | 'x', a: number, result: number): void {
  const type = size === 'v' ? 'vector' : 'f32';
  const big = 0x4f000000; // 2^31
  const limit = size === 'v' ? s.uniform(big) : s.constant('f32', big);
  const dst = size.toUpperCase();
  if (s.hasMasks) {
    const most = size === 'v' ? s.uniform(0x7fffffff) : s.constant('f32', 0x7fffffff);
    const whole = s.temporary(type);
    s.plain('vcmpps', `K${size}${size}i`, undefined, [a, a], { imm: comparisons.ordered, mask: 1 });
    s.plain('vcvttps2dq', `${size === 'v' ? 'Z' : 'z'}${size}`, whole, [a]);
    s.plain('vcmpps', `K${size}${size}i`, undefined, [a, limit], { imm: comparisons.greaterOrEqual, fold: 1 });
    s.plain('vpblendmd', `${size === 'v' ? 'W' : 'w'}${size}${size}`, result, [whole, most], { fold: 1 });
    return;
  }
  const [isNumber, number, isBig, whole] = [0, 0, 0, 0].map(() => s.temporary(type)) as [
    number,
    number,
    number,
    number,
  ];
  const form = `${dst}${size}${size}`;
  s.plain('vcmpps', `${form}i`, isNumber, [a, a], { imm: comparisons.ordered });
  s.plain('vandps', form, number, [a, isNumber]);
  s.plain('vcmpps', `${form}i`, isBig, [number, limit], { imm: comparisons.greaterOrEqual, fold: 1 });
  s.plain('vcvttps2dq', `${dst}${size}`, whole, [number]);
  s.plain('vpxor', form, result, [whole, isBig]);
}
