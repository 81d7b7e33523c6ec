import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../../src/compiler/evaluate.js';
import { type Expression, int, walk } from '../../src/compiler/expression.js';
import * as math from '../../src/compiler/math.js';
import { philox4x32 } from '../../src/core/philox.js';
import { primitives } from '../../src/core/primitives/index.js';
import { closureOf } from './closure.js';
import { edges, numbers, swept, ulpsBetween, worstOf } from './math-sweep.js';

const f32 = (number: number): Expression => ({ kind: 'accumulator', type: 'f32', number });
const i32 = (number: number): Expression => ({ kind: 'accumulator', type: 'i32', number });
const [a, b] = [f32(0), f32(1)];
const infinity = Number.POSITIVE_INFINITY;
const nan = Number.NaN;

for (const f of swept) {
  test(`${f.name} is within 4 ulp of float64`, () => {
    const { ulps, at } = worstOf(f, 200_000);
    assert.ok(ulps <= 4, `${f.name}(${at.join(', ')}) is wrong by ${ulps} ulp`);
  });
}

/** Where the value is exact by IEEE 754 and C99: [x, f(x)]. −0 and NaN count. */
const special: Readonly<Record<string, readonly (readonly [x: number, y: number])[]>> = {
  exp: [[0, 1], [-0, 1], [infinity, infinity], [-infinity, 0], [nan, nan], [89, infinity], [-104, 0]],
  expm1: [[0, 0], [-0, -0], [infinity, infinity], [-infinity, -1], [nan, nan], [2 ** -149, 2 ** -149]],
  log: [[1, 0], [0, -infinity], [-0, -infinity], [infinity, infinity], [-1, nan], [-infinity, nan], [nan, nan]],
  log1p: [[0, 0], [-0, -0], [-1, -infinity], [infinity, infinity], [-2, nan], [-infinity, nan], [nan, nan]],
  tanh: [[0, 0], [-0, -0], [infinity, 1], [-infinity, -1], [nan, nan], [2 ** -149, 2 ** -149], [9.02, 1]],
  sigmoid: [[0, 0.5], [-0, 0.5], [infinity, 1], [-infinity, 0], [nan, nan]],
  erf: [[0, 0], [-0, -0], [infinity, 1], [-infinity, -1], [nan, nan], [4, 1], [-3e38, -1]],
  rsqrt: [[0, infinity], [-0, -infinity], [infinity, 0], [-1, nan], [nan, nan], [4, 0.5]],
  sin: [[0, 0], [-0, -0], [infinity, nan], [-infinity, nan], [nan, nan]],
  cos: [[0, 1], [-0, 1], [infinity, nan], [-infinity, nan], [nan, nan]],
}; // biome-ignore format: a table

test('functions of one number keep zeros, infinities and NaN as C99 has them', () => {
  for (const f of swept.filter(({ name }) => name !== 'pow')) {
    for (const [x, y] of special[f.name]!) {
      const computed = f.computed(Math.fround(x), 0);
      assert.ok(Object.is(computed, y), `${f.name}(${x}) is ${computed}, not ${y}`);
    }
  }
});

test('odd functions are odd to the bit, and bounded ones keep their bounds', () => {
  const odd: readonly string[] = ['tanh', 'erf', 'sin'];
  const bounded: readonly string[] = ['tanh', 'erf', 'sin', 'cos', 'sigmoid'];
  for (const f of swept) {
    for (const x of numbers(20_000, 3)) {
      const y = f.computed(x, 0);
      if (bounded.includes(f.name)) assert.ok(!(Math.abs(y) > 1), `${f.name}(${x}) = ${y}`);
      if (!odd.includes(f.name) || Math.abs(x) > (f.within ?? infinity)) continue;
      assert.ok(Object.is(f.computed(-x, 0), -y), `${f.name}(${x}) = ${y}, ${f.name}(${-x}) = ${f.computed(-x, 0)}`);
    }
  }
});

test('pow has the special cases of C99', () => {
  const pow = swept.find(({ name }) => name === 'pow')!;
  const bases = [...edges, nan, -8, 8, -2.5, 2.5];
  const exponents = [0, -0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, 2 ** 23 + 1, 2 ** 24, 2 ** 25, 3e38, infinity, nan];
  for (const x of bases) {
    for (const y of [...exponents, ...exponents.map((e) => -e)].map(Math.fround)) {
      const [computed, exact] = [pow.computed(x, y), pow.reference(x, y)];
      const isExact = !Number.isFinite(exact) || exact === 0 || Math.abs(exact) === 1;
      const ulps =
        isExact && Object.is(exact, Math.fround(exact)) && !Object.is(computed, exact)
          ? infinity
          : ulpsBetween(computed, exact);
      assert.ok(ulps <= 4, `pow(${x}, ${y}) is ${computed}, not ${exact}`);
    }
  }
});

test('sign is −1, 1, or the number itself where it is ±0 or NaN', () => {
  const sign = closureOf(math.sign(a));
  for (const x of [...edges, nan]) assert.ok(Object.is(sign(x), Math.sign(x)));
});

test('the remainder of floats has the sign of the divisor and is exact while the quotient is below 2²⁴', () => {
  const mod = closureOf(math.modFloat(a, b));
  const one = (value: number) => ({ shape: [1], dtype: 'float32' as const, data: Float64Array.of(value) });
  const exact = (x: number, y: number): number =>
    Number(primitives.mod.reference([one(x), one(y)], {}, { shape: [1], dtype: 'float32' })[0]);
  const others = numbers(100_000, 8);
  let compared = 0;
  for (const x of numbers(100_000, 7)) {
    const y = others.next().value as number;
    const quotient = Math.abs(x / y);
    if (quotient >= 2 ** 24 || Math.abs(x) > 2 ** 126) continue;
    compared++;
    const [computed, expected] = [mod(x, y), Math.fround(exact(x, y))];
    assert.ok(Object.is(computed + 0, expected + 0), `${x} mod ${y} is ${computed}, not ${expected}`);
  }
  assert.ok(compared > 30_000);
  for (const [x, y, rest] of [
    [5.5, 2, 1.5], [-5.5, 2, 0.5], [5.5, -2, -0.5], [-5.5, -2, -1.5], [3, infinity, 3], [-3, infinity, infinity],
    [3, -infinity, -infinity], [1, 0, nan], [0, 0, nan], [infinity, 2, nan], [infinity, infinity, nan], [nan, 1, nan], [1, nan, nan],
  ] as const) assert.ok(Object.is(mod(x, y), rest), `${x} mod ${y} is ${mod(x, y)}, not ${rest}`); // biome-ignore format: a table
  for (const x of edges) {
    const rest = mod(x, 0.1);
    assert.ok(!Number.isFinite(x) || (rest >= 0 && rest <= Math.fround(0.1)), `${x} mod 0.1 is ${rest}`);
  }
});

test('the remainder of integers has the sign of the divisor, and is 0 for the divisor 0', () => {
  const mod = closureOf(math.modInt(i32(0), i32(1)));
  const ends = [-2147483648, -2147483647, -7, -1, 0, 1, 2, 7, 2147483647];
  for (const x of ends) for (const y of ends) assert.equal(mod(x, y), y === 0 ? 0 : x - Math.floor(x / y) * y);
});

test('Philox as an expression gives the words of the core', () => {
  const [seed, step, index, stream] = [0x9abcdef0 | 0, 77, -5, 0x87654321];
  const word = closureOf(math.randomWord(i32(0), i32(1), i32(2), i32(3), stream));
  for (const element of [...Array.from({ length: 64 }, (_, e) => e), 1_000_003, 2147483647]) {
    const block = (element >>> 4) * 4 + (element & 3);
    const expected = philox4x32([block, step, index, 0], [seed, stream])[(element >>> 2) & 3]! | 0;
    assert.equal(word(element, seed, step, index), expected);
  }
  const words = math.philox(int(3), int(4), int(5), int(6), 7).map((w) => evaluate(w));
  assert.deepEqual(
    words,
    [...philox4x32([3, 4, 5, 0], [6, 7])].map((w) => w | 0),
  );
});

test('functions stay as short as inner loops want them', () => {
  const longest = { exp: 29, log: 38, tanh: 34, sigmoid: 36, erf: 42, rsqrt: 2 };
  const count = (root: Expression): number =>
    walk([root]).filter((e) => e.kind === 'select' || (e.kind === 'operation' && !e.op.endsWith('Bits'))).length;
  for (const [name, most] of Object.entries(longest)) {
    const operations = count(swept.find((f) => f.name === name)!.expression);
    assert.ok(operations <= most, `${name} takes ${operations} operations, ${most} were granted`);
  }
});
