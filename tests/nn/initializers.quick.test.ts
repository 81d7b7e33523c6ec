import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostRandom, type Shape, sizeOf } from '../../src/core/index.js';
import { type Initializer, initializers, Layer } from '../../src/nn/index.js';
import { fansOf } from '../../src/nn/initializers.js';

interface Row {
  readonly note: string;
  readonly initializer: Initializer;
  readonly shape: Shape;
  readonly mean: number;
  readonly deviation: number;
  /** No value lies further from 0. */
  readonly limit?: number;
}

const kernel = [3, 3, 20, 40];
const [fanIn, fanOut] = [180, 360];
const average = (fanIn + fanOut) / 2;
const uniformOf = (variance: number): Pick<Row, 'mean' | 'deviation' | 'limit'> => ({
  mean: 0,
  deviation: Math.sqrt(variance),
  limit: Math.sqrt(3 * variance),
});
/** The normal ones are cut at two standard deviations of the distribution that is cut. */
const normalOf = (variance: number): Pick<Row, 'mean' | 'deviation' | 'limit'> => ({
  mean: 0,
  deviation: Math.sqrt(variance),
  limit: (2 * Math.sqrt(variance)) / 0.8796256610342398,
});

const rows: Readonly<Record<keyof typeof initializers, Row>> = {
  zeros: { note: 'zeros', initializer: initializers.zeros, shape: [4], mean: 0, deviation: 0 },
  ones: { note: 'ones', initializer: initializers.ones, shape: [4], mean: 1, deviation: 0 },
  constant: { note: 'constant', initializer: initializers.constant(0.1), shape: [4], mean: 0.1, deviation: 0 },
  glorotUniform: {
    note: '6 / (in + out)',
    initializer: initializers.glorotUniform,
    shape: kernel,
    ...uniformOf(1 / average),
  },
  glorotNormal: {
    note: '2 / (in + out)',
    initializer: initializers.glorotNormal,
    shape: kernel,
    ...normalOf(1 / average),
  },
  heUniform: { note: '6 / in', initializer: initializers.heUniform, shape: kernel, ...uniformOf(2 / fanIn) },
  heNormal: { note: '2 / in', initializer: initializers.heNormal, shape: kernel, ...normalOf(2 / fanIn) },
  lecunUniform: { note: '3 / in', initializer: initializers.lecunUniform, shape: kernel, ...uniformOf(1 / fanIn) },
  lecunNormal: { note: '1 / in', initializer: initializers.lecunNormal, shape: kernel, ...normalOf(1 / fanIn) },
  uniform: {
    note: '1 to 3',
    initializer: initializers.uniform({ low: 1, high: 3 }),
    shape: [9000],
    mean: 2,
    deviation: 2 / Math.sqrt(12),
    limit: 3,
  },
  normal: {
    note: 'mean 5',
    initializer: initializers.normal({ mean: 5, stddev: 2 }),
    shape: [9000],
    mean: 5,
    deviation: 2,
  },
  truncatedNormal: {
    note: 'cut at 2 deviations',
    initializer: initializers.truncatedNormal({ stddev: 0.1 }),
    shape: [9000],
    mean: 0,
    deviation: 0.1 * 0.8796256610342398,
    limit: 0.2,
  },
  orthogonal: {
    note: 'rows of norm 1',
    initializer: initializers.orthogonal(),
    shape: [60, 60],
    mean: 0,
    deviation: 1 / Math.sqrt(60),
  },
};

for (const [name, { note, initializer, shape, mean, deviation, limit }] of Object.entries(rows)) {
  test(`${name}: ${note}`, () => {
    const draw = { random: new HostRandom(1, name), seed: 1, fans: fansOf(shape) };
    const values = Array.from(initializer(shape, draw));
    const count = sizeOf(shape);
    assert.equal(values.length, count);
    const average_ = values.reduce((a, b) => a + b, 0) / count;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - average_) ** 2, 0) / count);
    // five standard errors, and a little for what is not random
    assert.ok(
      Math.abs(average_ - mean) <= (5 * deviation) / Math.sqrt(count) + 1e-12,
      `mean ${average_}, expected ${mean}`,
    );
    assert.ok(
      Math.abs(spread - deviation) <= (5 * deviation) / Math.sqrt(2 * count) + 1e-12,
      `deviation ${spread}, expected ${deviation}`,
    );
    if (limit !== undefined) assert.ok(values.every((value) => Math.abs(value) <= limit));
  });
}

test('orthogonal kernels: the fewer of rows and columns are orthonormal', () => {
  for (const shape of [
    [7, 4],
    [4, 7],
    [3, 3, 2, 5],
    [3, 4, 20],
  ]) {
    const values = initializers.orthogonal({ gain: 2 })(shape, {
      random: new HostRandom(2),
      seed: 2,
      fans: fansOf(shape),
    });
    const columns = shape.at(-1)!;
    const rowCount = sizeOf(shape) / columns;
    const at = (vector: number, i: number): number =>
      (rowCount >= columns ? values[i * columns + vector] : values[vector * columns + i])!;
    const [count, length] = [Math.min(rowCount, columns), Math.max(rowCount, columns)];
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        let dot = 0;
        for (let i = 0; i < length; i++) dot += at(a, i) * at(b, i);
        assert.ok(Math.abs(dot - (a === b ? 4 : 0)) < 1e-12, `[${shape}]: vectors ${a} and ${b}`);
      }
    }
  }
});

test('fans are counted as Keras counts them', () => {
  assert.deepEqual(fansOf([784, 128]), { in: 784, out: 128 });
  assert.deepEqual(fansOf([3, 3, 16, 32]), { in: 144, out: 288 });
  assert.deepEqual(fansOf([5]), { in: 5, out: 5 });
  assert.deepEqual(fansOf([]), { in: 1, out: 1 });
});

test('a parameter may say its own fans', () => {
  class Own extends Layer {
    readonly seen: unknown[] = [];
    readonly w = this.parameter('w', [1], (_, { fans }) => [this.seen.push(fans)], { fans: { in: 3, out: 4 } });
    forward(): never {
      throw new Error('not called');
    }
  }
  const layer = new Own();
  layer.entries()[0]!.initializer([1], { random: new HostRandom(0), seed: 0, fans: layer.entries()[0]!.fans! });
  assert.deepEqual(layer.seen, [{ in: 3, out: 4 }]);
});
