// jax-js on WebAssembly, everything under jit. In Node it has no threads (it looks for the browser's Worker), and plain
// init() throws there. Arrays are owned: `x.ref` where x is used again.
import { readFileSync } from 'node:fs';
import {
  blockUntilReady,
  defaultDevice,
  grad,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  random,
  tree,
  valueAndGrad,
} from '@jax-js/jax';
import { serve, unable, uniform } from './serve.mjs';

await init('wasm');
defaultDevice('wasm');
const { version } = JSON.parse(readFileSync(new URL('node_modules/@jax-js/jax/package.json', import.meta.url), 'utf8'));

const array = (shape) => np.array(uniform(shape.reduce((a, b) => a * b, 1))).reshape(shape);

/** Runs `compute(...inputs)` and waits for its value. */
function repeat(inputs, compute) {
  const compiled = jit(compute);
  const run = async () => {
    const y = compiled(...inputs.map((input) => input.ref));
    await blockUntilReady(y);
    y.dispose();
  };
  return { run, dispose: () => tree.dispose(inputs) };
}

function conv(c) {
  if (c.padding.flat().some((size) => size < 0)) unable('no negative padding');
  const { batch, groups, inputChannels, filters } = c;
  const x = array([batch, inputChannels, ...c.spatial]);
  const kernel = array([filters, inputChannels / groups, ...c.kernel]);
  const dy = array([batch, filters, ...c.output]);
  const forward = (x, kernel) =>
    lax.convGeneralDilated(x, kernel, c.strides, c.padding, { rhsDilation: c.dilation, featureGroupCount: groups });
  if (c.direction === 'forward') return repeat([x, kernel], forward);
  // Σ y · dy, whose gradient is the convolution's; its own value is not used, so jit leaves it out
  const inner = (x, kernel, dy) => np.sum(forward(x, kernel).mul(dy));
  return repeat([x, kernel, dy], grad(inner, { argnums: c.direction === 'inputGradient' ? 0 : 1 }));
}

function logits(p, x, key) {
  const [first, second] = random.split(key, 2);
  const channels = (bias) => bias.reshape([1, 32, 1, 1]);
  let y = nn.relu(lax.conv(x, p.kernel1, [1, 1], 'VALID').add(channels(p.bias1)));
  y = nn.relu(lax.conv(y, p.kernel2, [1, 1], 'VALID').add(channels(p.bias2)));
  y = lax.reduceWindow(y, np.max, [2, 2], [2, 2]);
  y = dropout(y, first, 0.25).reshape([-1, 4608]);
  y = nn.relu(np.matmul(y, p.kernel3).add(p.bias3));
  return np.matmul(dropout(y, second, 0.5), p.kernel4).add(p.bias4);
}

const dropout = (x, key, rate) => {
  const keep = random.bernoulli(key, 1 - rate, x.shape);
  return np.where(keep, x.mul(1 / (1 - rate)), 0);
};

function mnistStep({ batch }) {
  const zeros = (count) => np.zeros([count]);
  let parameters = {
    ...{ kernel1: array([32, 1, 3, 3]).mul(0.1), bias1: zeros(32) },
    ...{ kernel2: array([32, 32, 3, 3]).mul(0.05), bias2: zeros(32) },
    ...{ kernel3: array([4608, 128]).mul(0.02), bias3: zeros(128) },
    ...{ kernel4: array([128, 10]).mul(0.1), bias4: zeros(10) },
  };
  let m = tree.map((x) => np.zeros(x.shape), tree.ref(parameters));
  let v = tree.map((x) => np.zeros(x.shape), tree.ref(parameters));
  const x = array([batch, 1, 28, 28]);
  const labels = nn.oneHot(np.array(Int32Array.from({ length: batch }, (_, i) => i % 10)), 10);
  const loss = (p, x, labels, key) => np.sum(nn.logSoftmax(logits(p, x, key)).mul(labels)).mul(-1 / batch);
  const step = jit((parameters, m, v, x, labels, key, correction1, correction2) => {
    const [value, gradients] = valueAndGrad(loss)(tree.ref(parameters), x, labels, key);
    m = tree.map((m, g) => m.mul(0.9).add(g.mul(0.1)), m, tree.ref(gradients));
    v = tree.map((v, g) => v.mul(0.999).add(g.ref.mul(g).mul(0.001)), v, gradients);
    const update = (p, m, v) =>
      p.sub(
        m
          .mul(correction1.ref)
          .mul(1e-3)
          .div(np.sqrt(v.mul(correction2.ref)).add(1e-8)),
      );
    parameters = tree.map(update, parameters, tree.ref(m), tree.ref(v));
    correction1.dispose();
    correction2.dispose();
    return [value, parameters, m, v];
  });
  let t = 0;
  const run = async () => {
    t += 1;
    const corrections = [np.array(1 / (1 - 0.9 ** t)), np.array(1 / (1 - 0.999 ** t))];
    let value;
    [value, parameters, m, v] = step(parameters, m, v, x.ref, labels.ref, random.key(t), ...corrections);
    await blockUntilReady([value, parameters, m, v]);
    value.dispose();
  };
  return { run };
}

await serve(`jax-js ${version}`, (c) => {
  switch (c.kind) {
    case 'gemm':
      return repeat([array([c.m, c.k]), array([c.k, c.n])], (a, b) => np.matmul(a, b));
    case 'conv':
      return conv(c);
    case 'elementwise':
      return repeat([array([c.elements])], (x) => nn.relu(np.tanh(x.ref.mul(1.5).add(0.25)).mul(2).add(x)));
    case 'mnistStep':
      return mnistStep(c);
    default:
      return unable(`no case ${c.kind}`);
  }
});
