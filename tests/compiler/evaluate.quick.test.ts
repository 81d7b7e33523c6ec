import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constantAffine, variable } from '../../src/compiler/affine.js';
import { evaluate } from '../../src/compiler/evaluate.js';
import {
  constantOf,
  type Expression,
  float,
  int,
  operation,
  type ScalarOp,
  selectOf,
} from '../../src/compiler/expression.js';
import { closureOf } from './closure.js';
import { numbers, swept } from './math-sweep.js';

const truth = (value: number): Expression => constantOf(value, 'bool');
const nan = Number.NaN;

/** [operation, operands, value] */
const rows: readonly (readonly [ScalarOp, readonly [Expression, ...Expression[]], number])[] = [
  ['add', [float(16777216), float(1)], 16777216],
  ['add', [int(2147483647), int(1)], -2147483648],
  ['sub', [int(-2147483648), int(1)], 2147483647],
  ['mul', [int(65537), int(65537)], 131073],
  ['mul', [float(3e38), float(10)], Number.POSITIVE_INFINITY],
  ['div', [int(-7), int(2)], -3],
  ['div', [int(7), int(0)], 0],
  ['div', [int(-2147483648), int(-1)], -2147483648],
  ['div', [float(1), float(3)], Math.fround(1 / 3)],
  ['min', [float(nan), float(1)], nan],
  ['max', [float(1), float(nan)], nan],
  ['min', [float(0), float(-0)], -0],
  ['neg', [float(0)], -0],
  ['neg', [int(-2147483648)], -2147483648],
  ['abs', [int(-2147483648)], -2147483648],
  ['sqrt', [float(2)], Math.fround(Math.SQRT2)],
  ['floor', [float(-0.5)], -1],
  ['round', [float(2.5)], 2],
  ['round', [float(-3.5)], -4],
  ['round', [float(-0.4)], -0],
  ['round', [float(8388609)], 8388609],
  ['shiftLeft', [int(1), int(33)], 2],
  ['shiftRight', [int(-8), int(1)], -4],
  ['shiftRightLogical', [int(-1), int(0)], -1],
  ['shiftRightLogical', [int(-1), int(28)], 15],
  ['and', [int(12), int(10)], 8],
  ['or', [truth(0), truth(1)], 1],
  ['xor', [truth(1), truth(1)], 0],
  ['not', [truth(0)], 1],
  ['equal', [float(nan), float(nan)], 0],
  ['notEqual', [float(nan), float(nan)], 1],
  ['less', [int(-1), int(0)], 1],
  ['lessEqual', [float(0), float(-0)], 1],
  ['greater', [float(1), float(nan)], 0],
  ['greaterEqual', [int(3), int(3)], 1],
  ['mulHigh', [int(-1), int(-1)], -2],
  ['toFloat', [int(16777217)], 16777216],
  ['toFloat', [truth(1)], 1],
  ['toInt', [float(-2.9)], -2],
  ['toInt', [float(3e9)], 2147483647],
  ['toInt', [float(-3e9)], -2147483648],
  ['toInt', [float(nan)], 0],
  ['toBool', [float(nan)], 1],
  ['toBool', [int(0)], 0],
  ['floatBits', [int(0x3f800000)], 1],
  ['intBits', [float(-0)], -2147483648],
];

test('each operation has the semantics that its name promises', () => {
  for (const [op, operands, value] of rows) {
    const computed = evaluate(operation(op, ...operands));
    const text = `${op}(${operands.map((e) => (e.kind === 'constant' ? e.value : e.kind)).join(', ')})`;
    assert.ok(Object.is(computed, value), `${text} is ${computed}, not ${value}`);
    assert.equal(Number(closureOf(operation(op, ...operands))()), computed, text);
  }
});

test('leaves take their values from the surroundings', () => {
  const i: Expression = { kind: 'index', type: 'i32', index: variable('i') };
  const x: Expression = {
    kind: 'load',
    type: 'f32',
    access: {
      buffer: 2,
      dtype: 'float32',
      address: constantAffine(5),
      dynamic: [{ value: operation('add', i, int(1)), stride: 3, extent: 9, outside: 'clamp', where: 'test' }],
    },
  };
  const sum: Expression = { kind: 'accumulator', type: 'f32', number: 1 };
  const guarded: Expression = {
    kind: 'guard',
    type: 'f32',
    bounds: [{ index: variable('i'), extent: 4 }],
    inside: x,
    outside: -1,
  };
  const expression = operation('add', selectOf(operation('less', i, int(100)), guarded, sum), sum);
  const at = (position: number): number =>
    evaluate(expression, {
      load: ({ buffer, address }, [dynamic]) => buffer * 100 + address.constant * 10 + dynamic!,
      index: (affine) => affine.constant + (affine.terms['i'] ?? 0) * position,
      accumulators: [0, 0.5],
    });
  assert.equal(at(3), 254.5);
  assert.equal(at(4), -0.5);
  assert.equal(at(-1), -0.5);
  assert.equal(at(100), 1);
});

test('what the caller gave no value for is said', () => {
  assert.throws(() => evaluate({ kind: 'accumulator', type: 'f32', number: 2 }), {
    message: 'evaluate: the expression has accumulator 2, for which the caller gave no value',
  });
});

test('closures for sweeps compute what evaluate() computes', () => {
  for (const name of ['exp', 'log1p', 'erf', 'tanh', 'cos'] as const) {
    const { computed, expression } = swept.find((f) => f.name === name)!;
    for (const value of numbers(200, 5))
      assert.ok(Object.is(computed(value, 0), evaluate(expression, { accumulators: [value] })));
  }
});
