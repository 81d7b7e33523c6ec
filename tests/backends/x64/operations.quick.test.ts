import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code, MachineOp } from '../../../src/backends/machine/index.js';
import { compiled, machines, Region } from './compiled.js';
import { bitsOf, Evaluator, floatOf } from './evaluator.js';

const integers = [
  0, 1, -1, 2, 3, 7, 31, 32, 33, 100, 255, 256, 65_535, -65_536, 0x7fffffff, -0x80000000, 0x12345678, -77,
];
const floats = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3.25, 1e-40, -1e-45, 1e30, -1e38, 2 ** 31, -(2 ** 31)],
  ...[2 ** 31 - 128, 3e9, -3e9, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 8388609, 0.1],
];

const comparisons = 'equal notEqual less lessEqual greater greaterEqual'.split(' ');
const integerBinary = ['add', 'sub', 'mul', 'mulHigh', 'and', 'or', 'xor', 'min', 'max', ...comparisons];
const floatBinary = ['add', 'sub', 'mul', 'div', 'min', 'max', ...comparisons];
const floatUnary = ['neg', 'abs', 'sqrt', 'floor', 'round'];
const shifts = ['shiftLeft', 'shiftRight', 'shiftRightLogical'];

type Kind = 'i32' | 'f32';
interface Row {
  readonly op: MachineOp;
  readonly operands: readonly Kind[];
  readonly result: Kind;
}
const row = (op: string, operands: readonly Kind[], result: Kind): Row => ({ op: op as MachineOp, operands, result });
const isComparison = (name: string): boolean => comparisons.includes(name);

const scalarRows: readonly Row[] = [
  ...[
    ...integerBinary,
    'divSigned',
    'divUnsigned',
    'remUnsigned',
    'lessUnsigned',
    'greaterEqualUnsigned',
    ...shifts,
  ].map((name) => row(`i32.${name}`, ['i32', 'i32'], 'i32')),
  row('i32.isZero', ['i32'], 'i32'),
  row('i32.toFloat', ['i32'], 'f32'),
  ...floatBinary.map((name) => row(`f32.${name}`, ['f32', 'f32'], isComparison(name) ? 'i32' : 'f32')),
  ...floatUnary.map((name) => row(`f32.${name}`, ['f32'], 'f32')),
  row('f32.toInt', ['f32'], 'i32'),
];
const vectorRows: readonly Row[] = [
  ...integerBinary.map((name) => row(`vector.i32.${name}`, ['i32', 'i32'], 'i32')),
  row('vector.i32.neg', ['i32'], 'i32'),
  row('vector.i32.abs', ['i32'], 'i32'),
  row('vector.i32.toFloat', ['i32'], 'f32'),
  ...floatBinary.map((name) => row(`vector.f32.${name}`, ['f32', 'f32'], isComparison(name) ? 'i32' : 'f32')),
  ...floatUnary.map((name) => row(`vector.f32.${name}`, ['f32'], 'f32')),
  row('vector.f32.toInt', ['f32'], 'i32'),
  row('vector.f32.madd', ['f32', 'f32', 'f32'], 'f32'),
  ...['and', 'or', 'xor'].map((name) => row(`vector.${name}`, ['i32', 'i32'], 'i32')),
  row('vector.not', ['i32'], 'i32'),
];

/** Equal up to which NaN it is, and for the smaller or larger of two zeros, which of them. */
function isSame(op: string, kind: Kind, actual: number, expected: number): boolean {
  if (actual === expected) return true;
  if (kind === 'i32') return false;
  const [a, b] = [floatOf(actual), floatOf(expected)];
  return (Number.isNaN(a) && Number.isNaN(b)) || (/min|max/.test(op) && a === 0 && b === 0);
}

const isTrap = (op: string, b: number, a: number): boolean =>
  /div|rem/.test(op) && op.startsWith('i32') && (b === 0 || (op === 'i32.divSigned' && b === -1 && a === -0x80000000));

for (const lanes of machines) {
  const region = new Region(1 << 20);
  const memory = new DataView(new ArrayBuffer(1 << 16));
  const [left, right, third, to] = [4096, 8192, 12_288, 16_384];

  const check = (name: string, kind: Kind, count: number, op: string, body: (code: Code) => void): void => {
    const code = compiled(lanes, region, (f) => {
      body(f);
      f.i32(0);
    });
    try {
      new Uint8Array(memory.buffer).set(new Uint8Array(region.view.buffer, 0, 24_576));
      code.run();
      new Evaluator(lanes, [], [], memory).run(body);
      for (let i = 0; i < count; i++) {
        const [actual, expected] = [region.view.getInt32(to + 4 * i, true), memory.getInt32(to + 4 * i, true)];
        if (isSame(op, kind, actual, expected)) continue;
        const inputs = [left, right, third].map((at) => memory.getInt32(at + 4 * i, true));
        assert.fail(
          `${name} lane ${i}: got ${actual} (${floatOf(actual)}), expected ${expected} (${floatOf(expected)}); of ${inputs.join()} (${inputs.map(floatOf).join()})\n${code.listing.slice(0, 3000)}`,
        );
      }
    } finally {
      code.free();
    }
  };

  const put = (at: number, kind: Kind, values: readonly number[]): void =>
    values.forEach((value, i) => {
      region.view.setInt32(at + 4 * i, kind === 'i32' ? value : bitsOf(value), true);
    });

  test(`${lanes} lanes: vector operations on edge values, as the machine has them`, () => {
    for (const { op, operands, result } of vectorRows) {
      const all = operands.map((kind) => (kind === 'i32' ? integers : floats));
      const pairs = all[0]!.flatMap((a) => (all[1] ?? [0]).map((b) => [a, b] as const));
      const count = Math.ceil(pairs.length / lanes) * lanes;
      const some = Array.from({ length: count }, (_, i) => pairs[i % pairs.length]!);
      put(
        left,
        operands[0]!,
        some.map(([a]) => a),
      );
      if (operands[1])
        put(
          right,
          operands[1],
          some.map(([, b]) => b),
        );
      if (operands[2])
        put(
          third,
          operands[2],
          some.map(([a, b], i) => (i % 3 === 0 ? -a * b : i % 3 === 1 ? a : 0.3)),
        );
      check(`${op} of loads`, result, count, op, (code) => {
        for (let at = 0; at < 4 * count; at += 4 * lanes) {
          code.i32(to + at);
          operands.forEach((_, i) => code.i32([left, right, third][i]! + at).load('vector'));
          code.op(op).store('vector');
        }
      });
    }
  });

  test(`${lanes} lanes: vector operations of constants and of the same register twice`, () => {
    put(left, 'f32', floats.slice(0, lanes));
    for (const { op, operands, result } of vectorRows) {
      if (operands.length < 2) continue;
      put(left, operands[0]!, (operands[0] === 'i32' ? integers : floats).slice(0, lanes));
      const constant = (code: Code): Code =>
        code.vector(operands[1]!, (lane) => (operands[1] === 'i32' ? lane * 77 - 100 : lane / 4 - 1));
      check(`${op} with a constant`, result, lanes, op, (code) => {
        code.i32(to).i32(left).load('vector');
        constant(code);
        if (operands[2]) code.vector('f32', 2.5);
        code.op(op).store('vector');
      });
      check(`${op} of a constant`, result, lanes, op, (code) => {
        code.i32(to);
        constant(code);
        code.i32(left).load('vector');
        if (operands[2]) code.vector('f32', 2.5);
        code.op(op).store('vector');
      });
      check(`${op} with a uniform constant`, result, lanes, op, (code) => {
        code.i32(to).i32(left).load('vector').vector(operands[1]!, 3);
        if (operands[2]) code.i32(left).load('splat', 8);
        code.op(op).store('vector');
      });
      check(`${op} with itself`, result, lanes, op, (code) => {
        const x = code.local('vector');
        code.i32(left).load('vector').set(x).i32(to);
        for (const _ of operands) code.get(x);
        code.op(op).store('vector').free(x);
      });
    }
  });

  test(`${lanes} lanes: scalar operations on edge values`, () => {
    for (const { op, operands, result } of scalarRows) {
      const [first, second] = operands.map((kind) => (kind === 'i32' ? integers : floats));
      const pairs = first!
        .flatMap((a) => (second ?? [0]).map((b) => [a, b] as const))
        .filter(([a, b]) => !isTrap(op, b, a));
      const count = Math.min(pairs.length, 240);
      const step = pairs.length / count;
      const some = Array.from({ length: count }, (_, i) => pairs[Math.floor(i * step)]!);
      put(
        left,
        operands[0]!,
        some.map(([a]) => a),
      );
      if (operands[1])
        put(
          right,
          operands[1],
          some.map(([, b]) => b),
        );
      check(op, result, count, op, (code) => {
        for (let i = 0; i < count; i++) {
          code
            .i32(to + 4 * i)
            .i32(left + 4 * i)
            .load(operands[0]!);
          if (operands[1]) code.i32(right + 4 * i).load(operands[1]);
          code.op(op).store(result);
        }
      });
    }
  });

  test(`${lanes} lanes: scalar operations with constants on either side`, () => {
    for (const { op, operands, result } of scalarRows) {
      if (operands.length < 2) continue;
      const values = operands[0] === 'i32' ? integers : floats;
      const few = values.slice(0, 13);
      put(left, operands[0]!, few);
      const push = (code: Code, value: number): Code => (operands[0] === 'i32' ? code.i32(value) : code.f32(value));
      check(op, result, 2 * few.length, op, (code) => {
        few.forEach((_, i) => {
          const constant = values[(i * 5 + 1) % values.length]!;
          if (!isTrap(op, constant, few[i]!)) {
            code
              .i32(to + 8 * i)
              .i32(left + 4 * i)
              .load(operands[0]!);
            push(code, constant).op(op).store(result);
          }
          if (isTrap(op, few[i]!, constant)) return;
          code.i32(to + 8 * i + 4);
          push(code, constant)
            .i32(left + 4 * i)
            .load(operands[0]!)
            .op(op)
            .store(result);
        });
      });
    }
  });

  test(`${lanes} lanes: quotients by constants`, () => {
    const divisors = [
      1, 2, 3, 5, 6, 7, 9, 10, 11, 25, 28, 100, 125, 641, 1000, 6_700_417, 0x7fffffff, -1, -2, -5, 12_345_678,
    ];
    const numbers = [...integers, 123_456_789, -2, -3, 641 * 1000 - 1];
    put(left, 'i32', numbers);
    check('quotients', 'i32', divisors.length * numbers.length, 'div', (code) => {
      divisors.forEach((divisor, d) => {
        numbers.forEach((_, i) => {
          const at = 4 * (d * numbers.length + i);
          code
            .i32(to + at)
            .i32(left + 4 * i)
            .load('i32')
            .i32(divisor)
            .op('i32.divUnsigned');
          code
            .i32(left + 4 * i)
            .load('i32')
            .i32(divisor)
            .op('i32.remUnsigned')
            .i32(1_000_003)
            .op('i32.mul')
            .op('i32.add')
            .store('i32');
        });
      });
    });
  });

  test(`${lanes} lanes: shifts, selects, splats, lanes in and out, sums and transposes`, () => {
    put(left, 'i32', integers.slice(0, lanes));
    put(right, 'f32', floats.slice(1, lanes + 1));
    put(third, 'i32', integers.slice(2, lanes + 2));
    for (const name of shifts)
      for (const count of [0, 1, 5, 31, 32, 33, -1])
        for (const isKnown of [true, false])
          check(`vector.i32.${name} by ${count}`, 'i32', lanes, '', (code) => {
            code.i32(to).i32(left).load('vector');
            if (isKnown) code.i32(count);
            else code.i32(1000).i32(count).store('i32').i32(1000).load('i32');
            code.op(`vector.i32.${name}` as MachineOp).store('vector');
          });
    for (const compare of ['i32.less', 'f32.less', 'i32.notEqual', 'f32.equal'])
      check(`select ${compare}`, 'i32', lanes, '', (code) => {
        code.i32(to).i32(left).load('vector').i32(right).load('vector');
        code
          .i32(left)
          .load('vector')
          .i32(third)
          .load('vector')
          .op(`vector.${compare}` as MachineOp);
        code.op('vector.select').store('vector');
      });
    check('select by combined masks', 'i32', lanes, '', (code) => {
      const [a, b] = [code.local('vector'), code.local('vector')];
      code.i32(left).load('vector').set(a).i32(right).load('vector').set(b);
      code.i32(to).get(a).get(b);
      code
        .get(a)
        .get(b)
        .op('vector.i32.less')
        .get(b)
        .get(b)
        .op('vector.f32.notEqual')
        .get(a)
        .get(a)
        .op('vector.f32.equal');
      code.op('vector.and').op('vector.or').get(a).get(b).op('vector.f32.greater').op('vector.not').op('vector.xor');
      code
        .get(a)
        .vector('i32', 0)
        .op('vector.i32.greater')
        .get(b)
        .vector('f32', 1)
        .op('vector.f32.less')
        .get(a)
        .vector('i32', 9)
        .op('vector.i32.less');
      code.op('vector.and').op('vector.or').op('vector.or').op('vector.select').store('vector').free(a).free(b);
    });
    check('a mask twice', 'i32', 2 * lanes, '', (code) => {
      const [mask, a] = [code.local('vector'), code.local('vector')];
      code.i32(left).load('vector').tee(a).i32(third).load('vector').op('vector.i32.greaterEqual').set(mask);
      code.i32(to).get(a).i32(right).load('vector').get(mask).op('vector.select').store('vector');
      code
        .i32(to + 4 * lanes)
        .i32(right)
        .load('vector')
        .get(a)
        .get(mask)
        .op('vector.select')
        .store('vector')
        .free(mask)
        .free(a);
    });
    check('splat', 'i32', lanes, '', (code) =>
      code.i32(to).i32(left).load('i32', 8).op('vector.i32.splat').store('vector'),
    );
    for (let lane = 0; lane < lanes; lane++) {
      for (const type of ['i32', 'f32'] as const) {
        const from = type === 'i32' ? left : right;
        check(`extract ${lane}`, type, 1, '', (code) =>
          code.i32(to).i32(from).load('vector').extractLane(type, lane).store(type),
        );
        check(`replace ${lane}`, type, lanes, '', (code) => {
          code.i32(to).i32(from).load('vector').i32(third).load(type).replaceLane(type, lane).store('vector');
        });
      }
    }
    put(
      right,
      'f32',
      Array.from({ length: 16 }, (_, i) => 1 / (i + 3)),
    );
    check('sumLanes', 'f32', 1, '', (code) => code.i32(to).i32(right).load('vector').sumLanes().store('f32'));
    for (let i = 0; i < lanes * lanes; i++) region.view.setInt32(20_480 + 4 * i, i * 1000 + 7, true);
    check('transpose', 'i32', lanes * lanes, '', (code) => {
      const rows = Array.from({ length: lanes }, () => code.local('vector'));
      rows.forEach((row, i) =>
        code
          .i32(20_480 + i * 4 * lanes)
          .load('vector')
          .set(row),
      );
      code.transpose(rows);
      rows.forEach((row, i) =>
        code
          .i32(to + i * 4 * lanes)
          .get(row)
          .store('vector'),
      );
      for (const local of rows) code.free(local);
    });
  });

  test(`${lanes} lanes: scalar selects by every comparison`, () => {
    const rows = [
      ...comparisons.flatMap((name) => [`i32.${name}`, `f32.${name}`]),
      'i32.lessUnsigned',
      'i32.greaterEqualUnsigned',
    ];
    const pairs = [
      [1, 2],
      [2, 1],
      [3, 3],
      [-1, 1],
      [1, -1],
      [Number.NaN, 1],
      [1, Number.NaN],
      [0, -0],
    ] as const;
    for (const type of ['i32', 'f32'] as const)
      for (const compare of rows) {
        const kind = compare.slice(0, 3) as Kind;
        put(
          left,
          kind,
          pairs.map(([a]) => a),
        );
        put(
          right,
          kind,
          pairs.map(([, b]) => b),
        );
        for (const form of ['plain', 'not', 'if'] as const)
          check(`${type} select by ${form} ${compare}`, type, pairs.length, '', (code) => {
            pairs.forEach((_, i) => {
              const result = code.local(type);
              const [a, b] =
                type === 'i32'
                  ? [() => code.i32(10 + i), () => code.i32(-i)]
                  : [() => code.f32(1.5 + i), () => code.f32(-i)];
              const compareNow = (): void => {
                code
                  .i32(left + 4 * i)
                  .load(kind)
                  .i32(right + 4 * i)
                  .load(kind)
                  .op(compare as MachineOp);
                if (form === 'not') code.op('i32.isZero');
              };
              if (form === 'if') {
                compareNow();
                code.if_(
                  () => a(),
                  () => b(),
                  type,
                );
              } else {
                a();
                b();
                compareNow();
                code.select();
              }
              code
                .set(result)
                .i32(to + 4 * i)
                .get(result)
                .store(type)
                .free(result);
            });
          });
      }
  });
}
