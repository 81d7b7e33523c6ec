import type { ElementwiseName, Node } from '../core/index.js';
import {
  constantOf,
  type Expression,
  float,
  int,
  operation,
  type ScalarOp,
  scalarTypeOf,
  selectOf,
} from './expression.js';
import { cos, erf, exp, expm1, log, log1p, modFloat, modInt, pow, rsqrt, sigmoid, sign, sin, tanh } from './math.js';

type Rule = (operands: readonly Expression[], node: Node) => Expression;

const plain =
  (op: ScalarOp): Rule =>
  (operands) =>
    operation(op, ...(operands as [Expression, ...Expression[]]));
const first =
  (f: (x: Expression) => Expression): Rule =>
  ([x]) =>
    f(x!);

/** uint8 is computed in 32 bits and wraps around at 256. */
const wrapping =
  (rule: Rule): Rule =>
  (operands, node) => {
    const value = rule(operands, node);
    return node.dtype === 'uint8' ? operation('and', value, int(255)) : value;
  };

/** Conversions between what lanes hold, for each pair of dtypes. */
export function castTo(value: Expression, from: string, to: string): Expression {
  if (from === to) return value;
  if (to === 'bool') return operation('toBool', value);
  if (to === 'float32') return operation('toFloat', value);
  const whole = value.type === 'i32' ? value : operation('toInt', value);
  if (to === 'int32' || from === 'bool') return whole;
  return from === 'float32'
    ? operation('max', int(0), operation('min', int(255), whole))
    : operation('and', whole, int(255));
}

const signOf: Rule = ([x]) => {
  if (x!.type === 'f32') return sign(x!);
  return selectOf(operation('greater', x!, int(0)), int(1), selectOf(operation('less', x!, int(0)), int(-1), int(0)));
};

/** What each elementwise primitive is, lane by lane. */
export const elementwiseRules: Readonly<Record<ElementwiseName, Rule>> = {
  neg: wrapping(plain('neg')),
  exp: first(exp),
  expm1: first(expm1),
  log: first(log),
  log1p: first(log1p),
  sqrt: plain('sqrt'),
  rsqrt: first(rsqrt),
  sin: first(sin),
  cos: first(cos),
  tanh: first(tanh),
  erf: first(erf),
  sigmoid: first(sigmoid),
  floor: plain('floor'),
  round: plain('round'),
  abs: plain('abs'),
  sign: signOf,
  not: plain('not'),
  add: wrapping(plain('add')),
  sub: wrapping(plain('sub')),
  mul: wrapping(plain('mul')),
  div: wrapping(plain('div')),
  pow: ([a, b]) => pow(a!, b!),
  max: plain('max'),
  min: plain('min'),
  mod: ([a, b]) => (a!.type === 'f32' ? modFloat(a!, b!) : modInt(a!, b!)),
  shiftLeft: plain('shiftLeft'),
  shiftRight: plain('shiftRight'),
  shiftRightLogical: plain('shiftRightLogical'),
  and: plain('and'),
  or: plain('or'),
  xor: plain('xor'),
  equal: plain('equal'),
  notEqual: plain('notEqual'),
  less: plain('less'),
  lessEqual: plain('lessEqual'),
  greater: plain('greater'),
  greaterEqual: plain('greaterEqual'),
  select: ([condition, a, b]) => selectOf(condition!, a!, b!),
  cast: ([x], node) => castTo(x!, node.inputs[0]!.dtype, node.dtype),
  identity: ([x]) => x!,
  stopGradient: ([x]) => x!,
};

/** The number `value` as a lane of `dtype` holds it. */
export const literal = (value: number, dtype: Node['dtype']): Expression =>
  dtype === 'float32'
    ? float(Math.fround(value))
    : constantOf(
        dtype === 'bool' ? Number(value !== 0) : dtype === 'uint8' ? value & 255 : value | 0,
        scalarTypeOf(dtype),
      );
