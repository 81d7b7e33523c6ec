import { InternalError } from '../../core/index.js';
import { comparisons, integerComparisons as integerPredicates, type Mnemonic, roundings } from './assembler.js';
import type { Source } from './instructions.js';
import { type Value, vectorComparisons } from './ir.js';
import type { Selector } from './select.js';
import { convertToInt } from './select-integer.js';
import type { Shuffle } from './transpose.js';

const signBit = -0x80000000;
const magnitudeBits = 0x7fffffff;

/** Operations that are one instruction of two operands. */
const binary: Readonly<Record<string, Mnemonic>> = {
  'vector.i32.add': 'vpaddd',
  'vector.i32.sub': 'vpsubd',
  'vector.i32.mul': 'vpmulld',
  'vector.i32.and': 'vandps',
  'vector.i32.or': 'vorps',
  'vector.i32.xor': 'vxorps',
  'vector.i32.min': 'vpminsd',
  'vector.i32.max': 'vpmaxsd',
  'vector.f32.add': 'vaddps',
  'vector.f32.sub': 'vsubps',
  'vector.f32.mul': 'vmulps',
  'vector.f32.div': 'vdivps',
  'vector.and': 'vandps',
  'vector.or': 'vorps',
  'vector.xor': 'vxorps',
  'f32.add': 'vaddss',
  'f32.sub': 'vsubss',
  'f32.mul': 'vmulss',
  'f32.div': 'vdivss',
};
const isCommutative = (name: Mnemonic): boolean => !/sub|div/.test(name);

const unary: Readonly<Record<string, Mnemonic>> = {
  'vector.i32.abs': 'vpabsd',
  'vector.i32.toFloat': 'vcvtdq2ps',
  'vector.f32.sqrt': 'vsqrtps',
};

const shifts: Readonly<Record<string, Mnemonic>> = {
  'vector.i32.shiftLeft': 'vpslld',
  'vector.i32.shiftRight': 'vpsrad',
  'vector.i32.shiftRightLogical': 'vpsrld',
};

const floatPredicates: Readonly<Record<string, number>> = {
  equal: comparisons.equal,
  notEqual: comparisons.notEqualUnordered,
  less: comparisons.less,
  lessEqual: comparisons.lessOrEqual,
  greater: comparisons.greater,
  greaterEqual: comparisons.greaterOrEqual,
};
const maskPredicates: Readonly<Record<string, number>> = {
  equal: integerPredicates.equal,
  notEqual: integerPredicates.notEqual,
  less: integerPredicates.less,
  lessEqual: integerPredicates.lessOrEqual,
  greater: integerPredicates.greater,
  greaterEqual: integerPredicates.greaterOrEqual,
};
const lastWord = (op: string): string => op.slice(op.lastIndexOf('.') + 1);

/** Instructions for what gives a vector or a float. */
export function selectVector(s: Selector, value: Value): void {
  const { op, args } = value;
  const isScalar = value.type === 'f32';
  const [a, b] = args as [Value, Value];
  const size = isScalar ? 'x' : 'v';
  const dst = size.toUpperCase();
  const name = binary[op];
  if (name) {
    const src = operands(s, a, b, isScalar ? 'scalar' : 'packed', isCommutative(name));
    s.plain(name, `${dst}${size}${size}`, s.register(value), src, { fold: 1, commutes: isCommutative(name) });
    return;
  }
  const single = unary[op];
  if (single) {
    s.plain(single, 'Vv', s.register(value), [s.operand(a, 'packed')], { fold: 0 });
    return;
  }
  if (vectorComparisons.has(op)) {
    compare(s, value);
    return;
  }
  if (shifts[op]) {
    shift(s, value, shifts[op]);
    return;
  }
  switch (op) {
    case 'f32.sqrt': {
      const x = s.use(a);
      s.plain('vsqrtss', 'Xxx', s.register(value), [x, x]);
      return;
    }
    case 'f32.floor':
    case 'f32.round':
    case 'vector.f32.floor':
    case 'vector.f32.round': {
      const src = isScalar ? s.use(a) : s.operand(a, 'packed');
      const imm = op.endsWith('floor') ? roundings.down : roundings.nearest;
      const instruction = s.hasMasks ? 'vrndscaleps' : 'vroundps';
      s.plain(instruction, `${dst}${size}i`, s.register(value), [src], { imm, fold: isScalar ? -1 : 0 });
      return;
    }
    case 'f32.neg':
      s.plain('vxorps', 'Xxx', s.register(value), [s.use(a), s.constant('f32', signBit)], { fold: 1 });
      return;
    case 'f32.abs':
      s.plain('vandps', 'Xxx', s.register(value), [s.use(a), s.constant('f32', magnitudeBits)], { fold: 1 });
      return;
    case 'vector.f32.neg':
      s.plain('vxorps', 'Vvv', s.register(value), [s.use(a), s.uniform(signBit)], { fold: 1 });
      return;
    case 'vector.f32.abs':
      s.plain('vandps', 'Vvv', s.register(value), [s.use(a), s.uniform(magnitudeBits)], { fold: 1 });
      return;
    case 'vector.i32.neg':
      s.plain('vpsubd', 'Vvv', s.register(value), [s.uniform(0), s.operand(a, 'packed')], { fold: 1 });
      return;
    case 'vector.not':
      complement(s, s.use(a), s.register(value));
      return;
    case 'f32.min':
    case 'f32.max':
    case 'vector.f32.min':
    case 'vector.f32.max':
      extreme(s, value);
      return;
    case 'vector.f32.madd': {
      const [x, y, z] = args as [Value, Value, Value];
      const right = s.operand(y, 'packed');
      const left = typeof right === 'number' ? s.operand(x, 'packed') : s.use(x);
      s.add('fma', s.register(value), [left, right, s.use(z)]);
      return;
    }
    case 'vector.f32.toInt':
      convertToInt(s, 'v', s.use(a), s.register(value));
      return;
    case 'vector.i32.mulHigh':
      multiplyHigh(s, value);
      return;
    case 'vector.i32.splat':
      splat(s, s.use(a), s.register(value));
      return;
    case 'vector.select':
      select(s, value);
      return;
    case 'select':
      selectScalar(s, value);
      return;
    case 'i32.toFloat': {
      const zero = s.temporary('f32');
      s.plain('vxorps', 'X00', zero, []);
      s.plain('vcvtsi2ss', 'Xxg', s.register(value), [zero, s.use(a)]);
      return;
    }
    case 'i32.floatBits':
      s.plain('vmovd', 'Xg', s.register(value), [s.use(a)]);
      return;
    case 'extractLane.f32': {
      const vector = s.part(s.use(a), value.imm >> 2);
      if ((value.imm & 3) === 0) s.add('copy', s.register(value), [vector]);
      else s.plain('vpermilps', 'Xxi', s.register(value), [vector], { imm: (value.imm & 3) * 0x55 });
      return;
    }
    case 'replaceLane.f32':
    case 'replaceLane.i32':
      replaceLane(s, value);
      return;
    case 'sumLanes':
      sumLanes(s, value);
      return;
    case 'shuffle': {
      const { name: shuffle, imm } = value.data as Shuffle;
      const src: Source[] = [s.use(a), s.operand(b, 'packed')];
      if (imm === undefined) s.plain(shuffle, 'Vvv', s.register(value), src, { fold: 1 });
      else s.plain(shuffle, 'Vvvi', s.register(value), src, { imm, fold: 1 });
      return;
    }
    case 'call':
      throw new InternalError('x64: calls give integers');
    default:
      throw new InternalError(`x64: no instruction for ${op}`);
  }
}

/** Two operands, of which a waiting load becomes the right one where they may change places. */
function operands(s: Selector, a: Value, b: Value, width: 'scalar' | 'packed', commutes: boolean): [Source, Source] {
  const right = s.operand(b, width);
  if (!commutes || typeof right !== 'number') return [s.use(a), right];
  const left = s.operand(a, width);
  return typeof left === 'number' ? [left, right] : [right, left];
}

function complement(s: Selector, a: number, result: number): void {
  s.plain('vxorps', 'Vvv', result, [a, s.uniform(-1)], { fold: 1 });
}

/** All ones or zero a lane. */
function compare(s: Selector, value: Value): void {
  if (s.hasMasks) {
    compareToMask(s, value, 1);
    s.plain('vpmovm2d', 'Vk', s.register(value), []);
    return;
  }
  const [a, b] = value.args as [Value, Value];
  const word = lastWord(value.op);
  if (value.op.startsWith('vector.f32')) {
    const src: Source[] = [s.use(a), s.operand(b, 'packed')];
    s.plain('vcmpps', 'Vvvi', s.register(value), src, { imm: floatPredicates[word]!, fold: 1 });
    return;
  }
  const [name, isSwapped, isNegated] = {
    equal: ['vpcmpeqd', false, false],
    notEqual: ['vpcmpeqd', false, true],
    greater: ['vpcmpgtd', false, false],
    lessEqual: ['vpcmpgtd', false, true],
    less: ['vpcmpgtd', true, false],
    greaterEqual: ['vpcmpgtd', true, true],
  }[word] as [Mnemonic, boolean, boolean];
  const [left, right] = isSwapped ? [b, a] : [a, b];
  const result = isNegated ? s.temporary('vector') : s.register(value);
  const isEqual = name === 'vpcmpeqd';
  s.plain(name, 'Vvv', result, [s.use(left), s.operand(right, 'packed')], { fold: 1, commutes: isEqual });
  if (isNegated) complement(s, result, s.register(value));
}

function compareToMask(s: Selector, { op, args }: Value, mask: number): void {
  const isFloat = op.startsWith('vector.f32');
  const imm = (isFloat ? floatPredicates : maskPredicates)[lastWord(op)]!;
  const src: Source[] = [s.use(args[0]!), s.operand(args[1]!, 'packed')];
  s.plain(isFloat ? 'vcmpps' : 'vpcmpd', 'Kvvi', undefined, src, { imm, fold: 1, mask });
}

const deepestMask = 3;
const maskOps: Readonly<Record<string, Mnemonic>> = { and: 'kandw', or: 'korw', xor: 'kxorw' };

/** Computes a mask into a mask register; those above it are free. */
function toMask(s: Selector, value: Value, mask: number): void {
  if (!s.isWaitingMask(value)) {
    s.plain('vpmovd2m', 'Kv', undefined, [s.use(value)], { mask });
    return;
  }
  s.markDone(value);
  if (vectorComparisons.has(value.op)) {
    compareToMask(s, value, mask);
  } else if (value.op === 'vector.not') {
    toMask(s, value.args[0]!, mask);
    s.plain('knotw', 'Kk', undefined, [], { mask });
  } else {
    toMask(s, value.args[0]!, mask);
    toMask(s, value.args[1]!, mask + 1);
    s.plain(maskOps[lastWord(value.op)]!, 'Kkn', undefined, [], { mask });
  }
}

/** Has everything that a waiting mask compares in registers: nothing else may use mask registers in between. */
function prepareMask(s: Selector, value: Value, mask: number): void {
  if (!s.isWaitingMask(value) || mask === deepestMask) {
    if (!vectorComparisons.has(value.op) || !s.isWaitingMask(value)) s.use(value);
    else for (const arg of value.args) s.use(arg);
    return;
  }
  if (vectorComparisons.has(value.op)) for (const arg of value.args) s.use(arg);
  else
    value.args.forEach((arg, i) => {
      prepareMask(s, arg, mask + i);
    });
}

function select(s: Selector, value: Value): void {
  const [a, b, mask] = value.args as [Value, Value, Value];
  const right = s.use(b);
  const left = s.operand(a, 'packed');
  if (!s.hasMasks) {
    s.plain('vblendvps', 'Vvvv', s.register(value), [right, left, s.use(mask)], { fold: 1 });
    return;
  }
  if (s.isWaitingMask(mask) && !vectorComparisons.has(mask.op)) prepareMask(s, mask, 1);
  else if (vectorComparisons.has(mask.op) && s.isWaitingMask(mask)) s.use(mask.args[0]!);
  toMask(s, mask, 1);
  s.plain('vblendmps', 'Wvv', s.register(value), [right, left], { fold: 1 });
}

function selectScalar(s: Selector, value: Value): void {
  const [a, b, condition] = value.args as [Value, Value, Value];
  const [x, y] = [s.use(a), s.use(b)];
  if (s.isWaitingComparison(condition)) {
    const [left, right] = condition.args as [Value, Value];
    const imm = floatPredicates[lastWord(condition.op)]!;
    const src: Source[] = [s.use(left), s.operand(right, 'scalar')];
    s.markDone(condition);
    if (s.hasMasks) {
      s.plain('vcmpss', 'Kxxi', undefined, src, { imm, fold: 1 });
      s.plain('vblendmps', 'wxx', s.register(value), [y, x]);
      return;
    }
    const mask = s.temporary('f32');
    s.plain('vcmpss', 'Xxxi', mask, src, { imm, fold: 1 });
    s.plain('vblendvps', 'Xxxx', s.register(value), [y, x, mask]);
    return;
  }
  const bit = s.temporary('i32');
  const { comparison, src } = s.condition(condition);
  s.add('set', bit, src).comparison = comparison;
  if (s.hasMasks) {
    s.plain('kmovw', 'Kg', undefined, [bit]);
    s.plain('vblendmps', 'wxx', s.register(value), [y, x]);
    return;
  }
  const [ones, mask] = [s.temporary('i32'), s.temporary('f32')];
  s.add('neg', ones, [bit]);
  s.plain('vmovd', 'Xg', mask, [ones]);
  s.plain('vblendvps', 'Xxxx', s.register(value), [y, x, mask]);
}

const isNumber = ({ op, imm, data }: Value): boolean => {
  const isNaNBits = (bits: number): boolean => (bits & magnitudeBits) > 0x7f800000;
  if (op !== 'constant') return false;
  return data instanceof Int32Array ? !data.some(isNaNBits) : !isNaNBits(imm);
};

/**
 * The instruction gives its second operand where one is NaN or both are zeros. The smaller one: either order, joined by
 * "or", which keeps NaNs and makes −0 of two zeros that differ. The larger one: the first operand where that is NaN.
 */
function extreme(s: Selector, value: Value): void {
  const [a, b] = value.args as [Value, Value];
  const isMin = value.op.endsWith('min');
  const isScalar = value.type === 'f32';
  const [size, type] = isScalar ? (['x', 'f32'] as const) : (['v', 'vector'] as const);
  const dst = size.toUpperCase();
  const form = `${dst}${size}${size}`;
  const name: Mnemonic = isScalar ? (isMin ? 'vminss' : 'vmaxss') : isMin ? 'vminps' : 'vmaxps';
  const result = s.register(value);
  if (isNumber(a) || isNumber(b)) {
    const [known, other] = isNumber(a) ? [a, b] : [b, a];
    s.plain(name, form, result, [s.use(known), s.operand(other, isScalar ? 'scalar' : 'packed')], { fold: 1 });
    return;
  }
  const [x, y] = [s.use(a), s.use(b)];
  const first = s.temporary(type);
  if (isMin) {
    const second = s.temporary(type);
    s.plain(name, form, first, [x, y]);
    s.plain(name, form, second, [y, x]);
    s.plain('vorps', form, result, [first, second]);
    return;
  }
  // the second operand is the one that was just computed, in sums over a loop
  s.plain(name, form, first, [y, x]);
  const imm = comparisons.unordered;
  if (s.hasMasks) {
    s.plain('vcmpps', `K${size}${size}i`, undefined, [y, y], { imm });
    s.plain('vblendmps', `${isScalar ? 'w' : 'W'}${size}${size}`, result, [first, y]);
    return;
  }
  const mask = s.temporary(type);
  s.plain('vcmpps', `${form}i`, mask, [y, y], { imm });
  s.plain('vblendvps', `${form}${size}`, result, [first, y, mask]);
}

function shift(s: Selector, value: Value, name: Mnemonic): void {
  const [a, count] = value.args as [Value, Value];
  const x = s.use(a);
  if (count.op === 'constant') {
    s.plain(name, 'Vvi', s.register(value), [x], { imm: count.imm & 31 });
    return;
  }
  const [masked, scalar] = [s.temporary('i32'), s.temporary('f32')];
  s.add('and', masked, [s.use(count), s.constant('i32', 31)]).fold = 1;
  s.plain('vmovd', 'Xg', scalar, [masked]);
  s.plain(name, 'Vvx', s.register(value), [x, scalar]);
}

/** Products of even and of odd lanes are 64 bits wide; their upper halves go back side by side. */
function multiplyHigh(s: Selector, value: Value): void {
  const [a, b] = value.args as [Value, Value];
  const odd = (x: Value): number => {
    const known = x.data;
    if (x.op === 'constant' && known instanceof Int32Array && known.every((bits) => bits === known[0])) return s.use(x);
    const result = s.temporary('vector');
    s.plain('vpsrlq', 'Vvi', result, [s.use(x)], { imm: 32 });
    return result;
  };
  const [even, evenHigh, odds] = [0, 0, 0].map(() => s.temporary('vector')) as [number, number, number];
  s.plain('vpmuludq', 'Vvv', even, [s.use(a), s.use(b)], { fold: 1, commutes: true });
  s.plain('vpmuludq', 'Vvv', odds, [odd(a), odd(b)], { fold: 1, commutes: true });
  s.plain('vpsrlq', 'Vvi', evenHigh, [even], { imm: 32 });
  if (!s.hasMasks) {
    s.plain('vpblendd', 'Vvvi', s.register(value), [evenHigh, odds], { imm: 0b10101010 });
    return;
  }
  const oddHigh = s.temporary('vector');
  const upper = Int32Array.from({ length: s.lanes }, (_, lane) => -(lane & 1));
  s.plain('vandps', 'Vvv', oddHigh, [odds, s.constant('vector', upper)], { fold: 1 });
  s.plain('vorps', 'Vvv', s.register(value), [evenHigh, oddHigh]);
}

function splat(s: Selector, integer: number, result: number): void {
  if (s.hasMasks) {
    s.plain('vpbroadcastd', 'Vg', result, [integer]);
    return;
  }
  const scalar = s.temporary('f32');
  s.plain('vmovd', 'Xg', scalar, [integer]);
  s.plain('vpbroadcastd', 'Vx', result, [scalar]);
}

/** Neighbours, then neighbouring pairs, then fours, then eights. */
function sumLanes(s: Selector, value: Value): void {
  let sum = s.use(value.args[0]!);
  for (const order of [0b10110001, 0b01001110]) {
    const [moved, next] = [s.temporary('vector'), s.temporary('vector')];
    s.plain('vpermilps', 'Vvi', moved, [sum], { imm: order });
    s.plain('vaddps', 'Vvv', next, [sum, moved]);
    sum = next;
  }
  const [low, high] = [0, 2].map((quarter) => {
    if (quarter >= s.lanes / 4) return undefined;
    const half = quarter === 0 && !s.hasMasks ? s.register(value) : s.temporary('f32');
    s.plain('vaddss', 'Xxx', half, [s.part(sum, quarter), s.part(sum, quarter + 1)]);
    return half;
  });
  if (high !== undefined) s.plain('vaddss', 'Xxx', s.register(value), [low!, high]);
}

function replaceLane(s: Selector, value: Value): void {
  const [vector, scalar] = value.args.map((arg) => s.use(arg)) as [number, number];
  const all = s.temporary('vector');
  if (value.op === 'replaceLane.i32') splat(s, scalar, all);
  else s.plain('vbroadcastss', 'Vx', all, [scalar]);
  if (!s.hasMasks) {
    s.plain('vblendps', 'Vvvi', s.register(value), [vector, all], { imm: 1 << value.imm });
    return;
  }
  const mask = s.maskConstant(1 << value.imm);
  s.plain('vblendmps', 'Wvv', s.register(value), [vector, all], { mask });
}
