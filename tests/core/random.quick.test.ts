import assert from 'node:assert/strict';
import test from 'node:test';
import {
  bernoulli,
  compile,
  HostRandom,
  normal,
  normalFrom,
  Parameter,
  philox4x32,
  randomBits,
  streamOf,
  type Tensor,
  tensor,
  uniform,
} from '../../src/core/index.js';
import { onEachDevice } from '../devices.js';

const key = (seed: number, step = 0, index = 0): Tensor => tensor([seed, step, index], { dtype: 'int32' });
const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: ArrayLike<number>): number => {
  const middle = mean(values);
  return Math.sqrt(mean(Array.from(values, (v) => (v - middle) ** 2)));
};

test('streamOf is FNV-1a', () => {
  // http://www.isthe.com/chongo/src/fnv/test_fnv.c, fnv1a_32
  assert.deepEqual([streamOf(''), streamOf('a'), streamOf('foobar')], [0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  assert.notEqual(streamOf('ä'), streamOf('a'));
});

test('bits are those of Philox, sixteen neighbours from four blocks side by side', () => {
  const seen = randomBits(key(7, 3, 2), [40], { stream: 9 }).dataSync();
  for (let e = 0; e < 40; e++) {
    const block = Math.floor(e / 16) * 4 + (e % 4);
    assert.equal(seen[e], philox4x32([block, 3, 2, 0], [7, 9])[Math.floor(e / 4) % 4]! | 0, `element ${e}`);
  }
});

test('every device, eager and compiled, draws the same', () => {
  const draw = (k: Tensor) => [
    uniform(k, [3, 7], { stream: 5 }),
    uniform(k, [33], { stream: 5, low: -2, high: 2 }),
    bernoulli(k, [50], { stream: 6, probability: 0.25 }),
  ];
  const expected = draw(key(1, 2, 3)).map((x) => x.toArray());
  onEachDevice((device) => {
    assert.deepEqual(
      draw(key(1, 2, 3)).map((x) => x.toArray()),
      expected,
      device,
    );
    assert.deepEqual(
      compile(draw)(key(1, 2, 3)).map((x) => x.toArray()),
      expected,
      device,
    );
  });
});

test('seed, step, scan index and stream each give other numbers', () => {
  const draws = [
    uniform(key(1), [8]),
    uniform(key(2), [8]),
    uniform(key(1, 1), [8]),
    uniform(key(1, 0, 1), [8]),
    uniform(key(1), [8], { stream: 1 }),
  ].map((x) => String(x.dataSync()));
  assert.equal(new Set(draws).size, draws.length);
});

test('a key may be a Parameter that a step counts up', () => {
  const state = new Parameter('key', [3], { dtype: 'int32', trainable: false });
  state.assign(key(4));
  const step = compile(() => {
    const drawn = uniform(state, [4]);
    state.assign(state.value.add(tensor([0, 1, 0], { dtype: 'int32' })));
    return drawn;
  });
  for (let i = 0; i < 3; i++) assert.deepEqual(step().toArray(), uniform(key(4, i), [4]).toArray());
});

test('uniform, bernoulli and normal numbers have their moments', () => {
  const n = 20000;
  const u = uniform(key(5), [n]).dataSync();
  assert.ok(u.every((v) => v >= 0 && v < 1));
  assert.ok(Math.abs(mean(u) - 0.5) < 0.01 && Math.abs(deviation(u) - Math.sqrt(1 / 12)) < 0.01);
  const b = bernoulli(key(5), [n], { probability: 0.2, stream: 1 });
  assert.equal(b.dtype, 'bool');
  assert.ok(Math.abs(mean(b.dataSync()) - 0.2) < 0.01);
  const z = normalFrom(key(5), [n], { stream: 2 }).dataSync();
  assert.ok(Math.abs(mean(z)) < 0.03 && Math.abs(deviation(z) - 1) < 0.02);
  assert.ok(Math.max(...z) > 3 && Math.max(...z) < 6);
});

test('host draws: the same seed and stream give the same, and ranges and moments are right', () => {
  const n = 20000;
  const of = (seed: number, stream: string | number): HostRandom => new HostRandom(seed, stream);
  assert.deepEqual(of(1, 'dense/kernel').normal(5), of(1, streamOf('dense/kernel')).normal(5));
  assert.notDeepEqual(of(1, 'dense/kernel').uniform(5), of(1, 'dense/bias').uniform(5));
  assert.notDeepEqual(of(1, 'a').uniform(5), of(2, 'a').uniform(5));
  const u = of(3, 0).uniform(n);
  assert.ok(u.every((v) => v >= 0 && v < 1) && Math.abs(mean(u) - 0.5) < 0.01);
  const z = of(3, 1).normal(n);
  assert.ok(Math.abs(mean(z)) < 0.03 && Math.abs(deviation(z) - 1) < 0.02);
  const t = of(3, 2).truncatedNormal(n);
  assert.ok(t.every((v) => Math.abs(v) <= 2) && Math.abs(deviation(t) - 0.8796) < 0.02);
  assert.deepEqual([of(0, 0).normal(3).length, of(0, 0).truncatedNormal(0).length], [3, 0]);
});

test('draws follow one another', () => {
  const whole = new HostRandom(1, 'x').uniform(7);
  const parts = new HostRandom(1, 'x');
  assert.deepEqual([...parts.uniform(3), ...parts.uniform(4)], [...whole]);
});

test('host draws never meet those of programs', () => {
  const host = new HostRandom(7, 9).uniform(1)[0]!;
  const words = philox4x32([0, 0, 0, 0], [7, 9]);
  const program = ((words[0]! >>> 5) * 2 ** 26 + (words[1]! >>> 6)) * 2 ** -53;
  assert.notEqual(host, program);
});

test('permutation has each number once, in every order alike', () => {
  const order = new HostRandom(1, 'shuffle').permutation(100);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
  const seen = new Map<string, number>();
  const random = new HostRandom(2, 'shuffle');
  for (let i = 0; i < 6000; i++) {
    const text = random.permutation(3).join('');
    seen.set(text, (seen.get(text) ?? 0) + 1);
  }
  assert.equal(seen.size, 6);
  for (const [text, count] of seen) assert.ok(Math.abs(count - 1000) < 130, `${text}: ${count}`);
});

test('normal and uniform by seed', () => {
  assert.deepEqual(normal([2, 3], { seed: 1 }).toArray(), normal([2, 3], { seed: 1 }).toArray());
  assert.notDeepEqual(normal([2, 3], { seed: 1 }).toArray(), normal([2, 3], { seed: 2 }).toArray());
  const x = uniform([1000], { seed: 3, low: -1, high: 3 }).dataSync();
  assert.ok(x.every((v) => v >= -1 && v < 3) && Math.abs(mean(x) - 1) < 0.1);
  const z = normal([5000], { mean: 10, deviation: 2 }).dataSync();
  assert.ok(Math.abs(mean(z) - 10) < 0.2 && Math.abs(deviation(z) - 2) < 0.1);
});
