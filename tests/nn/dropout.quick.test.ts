import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, ones, type Tensor, valueAndGrad } from '../../src/core/index.js';
import { Dropout, dropout, inference, initialize, sequential, training } from '../../src/nn/index.js';
import { onEachDevice } from '../devices.js';

const size = 20_000;
const one = (rate: number, seed = 0): Dropout => {
  const layer = new Dropout(rate);
  initialize(layer, { seed });
  return layer;
};
const drop = (layer: Dropout): Float32Array => layer.forward(ones([size]), training).dataSync() as Float32Array;
const zerosIn = (values: ArrayLike<number>): number => Array.from(values).filter((value) => value === 0).length;

test('drops as many as the rate says, and what is left keeps the mean', () => {
  for (const rate of [0.1, 0.25, 0.5, 0.9]) {
    const values = drop(one(rate));
    // five standard deviations of a binomial distribution
    const slack = 5 * Math.sqrt(size * rate * (1 - rate));
    assert.ok(Math.abs(zerosIn(values) - size * rate) < slack, `rate ${rate}: ${zerosIn(values)} zeros`);
    assert.deepEqual([...new Set(values)].sort(), [0, Math.fround(1 / (1 - rate))]);
  }
});

test('each step drops others; the same seed drops the same, on each device', () => {
  const seen = new Set<string>();
  onEachDevice(() => {
    const layer = one(0.5, 3);
    const steps = [drop(layer), drop(layer)];
    assert.deepEqual([...layer.key.value.dataSync()], [3, 2, 0]);
    assert.notDeepEqual(steps[0], steps[1]);
    seen.add(steps.map((step) => step.join()).join());
  });
  assert.equal(seen.size, 1);
  assert.notDeepEqual(drop(one(0.5, 3)), drop(one(0.5, 4)));
});

test('two layers of one model drop independently', () => {
  const model = sequential({ input: [size] }, [dropout(0.5), dropout(0.5)]);
  const dropped = zerosIn(model.forward(ones([1, size]), training).dataSync());
  assert.ok(Math.abs(dropped - 0.75 * size) < 5 * Math.sqrt(size * 0.75 * 0.25), `${dropped}`);
});

test('compiled steps go on with the key, which is never part of the program', () => {
  const eager = one(0.5);
  const compiled = one(0.5);
  const step = compile((x: Tensor) => compiled.forward(x, training));
  for (let i = 0; i < 3; i++) assert.deepEqual(step(ones([size])).dataSync(), drop(eager));
  assert.equal(compiled.key.value.dataSync()[1], 3);
});

test('the gradient passes where the value did', () => {
  const layer = one(0.5);
  const x = ones([100]);
  const { value, gradients } = valueAndGrad(() => layer.forward(x, training).sum(), x);
  assert.ok(Math.abs(gradients.sum().item() - value.item()) < 1e-3);
  assert.deepEqual([...new Set(gradients.dataSync())].sort(), [0, 2]);
});

test('at inference, and at a rate of 0, nothing is dropped and the key stays', () => {
  const layer = one(0.5);
  const x = ones([8]);
  assert.equal(layer.forward(x), x);
  assert.equal(layer.forward(x, inference), x);
  assert.equal(one(0).forward(x, training), x);
  assert.deepEqual([...layer.key.value.dataSync()], [0, 0, 0]);
});
