/** Contractions of sizes that nobody chose for Kiln (oneDNN's own tests, drawn by a seed): each device against the float64 reference. */
import test from 'node:test';
import type { BenchCase } from '../../bench/cases.js';
import { drawShapes, shapesFolder } from '../../bench/shapes.js';
import { traceFunction } from '../../src/core/execute.js';
import {
  type ConvParams,
  compile,
  HostRandom,
  interpret,
  type Shape,
  sizeOf,
  streamOf,
  Tensor,
} from '../../src/core/index.js';
import { assertClose } from '../check-op.js';
import { onEachDevice } from '../devices.js';

const folder = shapesFolder();
const skip = folder === undefined && 'KILN_SHARED_DATA names no folder that holds benchdnn-shapes';

/** Shapes of the two operands, and what is done with them. */
function problemOf(problem: BenchCase): { operands: [Shape, Shape]; f: (a: Tensor, b: Tensor) => Tensor } {
  if (problem.kind === 'gemm') {
    const { m, n, k } = problem;
    return {
      operands: [
        [m, k],
        [k, n],
      ],
      f: (a, b) => a.matmul(b),
    };
  }
  if (problem.kind !== 'conv') throw new Error(`${problem.name} is no contraction`);
  const { batch, groups, inputChannels, filters, spatial, output, kernel, strides, padding, dilation } = problem;
  const params: ConvParams = { strides, padding, dilation, groups };
  const x = [batch, ...spatial, inputChannels];
  const weights = [...kernel, inputChannels / groups, filters];
  const y = [batch, ...output, filters];
  switch (problem.direction) {
    case 'forward':
      return { operands: [x, weights], f: (a, b) => a.conv(b, params) };
    case 'inputGradient':
      return { operands: [y, weights], f: (a, b) => a.convInputGradient(b, { ...params, inputSizes: spatial }) };
    case 'kernelGradient':
      return { operands: [x, y], f: (a, b) => a.convKernelGradient(b, { ...params, kernelSizes: kernel }) };
  }
}

test('three hundred drawn contractions', { skip }, async (t) => {
  for (const problem of drawShapes(folder!, { count: 300, seed: 7, maxMacs: 200_000 })) {
    await t.test(problem.name, () => {
      const { operands, f } = problemOf(problem);
      const random = new HostRandom(1, streamOf(problem.name));
      const [a, b] = operands.map((shape) =>
        Tensor.fromHost({ dtype: 'float32', shape, data: Float32Array.from(random.normal(sizeOf(shape))) }),
      ) as [Tensor, Tensor];
      const { graph } = traceFunction((_, x: never, y: never) => f(x, y), [a, b]);
      const given = [a, b].map((x) => ({ shape: x.shape, dtype: x.dtype, data: Float64Array.from(x.dataSync()) }));
      const [expected] = interpret(graph, given);
      onEachDevice((device) => assertClose(device, compile(f)(a, b), expected!, 1e-5));
    });
  }
});
