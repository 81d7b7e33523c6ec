// onnxruntime-node, `node onnxruntime.mjs THREADS`: inference only. The models are a handful of nodes, written here byte
// by byte (onnx.proto3 gives the field numbers).
import { createRequire } from 'node:module';
import { serve, unable, uniform } from './serve.mjs';

const require = createRequire(import.meta.url);
const ort = require('onnxruntime-node');
const { version } = require('onnxruntime-node/package.json');
const threads = Number(process.argv[2] ?? 1);

const varint = (value) => {
  const bytes = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) | 128);
  }
};
const integer = (field, value) => [...varint(field << 3), ...varint(value)];
const bytes = (field, value) => [...varint((field << 3) | 2), ...varint(value.length), ...value];
const text = (field, value) => bytes(field, new TextEncoder().encode(value));

const attribute = (name, values) =>
  Array.isArray(values)
    ? bytes(5, [...text(1, name), ...values.flatMap((value) => integer(8, value)), ...integer(20, 7)])
    : bytes(5, [...text(1, name), ...integer(3, values), ...integer(20, 2)]);
const node = (type, inputs, output, attributes = {}) =>
  bytes(1, [
    ...inputs.flatMap((input) => text(1, input)),
    ...text(2, output),
    ...text(4, type),
    ...Object.entries(attributes).flatMap(([name, values]) => attribute(name, values)),
  ]);
const value = (field, name, shape) => {
  const dimensions = shape.flatMap((size) => bytes(1, integer(1, size)));
  return bytes(field, [...text(1, name), ...bytes(2, bytes(1, [...integer(1, 1), ...bytes(2, dimensions)]))]);
};
const scalar = (name, number) =>
  bytes(5, [...integer(2, 1), ...text(8, name), ...bytes(9, new Uint8Array(Float32Array.of(number).buffer))]);

/** A model of these nodes: `inputs` by name and shape, one output `y`. */
async function open({ nodes, inputs, output, scalars = {} }) {
  const graph = [
    ...nodes.flat(),
    ...text(2, 'bench'),
    ...Object.entries(scalars).flatMap(([name, number]) => scalar(name, number)),
    ...Object.entries(inputs).flatMap(([name, shape]) => value(11, name, shape)),
    ...value(12, 'y', output),
  ];
  const model = [...integer(1, 8), ...bytes(7, graph), ...bytes(8, [...text(1, ''), ...integer(2, 17)])];
  const session = await ort.InferenceSession.create(Uint8Array.from(model), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const feeds = {};
  for (const [name, shape] of Object.entries(inputs)) {
    feeds[name] = new ort.Tensor('float32', uniform(shape.reduce((a, b) => a * b, 1)), shape);
  }
  return { run: () => session.run(feeds), dispose: () => session.release() };
}

function conv(c) {
  const { batch, groups, inputChannels, filters } = c;
  const pads = [c.padding[0][0], c.padding[1][0], c.padding[0][1], c.padding[1][1]];
  if (pads.some((size) => size < 0)) unable('no negative padding');
  const common = { strides: c.strides, dilations: c.dilation, kernel_shape: c.kernel, group: groups };
  const xShape = [batch, inputChannels, ...c.spatial];
  const kernelShape = [filters, inputChannels / groups, ...c.kernel];
  const yShape = [batch, filters, ...c.output];
  switch (c.direction) {
    case 'forward':
      return open({
        nodes: [node('Conv', ['x', 'w'], 'y', { ...common, pads })],
        inputs: { x: xShape, w: kernelShape },
        output: yShape,
      });
    case 'inputGradient': {
      // what the strides leave over at the far edge
      const left = c.spatial.map((size, i) => {
        const covered = (c.output[i] - 1) * c.strides[i] + (c.kernel[i] - 1) * c.dilation[i] + 1;
        return size - (covered - c.padding[i][0] - c.padding[i][1]);
      });
      return open({
        nodes: [node('ConvTranspose', ['x', 'w'], 'y', { ...common, pads, output_padding: left })],
        inputs: { x: yShape, w: kernelShape },
        output: xShape,
      });
    }
    default:
      return unable('no training');
  }
}

await serve(`onnxruntime ${version}`, (c) => {
  switch (c.kind) {
    case 'gemm':
      return open({
        nodes: [node('MatMul', ['a', 'b'], 'y')],
        inputs: { a: [c.m, c.k], b: [c.k, c.n] },
        output: [c.m, c.n],
      });
    case 'conv':
      return conv(c);
    case 'elementwise':
      return open({
        nodes: [
          node('Mul', ['x', 'a'], '1'),
          node('Add', ['1', 'b'], '2'),
          node('Tanh', ['2'], '3'),
          node('Mul', ['3', 'c'], '4'),
          node('Add', ['4', 'x'], '5'),
          node('Relu', ['5'], 'y'),
        ],
        inputs: { x: [c.elements] },
        output: [c.elements],
        scalars: { a: 1.5, b: 0.25, c: 2 },
      });
    default:
      return unable('no training');
  }
});
