// TensorFlow.js: `node tfjs.mjs wasm|cpu`. Its WASM backend has no threads in Node (its own check says so) and no kernel
// for the filter gradient, so it cannot train.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { serve, unable, uniform } from './serve.mjs';

const backend = process.argv[2];
const tf = await import('@tensorflow/tfjs');
if (backend === 'wasm') {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const entry = createRequire(import.meta.url).resolve(
    '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm',
  );
  setWasmPaths(`${dirname(entry)}/`);
}
await tf.setBackend(backend);
await tf.ready();
if (tf.getBackend() !== backend) throw new Error(`the backend is ${tf.getBackend()}`);

const random = (shape) => tf.tensor(uniform(shape.reduce((a, b) => a * b, 1)), shape);

/** The operations are synchronous: when the call returns the values are there. */
function repeat(inputs, compute) {
  const run = () => tf.dispose(tf.tidy(compute));
  return { run, dispose: () => tf.dispose(inputs) };
}

function conv(c) {
  const { batch, inputChannels, filters, strides, padding, dilation } = c;
  if (padding.flat().some((size) => size < 0)) unable('no negative padding');
  if (c.groups !== 1) unable('no groups');
  const forward = c.direction === 'forward';
  if (!forward && dilation.some((d) => d !== 1)) unable('no gradient of a dilated convolution');
  const symmetric = padding.flat().every((size) => size === padding[0][0]);
  const pad = symmetric ? padding[0][0] : [[0, 0], ...padding, [0, 0]];
  const xShape = [batch, ...c.spatial, inputChannels];
  const kernelShape = [...c.kernel, inputChannels, filters];
  const dyShape = [batch, ...c.output, filters];
  const attributes = { strides, pad, dataFormat: 'NHWC' };
  const runKernel = (name, tensors, rest) => tf.engine().runKernel(name, tensors, { ...attributes, ...rest });
  const [x, filter, dy] = [random(xShape), random(kernelShape), random(dyShape)];
  switch (c.direction) {
    case 'forward':
      return repeat([x, filter, dy], () => tf.conv2d(x, filter, strides, pad, 'NHWC', dilation));
    case 'inputGradient':
      return repeat([x, filter, dy], () => runKernel('Conv2DBackpropInput', { dy, filter }, { inputShape: xShape }));
    default:
      return repeat([x, filter, dy], () => runKernel('Conv2DBackpropFilter', { x, dy }, { filterShape: kernelShape }));
  }
}

function mnistStep({ batch }) {
  if (backend === 'wasm') unable('no filter gradient, so no training');
  const { layers } = tf;
  const model = tf.sequential({
    layers: [
      layers.conv2d({ filters: 32, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1] }),
      layers.conv2d({ filters: 32, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.dropout({ rate: 0.25 }),
      layers.flatten(),
      layers.dense({ units: 128, activation: 'relu' }),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' });
  const x = random([batch, 28, 28, 1]);
  const labels = tf.oneHot(tf.range(0, batch, 1, 'int32').mod(tf.scalar(10, 'int32')), 10);
  return { run: () => model.trainOnBatch(x, labels), dispose: () => tf.dispose([x, labels]) };
}

await serve(`tfjs-${backend} ${tf.version.tfjs}`, (c) => {
  switch (c.kind) {
    case 'gemm': {
      const [a, b] = [random([c.m, c.k]), random([c.k, c.n])];
      return repeat([a, b], () => tf.matMul(a, b));
    }
    case 'conv':
      return conv(c);
    case 'elementwise': {
      const x = random([c.elements]);
      return repeat([x], () => x.mul(1.5).add(0.25).tanh().mul(2).add(x).relu());
    }
    case 'mnistStep':
      return mnistStep(c);
    default:
      return unable(`no case ${c.kind}`);
  }
});
