import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, stack, type Tensor, tensor, valueAndGrad } from '../../src/core/index.js';
import * as nn from '../../src/nn/index.js';
import {
  type ActivationName,
  activations,
  BatchNorm,
  type Context,
  Conv2D,
  Conv2DTranspose,
  Conv3D,
  Dense,
  DepthwiseConv2D,
  Layer,
  LayerNorm,
  training,
} from '../../src/nn/index.js';
import { onEachDevice } from '../devices.js';
import { checkLayer, type LayerRow } from './check-layer.js';
import { goldenOf } from './golden.js';
import { recurrentRows } from './recurrent-rows.js';

/** Convolution by its definition: shifted pictures times one kernel element each. x is padded already. */
function convolution(x: Tensor, kernel: Tensor, [height, width]: readonly [number, number], stride = 1): Tensor {
  const [rows, columns] = kernel.shape as readonly [number, number];
  const terms = Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    const seen = x.slice(
      undefined,
      [i, i + (height - 1) * stride + 1, stride],
      [j, j + (width - 1) * stride + 1, stride],
    );
    return seen.matmul(kernel.slice(i, j));
  });
  return terms.reduce((sum, term) => sum.add(term));
}

const normalized = (x: Tensor, axis: readonly number[]): Tensor =>
  x.sub(x.mean({ axis, keepDims: true })).div(x.variance({ axis, keepDims: true }).add(1e-3).sqrt());

const rows: readonly LayerRow[] = [
  {
    note: 'dense',
    make: () => new Dense(3, 4, { activation: 'tanh' }),
    builder: nn.dense(4, { activation: 'tanh' }),
    x: { shape: [2, 3] },
    output: [4],
    parameters: { kernel: [3, 4], bias: [4] },
    formula: (x, { kernel, bias }) => x.expandDims(2).mul(kernel!).sum({ axis: 1 }).add(bias!).tanh(),
  },
  {
    note: 'dense on the last of three axes, without a bias',
    make: () => new Dense(3, 4, { useBias: false }),
    builder: nn.dense(4, { useBias: false }),
    x: { shape: [2, 5, 3] },
    output: [5, 4],
    parameters: { kernel: [3, 4] },
    formula: (x, { kernel }) => x.expandDims(3).mul(kernel!).sum({ axis: 2 }),
  },
  {
    note: 'conv2d',
    make: () => new Conv2D(2, 4, [3, 2], { activation: 'sigmoid' }),
    builder: nn.conv2d(4, [3, 2], { activation: 'sigmoid' }),
    x: { shape: [2, 5, 6, 2] },
    output: [3, 5, 4],
    parameters: { kernel: [3, 2, 2, 4], bias: [4] },
    formula: (x, { kernel, bias }) => convolution(x, kernel!, [3, 5]).add(bias!).sigmoid(),
  },
  {
    note: 'conv2d, same padding and strides, two groups',
    make: () => new Conv2D(4, 6, 3, { padding: 'same', strides: 2, groups: 2, useBias: false }),
    builder: nn.conv2d(6, 3, { padding: 'same', strides: 2, groups: 2, useBias: false }),
    x: { shape: [1, 5, 5, 4] },
    output: [3, 3, 6],
    parameters: { kernel: [3, 3, 2, 6] },
    formula: (x, { kernel }) => {
      const padded = x.padConstant({ low: [0, 1, 1, 0], high: [0, 1, 1, 0] });
      const group = (g: number): Tensor =>
        convolution(
          padded.slice(undefined, undefined, undefined, [2 * g, 2 * g + 2]),
          kernel!.slice(undefined, undefined, undefined, [3 * g, 3 * g + 3]),
          [3, 3],
          2,
        );
      return concat([group(0), group(1)], { axis: -1 });
    },
  },
  {
    note: 'depthwise conv2d',
    make: () => new DepthwiseConv2D(3, 2, { depthMultiplier: 2 }),
    builder: nn.depthwiseConv2d(2, { depthMultiplier: 2 }),
    x: { shape: [2, 4, 3, 3] },
    output: [3, 2, 6],
    parameters: { kernel: [2, 2, 3, 2], bias: [6] },
    formula: (x, { kernel, bias }) =>
      concat(
        [0, 1, 2].map((c) =>
          convolution(
            x.slice(undefined, undefined, undefined, [c, c + 1]),
            kernel!.slice(undefined, undefined, [c, c + 1]),
            [3, 2],
          ),
        ),
        { axis: -1 },
      ).add(bias!),
  },
  {
    note: 'conv2d transpose',
    make: () => new Conv2DTranspose(2, 3, 3, { strides: 2 }),
    builder: nn.conv2dTranspose(3, 3, { strides: 2 }),
    x: { shape: [2, 3, 2, 2] },
    output: [7, 5, 3],
    parameters: { kernel: [3, 3, 3, 2], bias: [3] },
    // zeros between and around the pixels, and the kernel turned round
    formula: (x, { kernel, bias }) =>
      convolution(
        x.padConstant({ low: [0, 2, 2, 0], high: [0, 2, 2, 0], interior: [0, 1, 1, 0] }),
        kernel!.flip([0, 1]).transpose([0, 1, 3, 2]),
        [7, 5],
      ).add(bias!),
  },
  {
    note: 'max pooling',
    make: () => new nn.MaxPool2D(2),
    builder: nn.maxPool2d(2),
    x: { shape: [2, 4, 5, 3] },
    output: [2, 2, 3],
    formula: (x) =>
      x
        .slice(undefined, undefined, [0, 4])
        .reshape([2, 2, 2, 2, 2, 3])
        .max({ axis: [2, 4] }),
  },
  {
    note: 'average pooling',
    make: () => new nn.AveragePool2D([2, 1]),
    builder: nn.averagePool2d([2, 1]),
    x: { shape: [2, 4, 3, 3] },
    output: [2, 3, 3],
    formula: (x) => x.reshape([2, 2, 2, 3, 3]).mean({ axis: 2 }),
  },
  {
    note: 'global average pooling',
    make: () => new nn.GlobalAveragePool2D(),
    builder: nn.globalAveragePool2d(),
    x: { shape: [2, 4, 3, 3] },
    output: [3],
    formula: (x) => x.reshape([2, 12, 3]).mean({ axis: 1 }),
  },
  {
    note: 'conv3d',
    make: () => new Conv3D(2, 3, [2, 3, 2], { activation: 'sigmoid' }),
    builder: nn.conv3d(3, [2, 3, 2], { activation: 'sigmoid' }),
    x: { shape: [2, 3, 5, 4, 2] },
    output: [2, 3, 3, 3],
    parameters: { kernel: [2, 3, 2, 2, 3], bias: [3] },
    // a picture at a time: the depth's offsets are sums of convolutions over pictures
    formula: (x, { kernel, bias }) => {
      const picture = (z: number, c: number): Tensor =>
        convolution(x.slice(undefined, z + c), kernel!.slice(c), [3, 3]);
      return stack(
        [0, 1].map((z) => picture(z, 0).add(picture(z, 1))),
        { axis: 1 },
      )
        .add(bias!)
        .sigmoid();
    },
  },
  {
    note: 'max pooling of volumes',
    make: () => new nn.MaxPool3D(2),
    builder: nn.maxPool3d(2),
    x: { shape: [2, 4, 2, 5, 3] },
    output: [2, 1, 2, 3],
    formula: (x) =>
      x
        .slice(undefined, undefined, undefined, [0, 4])
        .reshape([2, 2, 2, 1, 2, 2, 2, 3])
        .max({ axis: [2, 4, 6] }),
  },
  {
    note: 'average pooling of volumes',
    make: () => new nn.AveragePool3D([2, 1, 2]),
    builder: nn.averagePool3d([2, 1, 2]),
    x: { shape: [2, 4, 3, 2, 3] },
    output: [2, 3, 1, 3],
    formula: (x) => x.reshape([2, 2, 2, 3, 1, 2, 3]).mean({ axis: [2, 5] }),
  },
  {
    note: 'flatten',
    make: () => new nn.Flatten(),
    builder: nn.flatten(),
    x: { shape: [2, 2, 3, 2] },
    output: [12],
    formula: (x) => x.reshape([2, 12]),
  },
  {
    note: 'reshape',
    make: () => new nn.Reshape([-1, 4]),
    builder: nn.reshape([-1, 4]),
    x: { shape: [2, 2, 6] },
    output: [3, 4],
    formula: (x) => x.reshape([2, 3, 4]),
  },
  {
    note: 'zero padding',
    make: () =>
      new nn.ZeroPadding2D([
        [1, 2],
        [0, 3],
      ]),
    builder: nn.zeroPadding2d([
      [1, 2],
      [0, 3],
    ]),
    x: { shape: [2, 2, 3, 2] },
    output: [5, 6, 2],
    formula: (x) => x.padConstant({ low: [0, 1, 0, 0], high: [0, 2, 3, 0] }),
  },
  {
    note: 'dropout at inference',
    make: () => new nn.Dropout(0.5),
    builder: nn.dropout(0.5),
    x: { shape: [2, 6] },
    output: [6],
    parameters: { key: [3] },
    formula: (x) => x,
  },
  {
    note: 'activation',
    make: () => new nn.Activation('softplus'),
    builder: nn.activation('softplus'),
    x: { shape: [2, 6] },
    output: [6],
    formula: (x) => x.exp().add(1).log(),
  },
  {
    note: 'batch norm at inference',
    make: () => new BatchNorm(3),
    builder: nn.batchNorm(),
    x: { shape: [4, 2, 2, 3] },
    output: [2, 2, 3],
    parameters: { gamma: [3], beta: [3], moving_mean: [3], moving_variance: [3] },
    formula: (x, { gamma, beta, ...moving }) =>
      x.sub(moving['moving_mean']!).div(moving['moving_variance']!.add(1e-3).sqrt()).mul(gamma!).add(beta!),
  },
  {
    note: 'batch norm in training, without scale and centre',
    make: () => new BatchNorm(3, { scale: false, center: false }),
    builder: nn.batchNorm({ scale: false, center: false }),
    x: { shape: [4, 2, 2, 3] },
    output: [2, 2, 3],
    parameters: { moving_mean: [3], moving_variance: [3] },
    context: training,
    formula: (x) => normalized(x, [0, 1, 2]),
  },
  {
    note: 'layer norm',
    make: () => new LayerNorm(5),
    builder: nn.layerNorm(),
    x: { shape: [4, 2, 5] },
    output: [2, 5],
    parameters: { gamma: [5], beta: [5] },
    formula: (x, { gamma, beta }) => normalized(x, [2]).mul(gamma!).add(beta!),
  },
  {
    note: 'embedding',
    make: () => new nn.Embedding(6, 3),
    builder: nn.embedding(6, 3),
    x: { shape: [2, 4], dtype: 'int32', low: 0, high: 5 },
    output: [4, 3],
    parameters: { embeddings: [6, 3] },
    formula: (x, { embeddings }) =>
      x
        .expandDims(2)
        .equal(x.expandDims(2).broadcastTo([2, 4, 6]).indices(2))
        .cast('float32')
        .matmul(embeddings!),
  },
];

for (const row of rows) checkLayer(row);

test('each layer has a row', () => {
  const covered = new Set([...rows, ...recurrentRows].map(({ make }) => make().constructor));
  // models, branches and what runs cells have tests of their own, and cells are tested in their layers
  const elsewhere: readonly unknown[] = [Layer, nn.Sequential, nn.Model, nn.Combine, nn.Recurrent, nn.Cell];
  const isCell = (each: unknown): boolean => typeof each === 'function' && each.prototype instanceof nn.Cell;
  const missing = Object.values(nn as Record<string, unknown>).filter(
    (each) =>
      typeof each === 'function' &&
      each.prototype instanceof Layer &&
      !elsewhere.includes(each) &&
      !isCell(each) &&
      !covered.has(each),
  );
  assert.deepEqual(missing, []);
});

/** x · Φ(x), with Φ from tables of the normal distribution. */
const gelus = new Map([
  [-2, -0.04550026389635842],
  [-0.5, -0.1542687694],
  [0, 0],
  [0.5, 0.3457312306],
  [3, 2.9959503059],
  [8, 8],
]);
const elu = (x: number, alpha: number): number => (x < 0 ? alpha * Math.expm1(x) : x);
const total = [-2, -0.5, 0, 0.5, 3, 8].reduce((sum, x) => sum + Math.exp(x), 0);

const formulas: Readonly<Record<ActivationName, (x: number) => number>> = {
  linear: (x) => x,
  relu: (x) => Math.max(0, x),
  relu6: (x) => Math.min(6, Math.max(0, x)),
  leakyRelu: (x) => (x < 0 ? 0.2 * x : x),
  elu: (x) => elu(x, 1),
  selu: (x) => 1.0507009873554805 * elu(x, 1.6732632423543772),
  gelu: (x) => gelus.get(x)!,
  silu: (x) => x / (1 + Math.exp(-x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  hardSigmoid: (x) => Math.min(1, Math.max(0, x / 6 + 0.5)),
  tanh: Math.tanh,
  softplus: (x) => Math.log1p(Math.exp(x)),
  softsign: (x) => x / (1 + Math.abs(x)),
  exponential: Math.exp,
  softmax: (x) => Math.exp(x) / total,
  logSoftmax: (x) => x - Math.log(total),
};

for (const [name, formula] of Object.entries(formulas)) {
  checkLayer({
    note: `activation ${name}`,
    make: () => new nn.Activation(name as ActivationName),
    builder: nn.activation(name as ActivationName),
    x: { shape: [1, 6], values: [-2, -0.5, 0, 0.5, 3, 8] },
    output: [6],
    formula: (x) => tensor(x.dataSync().map(formula as (x: number) => number), { shape: [1, 6] }),
    noGradient: 'kinks at 0; the ops have their own rows',
  });
}

test('each activation has a row', () => assert.deepEqual(Object.keys(formulas), Object.keys(activations)));

for (const golden of goldenOf('layerNorm')) {
  test(`${golden.name} as PyTorch`, () => {
    const { epsilon } = golden.options as { epsilon: number };
    const gamma = golden.input('gamma');
    const layer = new LayerNorm(gamma.shape, { epsilon });
    layer.gamma!.assign(gamma);
    layer.beta!.assign(golden.input('beta'));
    onEachDevice(() => {
      const x = golden.input('x');
      const { gradients } = valueAndGrad(
        () => layer.forward(x).mul(golden.input('dy')).sum(),
        [x, layer.gamma!, layer.beta!],
      );
      golden.check('y', layer.forward(x), golden.output('y'));
      for (const [i, name] of ['x', 'gamma', 'beta'].entries())
        golden.check(`gradient of ${name}`, gradients[i]!, golden.gradient(name));
    });
  });
}

for (const golden of goldenOf('batchNorm')) {
  test(`${golden.name} as PyTorch`, () => {
    const { mode, ...options } = golden.options as { epsilon: number; momentum: number } & Context;
    const gamma = golden.input('gamma');
    const layer = new BatchNorm(gamma.shape[0]!, options);
    onEachDevice(() => {
      layer.gamma!.assign(gamma);
      layer.beta!.assign(golden.input('beta'));
      layer.movingMean.assign(golden.input('mean'));
      layer.movingVariance.assign(golden.input('variance'));
      const x = golden.input('x');
      const { value, gradients } = valueAndGrad(
        () => layer.forward(x, { mode }).mul(golden.input('dy')).sum(),
        [x, layer.gamma!, layer.beta!],
      );
      value.item();
      if (mode === 'training') {
        golden.check('moving mean', layer.movingMean.value, golden.output('newMean'));
        golden.check('moving variance', layer.movingVariance.value, golden.output('newVariance'));
      }
      golden.check('y', layer.forward(x, { mode }), golden.output('y'));
      for (const [i, name] of ['x', 'gamma', 'beta'].entries())
        golden.check(`gradient of ${name}`, gradients[i]!, golden.gradient(name));
    });
  });
}
