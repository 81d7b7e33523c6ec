import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compile,
  concat,
  type Parameter,
  type Shape,
  type Tensor,
  tensor,
  valueAndGrad,
} from '../../src/core/index.js';
import {
  Bidirectional,
  Cell,
  connect,
  dense,
  dropout,
  embedding,
  GRU,
  getWeights,
  graph,
  initialize,
  initializers,
  input,
  LSTM,
  lstm,
  recurrent,
  resetStates,
  SimpleRNN,
  sequential,
  summary,
  training,
} from '../../src/nn/index.js';
import { onEachDevice } from '../devices.js';
import { assertNear } from './golden.js';

const drawn = (shape: Shape, seed = 1): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1 + i * seed * 0.7)),
    { shape },
  );
};
const near = (what: string, actual: Tensor, expected: Tensor): void =>
  assertNear(what, actual, expected.toHost(), 1e-5);

test("a young lstm has Keras's first values", () => {
  const layer = new LSTM(30, 20);
  initialize(layer);
  const { kernel, recurrentKernel, bias } = layer.cell as LSTM['cell'] & Readonly<Record<string, Parameter>>;
  assert.deepEqual([...bias!.value.dataSync()], [...Array(20).fill(0), ...Array(20).fill(1), ...Array(40).fill(0)]);
  const limit = Math.sqrt(6 / (30 + 80));
  const largest = kernel!.value.abs().max().item();
  assert.ok(largest <= limit && largest > 0.97 * limit, `${largest}`);
  const product = recurrentKernel!.value.matmul(recurrentKernel!.value.transpose());
  near(
    'rows of the recurrent kernel',
    product,
    tensor(Array.from({ length: 20 }, (_, i) => Array.from({ length: 20 }, (_, j) => (i === j ? 1 : 0)))),
  );
  const plain = new LSTM(30, 20, { unitForgetBias: false });
  initialize(plain);
  assert.equal(plain.parameters()['cell/bias']!.value.abs().max().item(), 0);
});

test('integers stand for one-hot vectors, forward and back', () => {
  const ids = tensor(
    [
      [0, 2, 4],
      [1, 1, 3],
    ],
    { dtype: 'int32' },
  );
  const oneHot = ids
    .expandDims(2)
    .equal(tensor([0, 1, 2, 3, 4], { dtype: 'int32' }))
    .cast('float32');
  for (const make of [() => new LSTM(5, 3), () => new GRU(5, 3), () => new SimpleRNN(5, 3)]) {
    const layer = make();
    initialize(layer);
    onEachDevice(() => {
      near('value', layer.forward(ids), layer.forward(oneHot));
      const kernel = layer.parameters()['cell/kernel']!;
      const gradient = (x: Tensor): Tensor => valueAndGrad(() => layer.forward(x).square().sum(), kernel).gradients;
      near('gradient', gradient(ids), gradient(oneHot));
    });
  }
});

test('masked steps are skipped: outputs repeat, the end is that of the shorter sequence', () => {
  const x = drawn([2, 5, 3]);
  const mask = tensor([
    [true, true, true, false, false],
    [true, true, true, true, true],
  ]);
  const layer = new LSTM(3, 4, { returnSequences: true });
  initialize(layer);
  onEachDevice(() => {
    const { outputs, last, state } = layer.run(x, { mask });
    const short = layer.run(x.slice([0, 1], [0, 3]));
    near('last', last.slice([0, 1]), short.last);
    near('cell', state.c.slice([0, 1]), short.state.c);
    near('outputs', outputs.slice([0, 1], [0, 3]), short.outputs);
    near('repeated', outputs.slice([0, 1], 4), short.last);
    near('a full sequence', outputs.slice([1, 2]), layer.run(x.slice([1, 2])).outputs);
    near('as a pair', layer.forward([x, mask]), outputs);
  });
});

test('from the other end masked steps come first', () => {
  const x = drawn([1, 5, 3]);
  const mask = tensor([[true, true, true, false, false]]);
  const both = new Bidirectional(new GRU(3, 2), new GRU(3, 2, { goBackwards: true }));
  initialize(both);
  near('ends', both.forward([x, mask]), both.forward(x.slice(undefined, [0, 3])));
});

test('an embedding with maskZero tells the layers behind it, through those between', () => {
  const model = sequential({ input: [4], dtype: 'int32' }, [
    embedding(9, 5, { maskZero: true }),
    dropout(0.3),
    dense(6, { activation: 'tanh' }),
    lstm(3, { returnSequences: true }),
    lstm(4),
  ]);
  const ids = tensor([[3, 5, 0, 0]], { dtype: 'int32' });
  near('padded', model.forward(ids), model.forward(tensor([[3, 5]], { dtype: 'int32' })));
  const compiled = compile((x: Tensor) => model.forward(x));
  near('compiled', compiled(ids), model.forward(ids));
});

test('a mask may come by its own way into a functional graph', () => {
  const [x, mask] = [input([4, 3]), input([4], { dtype: 'bool' })];
  const layer = new LSTM(3, 2);
  const model = graph([x, mask], connect(layer, [x, mask]));
  const [values, counts] = [drawn([1, 4, 3]), tensor([[true, true, false, false]])];
  near('masked', model.forward([values, counts]), layer.forward(values.slice(undefined, [0, 2])));
});

test('a stateful layer goes on where the last batch ended, until it is reset', () => {
  const whole = new LSTM(3, 4, { returnSequences: true });
  initialize(whole);
  const x = drawn([2, 6, 3]);
  onEachDevice(() => {
    const model = sequential({ input: [3, 3] }, [lstm(4, { returnSequences: true, stateful: true, batchSize: 2 })]);
    for (const [path, parameter] of Object.entries(whole.parameters()))
      model.parameters()[`lstm_1/${path}`]!.assign(parameter.value);
    const step = compile((part: Tensor) => model.forward(part));
    const parts = (): Tensor =>
      concat([step(x.slice(undefined, [0, 3])), step(x.slice(undefined, [3, 6]))], { axis: 1 });
    near('in two parts', parts(), whole.forward(x));
    resetStates(model);
    near('once more', parts(), whole.forward(x));
    // no gradient flows into the batch before: the state is what it is
    const { gradients } = valueAndGrad(() => model.forward(x.slice(undefined, [0, 3])).sum(), model.parameters());
    assert.deepEqual(
      Object.keys(gradients).filter((path) => path.includes('state')),
      ['lstm_1/state_h', 'lstm_1/state_c'],
    );
  });
});

test('carried states are no weights', () => {
  const model = sequential({ input: [3, 3] }, [lstm(4, { stateful: true, batchSize: 7 })]);
  assert.deepEqual(Object.keys(getWeights(model)), [
    'lstm_1/cell/kernel',
    'lstm_1/cell/recurrentKernel',
    'lstm_1/cell/bias',
  ]);
  assert.match(summary(model), /lstm_1 \(LSTM\) {3}\(None, 4\) {6}128\n/);
});

test('dropout drops the same inputs and states at every step, others in the next batch', () => {
  onEachDevice(() => {
    const layer = new SimpleRNN(50, 50, {
      dropout: 0.4,
      activation: 'linear',
      recurrentInitializer: 'zeros',
      kernelInitializer: (shape) => Float64Array.from({ length: 2500 }, (_, i) => (i % (shape[1]! + 1) === 0 ? 1 : 0)),
      returnSequences: true,
    });
    initialize(layer, { seed: 5 });
    const ones = tensor(new Float32Array(2 * 3 * 50).fill(1), { shape: [2, 3, 50] });
    const step = compile((x: Tensor) => layer.forward(x, training));
    const first = step(ones);
    for (const t of [1, 2])
      assert.deepEqual(first.slice(undefined, t).dataSync(), first.slice(undefined, 0).dataSync());
    assert.deepEqual([...new Set(first.dataSync())].sort(), [0, Math.fround(1 / (1 - 0.4))]);
    assert.notDeepEqual(step(ones).dataSync(), first.dataSync());
    assert.deepEqual(layer.forward(ones).dataSync(), ones.dataSync());
    assert.deepEqual([...layer.key!.value.dataSync()], [5, 2, 0]);
  });
  const states = new LSTM(3, 64, { recurrentDropout: 0.5 });
  initialize(states);
  const x = drawn([2, 4, 3]);
  assert.notDeepEqual(states.forward(x, training).dataSync(), states.forward(x).dataSync());
});

/** A leaky integrator with a learnt rate for each unit. */
class Leaky extends Cell<{ readonly h: Tensor }> {
  readonly stateShapes = { h: [4] };
  readonly kernel = this.parameter('kernel', [3, 4], 'glorotUniform');
  readonly rate = this.parameter('rate', [4], initializers.constant(0.25));

  override project(x: Tensor): Tensor {
    return x.matmul(this.kernel);
  }
  step(x: Tensor, { h }: { readonly h: Tensor }): { readonly h: Tensor } {
    return { h: h.add(x.sub(h).mul(this.rate)) };
  }
  output({ h }: { readonly h: Tensor }): Tensor {
    return h;
  }
}

test("a cell of one's own runs as those of Kiln, alone and in a model", () => {
  const model = sequential({ input: [5, 3] }, [recurrent(() => new Leaky()), dense(1)]);
  const x = drawn([2, 5, 3]);
  const cell = (model.sublayers()['recurrent_1'] as unknown as { readonly cell: Leaky }).cell;
  let state: { readonly h: Tensor } = {
    h: tensor([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]),
  };
  for (let t = 0; t < 5; t++) state = cell.forward({ x: x.slice(undefined, t), state });
  const dense1 = model.parameters()['dense_1/kernel']!;
  near('step by step', model.forward(x), state.h.matmul(dense1));
  const { gradients } = valueAndGrad(() => model.forward(x).sum(), model.parameters());
  assert.ok(Object.values(gradients).some((gradient) => gradient.abs().max().item() > 0));
  assert.ok(gradients['recurrent_1/cell/rate']!.abs().max().item() > 0);
});

const message = (text: string): { readonly message: string } => ({ message: text });

test('what does not fit is said', () => {
  assert.throws(
    () => sequential({ input: [5, 3] }, [lstm(4), lstm(4)]),
    message(
      'lstm: takes sequences [steps, inputs] of float32: a sample is float32 [4]\n' +
        '  Words and characters go through an embedding first; a layer that returns its last step only needs returnSequences: true.',
    ),
  );
  const layer = new LSTM(3, 4);
  assert.throws(
    () => layer.forward(drawn([2, 3])),
    message(
      'lstm: takes float32 [batch, steps, inputs] or integers [batch, steps]: got float32 [2, 3]\n' +
        '  Before it, a layer that returns only its last step needs returnSequences: true.',
    ),
  );
  assert.throws(
    () => layer.forward([drawn([2, 3, 3]), drawn([2, 3])]),
    message(
      'lstm: the mask is float32 [2, 3], the sequence [2, 3, 3]\n' +
        '  A mask is bool [2, 3]: true where a step counts.',
    ),
  );
  assert.throws(
    () => new GRU(3, 4, { stateful: true }),
    message(
      'gru: is stateful without a batchSize\n' +
        '  The state of every sequence of a batch is kept: give batchSize, the number of sequences.',
    ),
  );
  const stateful = new GRU(3, 4, { stateful: true, batchSize: 2 });
  initialize(stateful);
  assert.throws(
    () => stateful.forward(drawn([3, 2, 3])),
    message(
      'gru: carries the state of 2 sequences, the batch has 3\n' +
        '  Give batches of 2, or build the layer with batchSize: 3.',
    ),
  );
  assert.throws(
    () => new LSTM(3, 4, { recurrentDropout: 1 }),
    message('lstm: recurrentDropout 1\n  It is the probability to drop an element: at least 0, below 1.'),
  );
  assert.throws(
    () => new Bidirectional(new LSTM(3, 4), new LSTM(3, 4)),
    message(
      'bidirectional: the layers do not go together\n' +
        '  The second one goes backwards, the first does not, and both or none return sequences.',
    ),
  );
});
