/** Odd values: NaN, infinities, zeros of both signs, subnormals, integers that overflow, divisors of zero; and each dtype. */
import test from 'node:test';
import { type Tensor, tensor, useDevice } from '../../src/core/index.js';
import { agree, numbers, wasmWith } from './agree.js';

useDevice(wasmWith(1));

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
// 11 of them, and prefixes of 1 … 5 elements: in vectors, and as what is left over
const odd = [nan, inf, -inf, 0, -0, 1, -1, 0.5, -2.5, 3.4028234663852886e38, 1e-40];
const unaries = [
  'neg',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sqrt',
  'rsqrt',
  'sin',
  'cos',
  'tanh',
  'erf',
  'sigmoid',
  'floor',
  'ceil',
  'round',
  'abs',
  'sign',
  'square',
  'reciprocal',
  'isFinite',
  'isNaN',
  'isInf',
  'logicalNot',
  'relu',
] as const;
const binaries = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'maximum',
  'minimum',
  'mod',
  'floorDivide',
  'equal',
  'notEqual',
  'less',
  'lessEqual',
  'greater',
  'greaterEqual',
  'logicalAnd',
  'logicalOr',
  'logicalXor',
] as const;

const call = (x: Tensor, op: string, ...others: readonly Tensor[]): Tensor =>
  (x as unknown as Record<string, (...others: readonly Tensor[]) => Tensor>)[op]!(...others);
const outer = (values: readonly number[], dtype?: 'float32' | 'int32' | 'uint8'): [Tensor, Tensor] => {
  const x = tensor([...values], dtype && { dtype });
  return [x.reshape([values.length, 1]), x.reshape([1, values.length])];
};

for (const op of unaries) {
  // the reduction of great arguments loses digits: docs/numerics.md
  const values = op === 'sin' || op === 'cos' ? odd.filter((x) => !(Math.abs(x) > 1e5 && Number.isFinite(x))) : odd;
  test(`${op} of odd numbers`, () => {
    for (const count of [1, 2, 3, 4, 5, values.length])
      agree(op, () => [call(tensor(values.slice(0, count)), op), call(tensor(values.slice(-count)), op)]);
  });
}
for (const op of binaries) {
  test(`${op} of odd numbers`, () => agree(op, () => call(outer(odd)[0], op, outer(odd)[1])));
}

const integers = [0, 1, -1, 2, -2, 3, 7, -7, 255, 2147483647, -2147483648];
const bytes = [0, 1, 2, 3, 7, 127, 128, 200, 255];
const bitwise = ['and', 'or', 'xor'] as const;
const shifts = ['shiftLeft', 'shiftRight', 'shiftRightLogical'] as const;
for (const op of [...binaries, ...bitwise, ...shifts]) {
  test(`${op} of int32 and uint8`, () => {
    agree(`int32 ${op}`, () => call(outer(integers, 'int32')[0], op, outer(integers, 'int32')[1]));
    if (shifts.includes(op as 'shiftLeft')) return;
    agree(`uint8 ${op}`, () => call(outer(bytes, 'uint8')[0], op, outer(bytes, 'uint8')[1]));
    agree(`uint8 ${op} int32`, () => call(outer(bytes, 'uint8')[0], op, outer(integers, 'int32')[1]));
  });
}
for (const op of ['neg', 'abs', 'sign', 'square'] as const) {
  test(`${op} of int32 and uint8`, () =>
    agree(op, () => [call(tensor(integers, { dtype: 'int32' }), op), call(tensor(bytes, { dtype: 'uint8' }), op)]));
}

test('logic of bools', () => {
  agree('bools', () => {
    const [a, b] = [numbers([23], 'bool'), numbers([23], 'bool', 2)];
    return [
      a.and(b),
      a.or(b),
      a.xor(b),
      a.not(),
      a.equal(b),
      a.notEqual(b),
      a.less(b),
      a.add(b),
      a.mul(b),
      a.select(1, 2),
      a.select(b, a),
      a.sum(),
      a.any(),
      a.all(),
    ];
  });
});

test('casts', () => {
  const floats = [nan, inf, -inf, 0.5, -0.5, 1.99, -1.99, 300.7, -300.7, 3e9, -3e9, 2147483648];
  agree('from float32', () => {
    const x = tensor(floats);
    return [x.cast('int32'), x.cast('uint8'), x.cast('bool')];
  });
  agree('from int32', () => {
    const x = tensor(integers, { dtype: 'int32' });
    return [x.cast('float32'), x.cast('uint8'), x.cast('bool')];
  });
  agree('from uint8', () => {
    const x = tensor(bytes, { dtype: 'uint8' });
    return [x.cast('float32'), x.cast('int32'), x.cast('bool'), x.cast('int32').mul(1000).cast('uint8')];
  });
});

test('arithmetic of uint8 wraps around, and moves as bytes', () => {
  agree('uint8', () => {
    const [a, b] = [numbers([5, 7], 'uint8'), numbers([5, 7], 'uint8', 2)];
    return [
      a.add(b),
      a.sub(b),
      a.mul(b),
      a.maximum(b).minimum(100),
      a.max({ axis: 0 }),
      a.min({ axis: 1 }),
      a.argmax({ axis: 1 }),
      a.sum({ axis: 0 }),
      a.cumsum({ axis: 1 }),
      a.transpose(),
      a.flip(1),
      a.take(tensor(Int32Array.of(3, 0, 3))),
      a.scatterAdd(tensor(Int32Array.of(1, 1, 0, 1, 1)), { size: 2 }),
      a.padConstant({ low: [1, 0], high: [0, 2], value: 9 }),
      a.greater(b).select(a, b),
      numbers([6, 9], 'bool').transpose(),
      numbers([6, 9], 'bool').any({ axis: 0 }),
    ];
  });
});

test('NaN in reductions', () => {
  for (const at of [0, 1, 5, 30]) {
    agree(`NaN at ${at}`, () => {
      const x = numbers([31, 6]);
      const bad = x.indices(0).equal(at).select(nan, x);
      return [0, 1].flatMap((axis) => [
        bad.sum({ axis }),
        bad.max({ axis }),
        bad.min({ axis }),
        bad.argmax({ axis }),
        bad.argmin({ axis }),
      ]);
    });
  }
});

test('infinities in reductions', () => {
  for (const value of [inf, -inf]) {
    agree(`${value}`, () => {
      const x = tensor(value).broadcastTo([9, 5]);
      return [0, 1].flatMap((axis) => [
        x.max({ axis }),
        x.min({ axis }),
        x.argmax({ axis }),
        x.argmin({ axis }),
        x.sum({ axis }),
      ]);
    });
  }
});

test('the first of equals', () => {
  agree('ties', () => {
    const x = numbers([13, 9], 'int32').div(5).floor();
    return [x.argmax({ axis: 0 }), x.argmin({ axis: 1 }), x.argmax(), x.cast('int32').argmax({ axis: 1 })];
  });
});
