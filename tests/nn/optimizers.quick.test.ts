import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, Parameter, type Tensor, tensor, valueAndGrad, zeros } from '../../src/core/index.js';
import {
  adaGrad,
  adam,
  adamW,
  constant,
  cosine,
  exponential,
  meanSquaredError,
  type Optimizer,
  rmsProp,
  type Schedule,
  sgd,
  stepwise,
  warmUp,
} from '../../src/nn/index.js';
import { onEachDevice } from '../devices.js';
import { assertNear, goldenOf } from './golden.js';

/** Each takes options of its own. */
type Make = (options: never) => Optimizer;

const optimizers: Readonly<Record<string, Make>> = { sgd, adam, adamW, rmsProp, adaGrad };

const parameterOf = (name: string, value: Tensor): Parameter => {
  const parameter = new Parameter(name, value.shape);
  parameter.assign(value);
  return parameter;
};

/** What every optimiser must do, whatever its rule. */
function optimizerSuite(op: string, make: Make): void {
  const rows = goldenOf(op);
  test(`${op} has golden rows`, () => assert.notEqual(rows.length, 0));
  for (const golden of rows) {
    test(`${golden.name}: five steps as PyTorch`, () => {
      const { steps, loss: _, formula: __, ...options } = golden.options as Record<string, unknown>;
      onEachDevice((device) => {
        const w = parameterOf('w', golden.input('start'));
        const x = golden.input('x');
        const target = golden.input('target');
        const optimizer = make(options as never);
        const step = compile(() => {
          const { value, gradients } = valueAndGrad(() => meanSquaredError(x.matmul(w), target), { w });
          optimizer.update({ w }, gradients);
          return value;
        });
        const expected = golden.output('parameters');
        const size = w.shape[0]! * w.shape[1]!;
        for (let i = 0; i < (steps as number); i++) {
          step();
          const data = expected.data.slice(i * size, (i + 1) * size);
          assertNear(`${golden.name}, step ${i + 1} on ${device}`, w.value, { shape: w.shape, data }, golden.tolerance);
        }
      });
    });
  }

  test(`${op}: eager equals compiled`, () => {
    const run = (wrap: (f: () => void) => () => void): number[] => {
      const w = parameterOf('w', tensor([1, -2, 0.5]));
      const optimizer = make({ learningRate: 0.1 } as never);
      const step = wrap(() => optimizer.update({ w }, valueAndGrad(() => w.value.square().sum(), { w }).gradients));
      for (let i = 0; i < 3; i++) step();
      return [...w.value.dataSync()];
    };
    const compiled = run((f) => compile(f));
    run((f) => f).forEach((value, i) => {
      assert.ok(Math.abs(value - compiled[i]!) < 1e-6, `${value} and ${compiled[i]}`);
    });
  });

  test(`${op}: a step whose condition is false changes nothing at all`, () => {
    const w = parameterOf('w', tensor([1, -2]));
    const optimizer = make({} as never);
    const step = compile((good: Tensor, scale: Tensor) => {
      const gradients = { w: w.value.mul(scale) };
      optimizer.update({ w }, gradients, { when: good });
    });
    step(tensor(true), tensor(1));
    const held = (): number[][] =>
      [w, ...Object.values(optimizer.state())].map((parameter) => [...parameter.value.dataSync()]);
    const before = held();
    step(tensor(false), tensor(Number.NaN));
    assert.deepEqual(held(), before);
    step(tensor(true), tensor(1));
    assert.notDeepEqual(held(), before);
    assert.equal(optimizer.state()['step']!.value.item(), 2);
  });

  test(`${op}: only trainable parameters change, and only they have state`, () => {
    const w = parameterOf('w', tensor([1, 2]));
    const frozen = parameterOf('frozen', tensor([1, 2]));
    frozen.trainable = false;
    const optimizer = make({} as never);
    optimizer.update({ w, frozen }, { w: tensor([1, 1]), frozen: tensor([1, 1]) });
    assert.deepEqual([...frozen.value.dataSync()], [1, 2]);
    assert.notDeepEqual([...w.value.dataSync()], [1, 2]);
    assert.ok(Object.keys(optimizer.state()).every((path) => !path.endsWith('/frozen')));
  });

  test(`${op}: state that is read back goes on as if nothing had happened`, () => {
    const gradient = (w: Parameter): Record<string, Tensor> => ({ w: w.value.mul(0.3) });
    const w = parameterOf('w', tensor([1, -2]));
    const first = make({} as never);
    for (let i = 0; i < 3; i++) first.update({ w }, gradient(w));
    const again = parameterOf('w', w.value);
    const second = make({} as never);
    second.prepare({ w: again });
    const saved = first.state();
    assert.deepEqual(Object.keys(second.state()), Object.keys(saved));
    for (const [path, parameter] of Object.entries(second.state())) parameter.set(saved[path]!.value.toHost());
    first.update({ w }, gradient(w));
    second.update({ w: again }, gradient(again));
    assert.deepEqual([...again.value.dataSync()], [...w.value.dataSync()]);
  });

  test(`${op}: the rate can be set between two steps`, () => {
    const w = parameterOf('w', tensor([1, 2]));
    const optimizer = make({} as never);
    const step = compile(() => optimizer.update({ w }, { w: w.value }));
    step();
    optimizer.learningRate.assign(tensor(0));
    const before = [...w.value.dataSync()];
    step();
    assert.deepEqual([...w.value.dataSync()], before);
  });
}

for (const [op, make] of Object.entries(optimizers)) optimizerSuite(op, make);

test('stepwise begins its intervals after so many steps', () => {
  const schedule = stepwise({ learningRate: 1, every: 2, factor: 0.5, after: 3 });
  const rates = Array.from({ length: 9 }, (_, step) => schedule(tensor(step)).item());
  assert.deepEqual(rates, [1, 1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25]);
});

test('the state has the paths that a checkpoint holds', () => {
  const w = parameterOf('dense_1/kernel', tensor([1]));
  const paths = (optimizer: Optimizer): string[] => {
    optimizer.prepare({ 'dense_1/kernel': w });
    return Object.keys(optimizer.state());
  };
  assert.deepEqual(paths(sgd()), ['step', 'learningRate']);
  assert.deepEqual(paths(sgd({ momentum: 0.9 })), ['step', 'learningRate', 'velocity/dense_1/kernel']);
  assert.deepEqual(paths(adam()), ['step', 'learningRate', 'moment1/dense_1/kernel', 'moment2/dense_1/kernel']);
  assert.deepEqual(paths(adamW()), paths(adam()));
  assert.deepEqual(paths(rmsProp({ momentum: 0.9 })).slice(2), ['square/dense_1/kernel', 'velocity/dense_1/kernel']);
  assert.deepEqual(paths(adaGrad()).slice(2), ['sum/dense_1/kernel']);
});

test('weight decay of sgd is L2: it adds to the gradient', () => {
  for (const options of [{}, { momentum: 0.9 }]) {
    const w = parameterOf('w', tensor([2]));
    sgd({ learningRate: 0.1, weightDecay: 0.5, ...options }).update({ w }, { w: tensor([3]) });
    assert.ok(Math.abs(w.value.item() - (2 - 0.1 * (3 + 0.5 * 2))) < 1e-6);
  }
});

test('bias correction of Adam keeps its digits at the first step', () => {
  const w = parameterOf('w', tensor([0]));
  adam({ learningRate: 1 }).update({ w }, { w: tensor([1000]) });
  // m / √v is g / |g| exactly: 1 − 0.999 taken in float32 would be off by 6.5e-6
  assert.ok(Math.abs(w.value.item() + 1) < 5e-7, `${w.value.item()}`);
});

const schedules: Readonly<Record<string, (options: never) => Schedule>> = {
  'schedule-constant': constant,
  'schedule-step': stepwise,
  'schedule-exponential': exponential,
  'schedule-cosine': cosine,
  'schedule-warmUp': warmUp,
};

test('each schedule gives the rates that PyTorch does', () => {
  const rows = goldenOf('schedule');
  assert.deepEqual(rows.map(({ name }) => name).sort(), Object.keys(schedules).sort());
  for (const golden of rows) {
    const schedule = schedules[golden.name]!(golden.options);
    onEachDevice((device) => {
      golden.output('rates').data.forEach((rate, step) => {
        const got = schedule(tensor(step)).item();
        assert.ok(Math.abs(got - rate) <= 1e-6, `${golden.name} on ${device}, step ${step}: ${got}, expected ${rate}`);
      });
    });
  }
});

test('a schedule drives the optimiser, which shows the rate of the last step', () => {
  const w = parameterOf('w', zeros([1]));
  const optimizer = sgd({ learningRate: stepwise({ learningRate: 1, every: 2, factor: 0.5 }) });
  const step = compile(() => optimizer.update({ w }, { w: tensor([1]) }));
  const rates = Array.from({ length: 5 }, () => {
    step();
    return optimizer.learningRate.value.item();
  });
  assert.deepEqual(rates, [1, 1, 0.5, 0.5, 0.25]);
  assert.equal(w.value.item(), -3.25);
});

test('a warm-up ends where another schedule begins', () => {
  const schedule = warmUp({ steps: 2, learningRate: stepwise({ learningRate: 1, every: 1, factor: 0.5 }) });
  const rates = [0, 1, 2, 3, 4].map((step) => schedule(tensor(step)).item());
  assert.deepEqual(rates, [0, 0.5, 1, 0.5, 0.25]);
});

test('what is missing or of another model is an error', () => {
  const w = parameterOf('w', tensor([1]));
  assert.throws(() => adam().update({ w }, {}), {
    message:
      'adam: there is no gradient for w\n  Take the gradients with regard to the same parameters: valueAndGrad(loss, model.parameters()).',
  });
  const optimizer = adam();
  optimizer.prepare({ w });
  assert.throws(() => optimizer.prepare({ w: new Parameter('w', [2]) }), {
    message: 'adam: w was [1], is now [2]\n  An optimiser belongs to one model; make another for another model.',
  });
  assert.throws(() => sgd({ learningRate: Number.NaN }), {
    message: 'sgd: learningRate NaN\n  Give a number, or a schedule such as cosine({ … }).',
  });
});
