import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type HostArray, normal, Tensor, tensor } from '../../src/core/index.js';
import { permuteAxes } from '../../src/nn/host-array.js';
import {
  batchNorm,
  conv2d,
  conv2dTranspose,
  dense,
  depthwiseConv2d,
  dropout,
  embedding,
  flatten,
  getWeights,
  initialize,
  type Layer,
  maxPool2d,
  type Sequential,
  sequential,
  setWeights,
  type WeightLayout,
} from '../../src/nn/index.js';
import { assertNear } from './golden.js';
import '../devices.js';

const layouts: readonly WeightLayout[] = ['channelsLast', 'channelsFirst', 'torch', 'caffe'];

const shapesOf = (model: Layer, layout: WeightLayout): Record<string, string> =>
  Object.fromEntries(Object.entries(getWeights(model, { layout })).map(([path, { shape }]) => [path, `${shape}`]));

test('channels first, the weights of the lecture have its shapes', () => {
  const model = sequential({ input: [28, 28, 1] }, [
    conv2d(32, 3),
    conv2d(32, 3),
    maxPool2d(2),
    dropout(0.25),
    flatten(),
    dense(128),
    dropout(0.5),
    dense(10),
  ]);
  const rows = {
    'conv2d_1/kernel': '32,1,3,3',
    'conv2d_1/bias': '32',
    'conv2d_2/kernel': '32,32,3,3',
    'conv2d_2/bias': '32',
    'dense_1/kernel': '4608,128',
    'dense_1/bias': '128',
    'dense_2/kernel': '128,10',
    'dense_2/bias': '10',
  };
  assert.deepEqual(shapesOf(model, 'channelsFirst'), rows);
  const turned = { ...rows, 'dense_1/kernel': '128,4608', 'dense_2/kernel': '10,128' };
  assert.deepEqual(shapesOf(model, 'torch'), turned);
  assert.deepEqual(shapesOf(model, 'caffe'), turned);
  assert.deepEqual(shapesOf(model, 'channelsLast'), {
    ...rows,
    'conv2d_1/kernel': '3,3,1,32',
    'conv2d_2/kernel': '3,3,32,32',
  });
});

const mixed = (seed = 0): Sequential =>
  sequential({ input: [6, 5, 2], seed }, [
    depthwiseConv2d(2, { depthMultiplier: 2 }),
    conv2dTranspose(3, 2),
    conv2d(4, 3, { strides: 2 }),
    dropout(0.5),
    flatten(),
    batchNorm(),
    dense(3),
    dense(2),
  ]);

test('each kind of kernel has the shape that the layout gives it', () => {
  const { 'depthwise_conv2d_1/kernel': depthwise, 'conv2d_transpose_1/kernel': transposed } = shapesOf(
    mixed(),
    'torch',
  );
  assert.deepEqual([depthwise, transposed], ['4,1,2,2', '4,3,2,2']);
  const last = shapesOf(mixed(), 'channelsLast');
  assert.deepEqual([last['depthwise_conv2d_1/kernel'], last['conv2d_transpose_1/kernel']], ['2,2,2,2', '2,2,3,4']);
  const words = sequential({ input: [3], dtype: 'int32' }, [embedding(5, 2)]);
  for (const layout of layouts) assert.deepEqual(shapesOf(words, layout), { 'embedding_1/embeddings': '5,2' });
});

test('what follows a flattened picture counts its inputs channel by channel', () => {
  const model = mixed();
  const images = normal([2, 6, 5, 2]);
  const parts = Object.values(model.sublayers()) as Layer[];
  const picture = parts.slice(0, 4).reduce((x, layer) => layer.forward(x), images);
  const expected = parts.slice(4).reduce((x, layer) => layer.forward(x), picture);
  const weights = getWeights(model, { layout: 'torch' });
  const of = (path: string): Tensor => Tensor.fromHost(weights[path]!);
  // as PyTorch would: [batch, channels, height, width] flattened
  const rows = picture.transpose([0, 3, 1, 2]).reshape([2, -1]);
  const normalized = rows
    .sub(of('batch_normalization_1/moving_mean'))
    .div(of('batch_normalization_1/moving_variance').add(1e-3).sqrt())
    .mul(of('batch_normalization_1/gamma'))
    .add(of('batch_normalization_1/beta'));
  const hidden = normalized.matmul(of('dense_1/kernel').transpose()).add(of('dense_1/bias'));
  const result = hidden.matmul(of('dense_2/kernel').transpose()).add(of('dense_2/bias'));
  assertNear('torch', result, expected.toHost());
});

test('weights in any layout go round', () => {
  const from = mixed(1);
  const images = normal([2, 6, 5, 2]);
  const expected = from.forward(images).toHost();
  for (const layout of layouts) {
    const to = mixed(2);
    setWeights(to, getWeights(from, { layout }), { layout });
    assert.deepEqual(to.forward(images).toHost(), expected, layout);
    for (const other of layouts)
      assert.deepEqual(getWeights(to, { layout: other }), getWeights(from, { layout: other }));
  }
});

test('the same element order as a transpose on the device', () => {
  const shapeAndOrder = fc
    .array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 })
    .chain((shape) =>
      fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })),
    );
  fc.assert(
    fc.property(shapeAndOrder, ([shape, order]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const data = Float32Array.from({ length: size }, (_, i) => i);
      const host: HostArray = { dtype: 'float32', shape, data };
      const expected = tensor(data, { shape }).transpose(order);
      const actual = permuteAxes(host, order);
      assert.deepEqual(actual.shape, expected.shape);
      assert.deepEqual(actual.data, expected.dataSync());
    }),
    { numRuns: 100 },
  );
});

test('weights that do not fit are errors, and nothing is set', () => {
  const model = sequential({ input: [3] }, [dense(2), dense(4)]);
  const weights = getWeights(model);
  const before = JSON.stringify(weights);
  const other = sequential({ input: [3] }, [dense(2), dense(4)]);
  initialize(other, { seed: 9 });
  const own = getWeights(other);
  const attempt = (change: Record<string, HostArray | undefined>, layout: WeightLayout = 'channelsLast'): string => {
    const given = Object.fromEntries(
      Object.entries({ ...own, ...change }).filter((pair): pair is [string, HostArray] => pair[1] !== undefined),
    );
    try {
      setWeights(model, given, { layout });
    } catch (error) {
      assert.equal(JSON.stringify(getWeights(model)), before);
      return (error as Error).message;
    }
    return 'no error';
  };
  assert.equal(
    attempt({ 'dense_2/bias': undefined }),
    'setWeights: there are no weights for dense_2/bias\n  All 4 are set together.',
  );
  assert.equal(
    attempt({ 'dense_2/biases': own['dense_2/bias'] }),
    'setWeights: the model has no weights dense_2/biases\n  Did you mean dense_2/bias?',
  );
  assert.equal(
    attempt({ lstm: own['dense_2/bias'] }),
    'setWeights: the model has no weights lstm\n  It has dense_1/kernel, dense_1/bias, dense_2/kernel, dense_2/bias.',
  );
  assert.equal(
    attempt({}, 'torch'),
    'setWeights: dense_1/kernel is [2, 3] in layout torch: got [3, 2]\n' +
      "  Is layout the one the weights were saved in? In Kiln's own it is [3, 2].",
  );
  assert.equal(attempt({}), 'no error');
});
