import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, type HostArray, valueAndGrad } from '../../src/core/index.js';
import {
  adam,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  maxPool2d,
  type Sequential,
  sequential,
  training,
} from '../../src/nn/index.js';
import { onEachDevice } from '../devices.js';
import { assertNear, type Golden, goldenOf } from './golden.js';

const [golden] = goldenOf('network') as [Golden];

/** Our paths by the names of the golden file. */
const paths: Readonly<Record<string, string>> = {
  conv1: 'conv2d_1',
  conv2: 'conv2d_2',
  dense1: 'dense_1',
  dense2: 'dense_2',
};
const weights = Object.entries(paths).flatMap(([name, path]) =>
  ['kernel', 'bias'].map((kind) => [`${name}/${kind}`, `${path}/${kind}`] as const),
);

function network(): Sequential {
  const model = sequential({ input: [12, 12, 1] }, [
    conv2d(4, 3, { activation: 'relu' }),
    conv2d(6, 3, { activation: 'relu' }),
    maxPool2d(2),
    flatten(),
    dense(8, { activation: 'relu' }),
    dense(4),
  ]);
  const parameters = model.parameters();
  for (const [name, path] of weights) parameters[path]!.assign(golden.input(name));
  return model;
}

test('a small convolutional network: logits, loss and gradients as PyTorch', () => {
  onEachDevice(() => {
    const model = network();
    golden.check('logits', model.forward(golden.input('x')), golden.output('logits'));
    const { value, gradients } = valueAndGrad(
      () => crossEntropy(model.forward(golden.input('x'), training), golden.input('labels')),
      model.parameters(),
    );
    golden.check('loss', value, golden.output('loss'));
    for (const [name, path] of weights) golden.check(path, gradients[path]!, golden.gradient(name));
  });
});

test('three compiled steps of Adam: losses and weights as Keras defines them', () => {
  const { learningRate, epsilon } = golden.options as { learningRate: number; epsilon: number };
  onEachDevice((device) => {
    const model = network();
    const [x, labels] = [golden.input('x'), golden.input('labels')];
    const optimizer = adam({ learningRate, epsilon });
    const step = compile(() => {
      const { value, gradients } = valueAndGrad(
        () => crossEntropy(model.forward(x, training), labels),
        model.parameters(),
      );
      optimizer.update(model.parameters(), gradients);
      return value;
    });
    const losses = golden.output('keras/losses').data;
    for (const loss of losses) {
      const got = step().item();
      assert.ok(Math.abs(got - loss) < 1e-4 * loss, `${device}: ${got}, expected ${loss}`);
    }
    for (const [name, path] of weights) {
      const expected: HostArray = golden.output(`keras/${name}`);
      assertNear(`${path} on ${device}`, model.parameters()[path]!.value, expected, golden.tolerance);
    }
  });
});
