import assert from 'node:assert/strict';
import test from 'node:test';
import type { HostArray } from '../../src/core/index.js';
import { adam, crossEntropy, dense, meanSquaredError, sequential, sgd } from '../../src/nn/index.js';
import { type Callback, earlyStop, evaluate, fit, recordLearningRate, weightAverage } from '../../src/train/index.js';
import { clusters, smallNetwork, smallOptions, valuesIn } from './small.js';

test('fit learns, and returns loss, accuracy and validation of each epoch', async () => {
  const model = sequential({ input: [6] }, [dense(8, { activation: 'relu' }), dense(3)]);
  const history = await fit(model, clusters(60), {
    ...smallOptions(),
    epochs: 8,
    optimizer: adam({ learningRate: 0.03 }),
    validation: clusters(30, 'others'),
  });
  assert.equal(history.epochs.length, 8);
  assert.equal(history.steps, 64, '7 batches of 8 and one of 4, 8 times');
  assert.equal(history.interrupted, false);
  assert.deepEqual(Object.keys(history.epochs[0]!.values), [
    'loss',
    'accuracy',
    'validationLoss',
    'validationAccuracy',
  ]);
  assert.ok(history.epochs.at(-1)!.values['validationAccuracy']! > 0.9, JSON.stringify(history.epochs.at(-1)));
  const { accuracy } = await evaluate(model, clusters(30), { loss: crossEntropy });
  assert.equal(accuracy, history.epochs.at(-1)!.values['validationAccuracy']);
});

test('the same seed gives the same bits, another seed others', async () => {
  const run = async (seed: number): Promise<number[]> => {
    const model = smallNetwork();
    await fit(model, clusters(20), { ...smallOptions(), epochs: 1, seed });
    return valuesIn(model);
  };
  assert.deepEqual(await run(1), await run(1));
  assert.notDeepEqual(await run(1), await run(2));
});

test('the means of an epoch weigh the smaller last batch by its size', async () => {
  const seen: [number, number][] = [];
  const sizes = [8, 8, 4];
  const watch: Callback = {
    name: 'watch',
    onStep: ({ values }) => void seen.push([values['loss']!, sizes[seen.length]!]),
  };
  const { epochs } = await fit(smallNetwork(), clusters(20), { ...smallOptions([watch]), epochs: 1 });
  const mean = seen.reduce((sum, [loss, size]) => sum + loss * size, 0) / 20;
  assert.equal(epochs[0]!.values['loss'], mean);
});

test('micro-batches give the gradient of their whole, also where the last one is smaller', async () => {
  const whole = sequential({ input: [6] }, [dense(3)]);
  const parts = sequential({ input: [6] }, [dense(3)]);
  const options = { ...smallOptions(), epochs: 1, shuffle: false };
  await fit(whole, clusters(20), { ...options, optimizer: sgd({ learningRate: 0.5 }), batchSize: 20 });
  const history = await fit(parts, clusters(20), {
    ...options,
    optimizer: sgd({ learningRate: 0.5 }),
    batchSize: 8,
    accumulate: 3,
  });
  assert.equal(history.steps, 1);
  const [a, b] = [valuesIn(whole), valuesIn(parts)];
  assert.ok(Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) < 1e-6);
});

test('fields are chosen by name, and a wrong name is an error with a suggestion', async () => {
  await assert.rejects(fit(smallNetwork(), clusters(8), { ...smallOptions(), targets: 'label' }), {
    message: 'fit: clusters: there is no field label (fields: images, labels)\n  Did you mean labels?',
  });
});

test('any iterable of batches will do, but not a generator for two epochs', async () => {
  const batch = { fields: clusters(8).fields };
  const model = (): ReturnType<typeof sequential> => sequential({ input: [6] }, [dense(3)]);
  const asFloats = ({ shape, data }: HostArray): HostArray => ({
    dtype: 'float32',
    shape,
    data: Float32Array.from(data),
  });
  const floats = { fields: { images: asFloats(batch.fields['images']!), labels: batch.fields['labels']! } };
  const { steps } = await fit(model(), [floats, floats], { ...smallOptions(), epochs: 2 });
  assert.equal(steps, 4);
  function* once(): Iterable<typeof floats> {
    yield floats;
  }
  await assert.rejects(fit(model(), once(), { ...smallOptions(), epochs: 2 }), {
    message:
      'fit: epoch 2 has no batches\n' +
      '  A generator is walked through once; give an object whose [Symbol.iterator]() begins anew each epoch.',
  });
});

test('early stop ends after so many epochs without a better value', async () => {
  const { epochs, stopReason } = await fit(smallNetwork(), clusters(16), {
    ...smallOptions([earlyStop({ monitor: 'loss', patience: 2, mode: 'max', minDelta: 10 })]),
    epochs: 9,
  });
  assert.equal(epochs.length, 3);
  assert.match(stopReason!, /^loss has not improved for 2 epochs \(best /);
  await assert.rejects(fit(smallNetwork(), clusters(16), smallOptions([earlyStop()])), {
    message:
      'earlyStop: validationLoss is not measured (measured: loss, accuracy)\n' +
      '  Give fit validation data, or monitor what it measures while training.',
  });
});

test('an aborted signal ends the step and says so', async () => {
  const controller = new AbortController();
  const ended: number[] = [];
  const { interrupted, steps, epochs } = await fit(smallNetwork(), clusters(32), {
    ...smallOptions([
      {
        name: 'interrupt',
        onStep: ({ step }) => void (step === 3 && controller.abort()),
        onEnd: ({ step }) => void ended.push(step),
      },
    ]),
    signal: controller.signal,
  });
  assert.deepEqual({ interrupted, steps, epochs, ended }, { interrupted: true, steps: 3, epochs: [], ended: [3] });
});

test('what callbacks measure stands in the record of the step', async () => {
  const rates: (number | undefined)[] = [];
  const watch: Callback = { name: 'watch', onStep: ({ values }) => void rates.push(values['learningRate']) };
  await fit(smallNetwork(), clusters(8), { ...smallOptions([recordLearningRate(), watch]), epochs: 1 });
  assert.deepEqual(rates, [Math.fround(0.01)]);
});

test('an average of the weights lies between them, and gives them back', async () => {
  const model = smallNetwork();
  const average = weightAverage({ decay: 0.5 });
  await fit(model, clusters(32), { ...smallOptions([average]), epochs: 2 });
  const own = valuesIn(model);
  const averaged = await average.during(() => valuesIn(model));
  assert.notDeepEqual(averaged, own);
  assert.deepEqual(valuesIn(model), own);
});

test('the number of epochs is checked', async () => {
  await assert.rejects(fit(smallNetwork(), clusters(8), { ...smallOptions(), epochs: 0 }), {
    message: 'fit: epochs is 0\n  Give an integer of at least 1.',
  });
});

test('other losses have no accuracy', async () => {
  const data = clusters(8);
  const target: HostArray = { dtype: 'float32', shape: [8, 3], data: new Float32Array(24) };
  const { epochs } = await fit(
    sequential({ input: [6] }, [dense(3)]),
    [{ fields: { x: { ...data.fields['images']!, dtype: 'float32', data: new Float32Array(48).fill(1) }, y: target } }],
    { ...smallOptions(), loss: meanSquaredError, epochs: 1 },
  );
  assert.deepEqual(Object.keys(epochs[0]!.values), ['loss']);
});
