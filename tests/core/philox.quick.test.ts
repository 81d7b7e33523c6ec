import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { philox4x32, philoxMultipliers, philoxWeyl } from '../../src/core/philox.js';

// Known answers of Random123 1.14.0, tests/kat_vectors, lines "philox4x32 10".
const knownAnswers = [
  {
    counter: '00000000 00000000 00000000 00000000',
    key: '00000000 00000000',
    draws: '6627e8d5 e169c58d bc57ac4c 9b00dbd8',
  },
  {
    counter: 'ffffffff ffffffff ffffffff ffffffff',
    key: 'ffffffff ffffffff',
    draws: '408f276d 41c83b0e a20bc7c6 6d5451fd',
  },
  {
    counter: '243f6a88 85a308d3 13198a2e 03707344',
    key: 'a4093822 299f31d0',
    draws: 'd16cfe09 94fdcceb 5001e420 24126ea1',
  },
];
const words = (hex: string): number[] => hex.split(' ').map((word) => Number.parseInt(word, 16));

for (const { counter, key, draws } of knownAnswers) {
  test(`philox4x32-10 of ${counter} is the published ${draws}`, () => {
    assert.deepEqual([...philox4x32(words(counter), words(key))], words(draws));
  });
}

test('philox4x32-10 equals the formula in exact integers', () => {
  const word = fc.nat({ max: 0xffffffff });
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
      assert.deepEqual([...philox4x32(counter, key)], exactPhilox(counter, key));
    }),
    { numRuns: 200 },
  );
});

function exactPhilox(counter: readonly number[], key: readonly number[]): number[] {
  let [a, b, c, d] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  const mask = 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const p0 = BigInt(philoxMultipliers[0]) * a;
    const p1 = BigInt(philoxMultipliers[1]) * c;
    [a, b, c, d] = [(p1 >> 32n) ^ b ^ k0, p1 & mask, (p0 >> 32n) ^ d ^ k1, p0 & mask];
    k0 = (k0 + BigInt(philoxWeyl[0])) & mask;
    k1 = (k1 + BigInt(philoxWeyl[1])) & mask;
  }
  return [a, b, c, d].map(Number);
}
