import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traceFunction } from '../../src/core/execute.js';
import { compile, normal, type Parameter, type Tensor, tensor, valueAndGrad, zeros } from '../../src/core/index.js';
import {
  adam,
  add,
  BatchNorm,
  batchNorm,
  type Context,
  Conv2D,
  combine,
  concatenate,
  connect,
  conv2d,
  crossEntropy,
  Dense,
  dense,
  dropout,
  embedding,
  flatten,
  globalAveragePool2d,
  graph,
  inference,
  initialize,
  input,
  Layer,
  maxPool2d,
  meanSquaredError,
  multiply,
  reshape,
  type Sequential,
  sequential,
  trainableParameters,
  training,
  zeroPadding2d,
} from '../../src/nn/index.js';
import '../devices.js';

const messageOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    return (error as Error).message;
  }
  return 'no error';
};

const shapesOf = (model: Layer): Record<string, string> =>
  Object.fromEntries(Object.entries(model.parameters()).map(([path, { shape }]) => [path, `${shape}`]));

const small = () =>
  sequential({ input: [8, 8, 1] }, [
    conv2d(3, 3, { activation: 'relu' }),
    conv2d(2, 3),
    maxPool2d(2),
    dropout(0.25),
    flatten(),
    dense(5, { activation: 'relu' }),
    batchNorm(),
    dense(4),
  ]);

test('sequential names its layers and infers every size', () => {
  const model = small();
  assert.deepEqual(shapesOf(model), {
    'conv2d_1/kernel': '3,3,1,3',
    'conv2d_1/bias': '3',
    'conv2d_2/kernel': '3,3,3,2',
    'conv2d_2/bias': '2',
    'dropout_1/key': '3',
    'dense_1/kernel': '8,5',
    'dense_1/bias': '5',
    'batch_normalization_1/gamma': '5',
    'batch_normalization_1/beta': '5',
    'batch_normalization_1/moving_mean': '5',
    'batch_normalization_1/moving_variance': '5',
    'dense_2/kernel': '5,4',
    'dense_2/bias': '4',
  });
  assert.deepEqual(
    Object.entries(model.parameters()).map(([path, { name }]) => path === name),
    Object.keys(model.parameters()).map(() => true),
  );
  assert.deepEqual(
    Object.keys(model.parameters()).filter((path) => !(path in trainableParameters(model))),
    ['dropout_1/key', 'batch_normalization_1/moving_mean', 'batch_normalization_1/moving_variance'],
  );
  assert.deepEqual(model.forward(zeros([3, 8, 8, 1])).shape, [3, 4]);
});

test('names that were given stay, and are left out of the counting', () => {
  const model = sequential({ input: [2] }, [
    dense(3),
    dense(3, { name: 'dense_2' }),
    dense(3, { name: 'top' }),
    dense(3),
  ]);
  assert.deepEqual(Object.keys(model.sublayers()), ['dense_1', 'dense_2', 'top', 'dense_3']);
  assert.equal(
    messageOf(() => sequential({ input: [2] }, [dense(3, { name: 'a' }), dense(3, { name: 'a' })])),
    'sequential: has two members named a\n  Give one of them another name.',
  );
  assert.equal(
    messageOf(() => sequential({ input: [2] }, [dense(3, { name: 'a/b' })])),
    'sequential: "a/b" is not a name\n  A name has at least one character and no "/", which parts a path.',
  );
});

test('a layer with its sizes stands in a sequence as well, also a whole model', () => {
  const inner = sequential({ input: [4] }, [dense(3, { activation: 'relu' })]);
  const model = sequential({ input: [2] }, [new Dense(2, 4), inner, dense(1)]);
  assert.deepEqual(Object.keys(model.parameters()), [
    'dense_1/kernel',
    'dense_1/bias',
    'sequential_1/dense_1/kernel',
    'sequential_1/dense_1/bias',
    'dense_2/kernel',
    'dense_2/bias',
  ]);
  assert.equal(inner.parameters()['dense_1/kernel']!.name, 'sequential_1/dense_1/kernel');
  assert.deepEqual(model.forward(zeros([5, 2])).shape, [5, 1]);
});

test('errors name the layer whose input does not fit, when the model is built and when it runs', () => {
  assert.equal(
    messageOf(() => small().forward(zeros([2, 8, 8, 3]))),
    'conv2d_1: conv2d: input has 3 channels, kernel [3, 3, 1, 3] takes 1\n' +
      '  Load the images as grey (channels: 1), or build the layer for 3 channels.',
  );
  assert.equal(
    messageOf(() => sequential({ input: [4, 4, 1] }, [conv2d(8, 3), conv2d(8, 3)])),
    'conv2d_2: conv2d: kernel [3, 3] is larger than the padded input [2, 2] (3 > 2)\n' +
      "  Use padding 'same', a smaller kernel, or larger pictures.",
  );
  assert.equal(
    messageOf(() => sequential({ input: [8] }, [new Dense(9, 4)])),
    'dense_1: matmul: inner dimensions differ: [2, 8] × [9, 4] (8 ≠ 9)\n' +
      "  The left's last axis must equal the right's last but one. Was the layer built for 9 inputs?",
  );
  assert.equal(
    messageOf(() => sequential({ input: [28, 28] }, [conv2d(8, 3)])),
    'conv2d: a sample is [28, 28], takes [height, width, channels]\n' +
      '  Give it a channel axis: input: [28, 28, 1], or reshape([28, 28, 1]).',
  );
  assert.equal(
    messageOf(() => sequential({ input: [28, 28, 1] }, [flatten(), maxPool2d(2)])),
    'maxPool2d: a sample is [784], takes [height, width, channels]\n  Put it before flatten(), or reshape first.',
  );
  assert.equal(
    messageOf(() => sequential({ input: [] }, [dense(2)])),
    'dense: a sample is [], a single number\n  Give it an axis: reshape([1]).',
  );
  assert.equal(
    messageOf(() => sequential({ input: [12] }, [reshape([5, 2])])),
    'reshape_1: reshape: a sample of [12] as [5, 2] (12 elements, 10)\n' +
      '  The number of elements stays; one size may be -1. The batch is not part of the target.',
  );
  assert.equal(
    messageOf(() => zeroPadding2d(-1)(input([4, 4, 1]))),
    'zeroPadding2d: padding -1\n  Give an integer, [height, width], or [[top, bottom], [left, right]].',
  );
  assert.equal(
    messageOf(() => sequential({ input: [4] }, [dropout(1)])),
    'dropout: rate 1\n  The rate is the probability to drop an element: at least 0, below 1.',
  );
  const nested = sequential({ input: [2] }, [dense(3), sequential({ input: [3] }, [dense(2)])]);
  assert.match(
    messageOf(() => (nested.sublayers()['sequential_1'] as Layer).forward(zeros([1, 5]))),
    /^sequential_1\/dense_1: matmul: inner dimensions differ/,
  );
});

test('the stack of an error begins at the line that called the model', () => {
  const model = small();
  try {
    model.forward(zeros([2, 8, 8, 3]));
    assert.fail('no error');
  } catch (error) {
    const { stack, message } = error as Error;
    assert.ok(stack!.startsWith(`ShapeError: ${message}\n`), stack);
    assert.match(stack!.slice(message.length).split('\n')[1]!, /models\.quick\.test/);
  }
});

test('an unknown activation or initialiser is an error with a suggestion', () => {
  assert.equal(
    messageOf(() => new Dense(1, 1, { activation: 'rleu' as never })),
    'activation: there is no "rleu"\n  Did you mean \'relu\'?',
  );
  assert.equal(
    messageOf(() => new Dense(1, 1, { kernelInitializer: 'glorotuniform' as never })),
    'initializer: there is no "glorotuniform"\n  Did you mean \'glorotUniform\'?',
  );
  assert.equal(
    messageOf(() => new Dense(1, 1, { kernelInitializer: 'xavier' as never })),
    'initializer: there is no "xavier"\n  There are zeros, ones, glorotUniform, glorotNormal, heUniform, heNormal, lecunUniform, lecunNormal.',
  );
});

test('nodes of a graph carry the path of the layer that made them', () => {
  const model = sequential({ input: [2] }, [dense(3), sequential({ input: [3] }, [dense(2, { activation: 'relu' })])]);
  const { graph: made } = traceFunction((_, ...[x]: Tensor[]) => model.forward(x!), [zeros([1, 2])]);
  const labels = made.nodes.filter(({ inputs }) => inputs.length > 0).map(({ label }) => label);
  assert.deepEqual([...new Set(labels)], ['dense_1', 'sequential_1/dense_1']);
});

test('a functional graph has branches and skips, and counts its names over all of them', () => {
  const x = input([6, 6, 3]);
  const a = conv2d(4, 3, { padding: 'same', activation: 'relu' })(x);
  const b = conv2d(4, 3, { padding: 'same', name: 'side' })(a);
  const c = concatenate([add(a, b), multiply(a, b)]);
  const model = graph(x, dense(2)(globalAveragePool2d()(conv2d(5, 1)(c))));
  assert.deepEqual(shapesOf(model), {
    'conv2d_1/kernel': '3,3,3,4',
    'conv2d_1/bias': '4',
    'side/kernel': '3,3,4,4',
    'side/bias': '4',
    'conv2d_2/kernel': '1,1,8,5',
    'conv2d_2/bias': '5',
    'dense_1/kernel': '5,2',
    'dense_1/bias': '2',
  });
  const part = model.sublayers() as Record<string, Layer>;
  const images = normal([2, 6, 6, 3]);
  const first = part['conv2d_1']!.forward(images);
  const second = part['side']!.forward(first);
  const { gradients } = valueAndGrad(() => model.forward(images).sum(), model.parameters());
  assert.ok(Object.values(gradients).every((gradient) => gradient.abs().sum().item() > 0));
  const expected = part['dense_1']!.forward(
    part['global_average_pooling2d_1']!.forward(
      part['conv2d_2']!.forward(
        (part['concatenate_1'] as unknown as Layer<readonly Tensor[]>).forward([first.add(second), first.mul(second)]),
      ),
    ),
  );
  assert.deepEqual([...model.forward(images).dataSync()], [...expected.dataSync()]);
});

test('several inputs and outputs, in lists and by name; a layer that is applied twice shares its parameters', () => {
  const encoder = new Dense(3, 2);
  const [left, right] = [input([3]), input([3])];
  const [a, b] = [connect(encoder, left), connect(encoder, right)];
  const pair = graph([left, right], { distance: combine([a, b], (p, q) => p.sub(q).abs()), left: a });
  assert.deepEqual(Object.keys(pair.parameters()), ['dense_1/kernel', 'dense_1/bias']);
  const [p, q] = [normal([4, 3]), normal([4, 3], { seed: 1 })];
  const out = pair.forward([p, q]);
  assert.deepEqual([...out.left.dataSync()], [...encoder.forward(p).dataSync()]);
  assert.deepEqual([...out.distance.dataSync()], [...encoder.forward(p).sub(encoder.forward(q)).abs().dataSync()]);
  const words = input([5], { dtype: 'int32', name: 'words' });
  const named = graph({ words, left }, add(connect(encoder, left), dense(2)(flatten()(embedding(7, 2)(words)))));
  const result = named.forward({ words: zeros([4, 5], { dtype: 'int32' }), left: p });
  assert.deepEqual(result.shape, [4, 2]);
  // and a model of several inputs is a layer of another graph
  const outer = graph([left, right], connect(graph([left, right], add(a, b)), [left, right]));
  assert.deepEqual(outer.forward([p, q]).shape, [4, 2]);
});

test('mistakes in a functional graph are errors', () => {
  const x = input([4, 4, 2]);
  const other = input([4, 4, 3]);
  assert.equal(
    messageOf(() => add(x, other)),
    'add: branches differ: [4, 4, 2] and [4, 4, 3]\n  Bring them to one shape, for instance with a convolution of size 1.',
  );
  assert.equal(
    messageOf(() => add(x)),
    'add: got 1 branch\n  Give at least two.',
  );
  assert.equal(
    messageOf(() => graph(x, concatenate([x, other]))),
    'graph: the outputs depend on an input [4, 4, 3] that is not among the inputs\n' +
      '  Name every input() that is used: graph([a, b], y).',
  );
  assert.equal(
    messageOf(() => graph([x, other], concatenate([x, other])).forward([zeros([1, 4, 4, 2])] as never)),
    'model: takes 2 tensors: got 1\n  Give the tensors in the same structure as the inputs of graph().',
  );
  assert.equal(
    messageOf(() => graph(x, 3)),
    'graph: an output is a number\n  Outputs are what layers give when they are applied.',
  );
});

class Residual extends Layer {
  readonly conv = this.layer('conv', new Conv2D(2, 2, 3, { padding: 'same' }));
  readonly norm = this.layer('norm', new BatchNorm(2));
  readonly scale = this.parameter('scale', [2], 'ones');
  readonly tower = this.layers([new Dense(2, 3), new Dense(3, 2)]);

  forward(x: Tensor, context: Context = inference): Tensor {
    const y = x.add(this.norm.forward(this.conv.forward(x), context).mul(this.scale));
    return this.tower.reduce((value, layer) => layer.forward(value), y);
  }
}

test('an own class registers what it is made of', () => {
  const model = new Residual();
  initialize(model);
  assert.deepEqual(Object.keys(model.parameters()), [
    'conv/kernel',
    'conv/bias',
    'norm/gamma',
    'norm/beta',
    'norm/moving_mean',
    'norm/moving_variance',
    'scale',
    'dense_1/kernel',
    'dense_1/bias',
    'dense_2/kernel',
    'dense_2/bias',
  ]);
  assert.equal(model.kind, 'residual');
  assert.match(
    messageOf(() => model.forward(zeros([1, 4, 4, 3]))),
    /^conv: conv2d: input has 3 channels/,
  );
  const outer = sequential({ input: [4, 4, 2] }, [model, flatten(), dense(1)]);
  assert.equal(Object.keys(outer.parameters())[0], 'residual_1/conv/kernel');
  assert.equal(model.scale.name, 'residual_1/scale');
  const { gradients } = valueAndGrad(() => outer.forward(normal([2, 4, 4, 2]), training).sum(), outer.parameters());
  assert.deepEqual(gradients['residual_1/scale']!.shape, [2]);
  // part of a second model, it keeps the path of the first: random streams and messages stay
  sequential({ input: [4, 4, 2] }, [conv2d(2, 1), model]);
  assert.equal(model.path, 'residual_1');
});

class Broken extends Layer {
  readonly #returns: (x: Tensor) => unknown;
  constructor(returns: (x: Tensor) => unknown) {
    super();
    this.#returns = returns;
  }
  forward(x: Tensor): Tensor {
    return this.#returns(x) as Tensor;
  }
}

test('a class whose forward gives no batch is an error when the model is built', () => {
  assert.equal(
    messageOf(() => sequential({ input: [3] }, [new Broken((x) => x.sum({ axis: 0 }))])),
    'broken_1: forward turned a batch of 2 into [3]\n  The first axis is the batch and must stay.',
  );
  assert.equal(
    messageOf(() => sequential({ input: [3] }, [new Broken(() => undefined)])),
    'broken_1: forward returned undefined\n  A layer in a model returns one tensor.',
  );
});

const valuesOf = (model: Layer): Record<string, readonly number[]> =>
  Object.fromEntries(
    Object.entries(model.parameters()).map(([path, parameter]) => [path, [...parameter.value.dataSync()]]),
  );

test('first values follow from seed and path alone', () => {
  const model = small();
  const before = valuesOf(model);
  assert.deepEqual(valuesOf(small()), before);
  initialize(model, { seed: 1 });
  assert.notDeepEqual(valuesOf(model)['dense_1/kernel'], before['dense_1/kernel']);
  assert.deepEqual(valuesOf(model)['dropout_1/key'], [1, 0, 0]);
  initialize(model, { seed: 0 });
  assert.deepEqual(valuesOf(model), before);
  // whatever else there is, and in whatever order
  const other = sequential({ input: [8] }, [dense(5), dense(4, { name: 'dense_9' })]);
  assert.deepEqual(valuesOf(other)['dense_1/kernel'], before['dense_1/kernel']);
});

test('values that are there can be kept', () => {
  const model = sequential({ input: [2] }, [dense(2)]);
  const kernel = model.parameters()['dense_1/kernel'] as Parameter;
  kernel.assign(
    tensor([
      [1, 2],
      [3, 4],
    ]),
  );
  initialize(model, { seed: 5, keepExisting: true });
  assert.deepEqual([...kernel.value.dataSync()], [1, 2, 3, 4]);
  initialize(model, { seed: 5 });
  assert.notDeepEqual([...kernel.value.dataSync()], [1, 2, 3, 4]);
});

test('two parts of one structure begin differently; what was set or trained stays when it becomes a part', () => {
  const part = (): Sequential => sequential({ input: [2] }, [dense(2)]);
  const [a, b, loaded] = [part(), part(), part()];
  const kernelOf = (model: Sequential): number[] => [...model.parameters()['dense_1/kernel']!.value.dataSync()];
  assert.deepEqual(kernelOf(a), kernelOf(b));
  loaded.parameters()['dense_1/kernel']!.assign(
    tensor([
      [1, 2],
      [3, 4],
    ]),
  );
  const model = sequential({ input: [2] }, [a, b, loaded]);
  assert.notDeepEqual(kernelOf(a), kernelOf(b));
  assert.deepEqual(kernelOf(loaded), [1, 2, 3, 4]);
  const values = valuesOf(model);
  initialize(model, { seed: 3, keepExisting: true });
  assert.deepEqual(valuesOf(model), values);
});

test('a parameter without a value says what to do', () => {
  assert.equal(
    messageOf(() => new Dense(1, 1).forward(zeros([1, 1]))),
    'parameter kernel: has no value yet\n  Call initialize(model, { seed }) or load(model, file) before the first step.',
  );
});

test('an initialiser that gives too few values is an error', () => {
  const layer = new Dense(2, 2, { kernelInitializer: () => [1, 2] });
  initialize(layer);
  assert.equal(
    messageOf(() => layer.kernel.value),
    'kernel: the initializer gave 2 values for [2, 2] (2 ≠ 4)\n  An initializer returns a value for each element, row-major.',
  );
});

test('the step by hand of the README trains', () => {
  const model = sequential({ input: [4] }, [dense(8, { activation: 'relu' }), dropout(0.1), dense(3)]);
  const images = normal([12, 4]);
  const labels = images.slice(undefined, [0, 3]).argmax({ axis: 1 });
  const optimizer = adam({ learningRate: 0.05 });
  const step = compile((x: Tensor, y: Tensor) => {
    const { value, gradients } = valueAndGrad(() => crossEntropy(model.forward(x, training), y), model.parameters());
    optimizer.update(model.parameters(), gradients);
    return value;
  });
  const losses = Array.from({ length: 40 }, () => step(images, labels).item());
  assert.ok(losses.at(-1)! < losses[0]! / 3, `${losses[0]} to ${losses.at(-1)}`);
});

test('an own loss on an own graph: a regression with two branches', () => {
  const x = input([3]);
  const model = graph(x, add(dense(1)(x), dense(1)(dense(4, { activation: 'tanh' })(x))));
  const data = normal([16, 3]);
  const target = data.sum({ axis: 1, keepDims: true });
  const optimizer = adam({ learningRate: 0.05 });
  const step = compile(() => {
    const { value, gradients } = valueAndGrad(
      () => meanSquaredError(model.forward(data, training), target),
      model.parameters(),
    );
    optimizer.update(model.parameters(), gradients);
    return value;
  });
  const losses = Array.from({ length: 60 }, () => step().item());
  assert.ok(losses.at(-1)! < losses[0]! / 10, `${losses[0]} to ${losses.at(-1)}`);
});
