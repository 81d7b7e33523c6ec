/**
 * Three hundred small problems of oneDNN's own tests against the reference: 1-D and 2-D, strided, dilated, grouped, depthwise,
 * padded unevenly and negatively, in all three directions.
 */
import test from 'node:test';
import type { BenchCase, ConvCase } from '../../bench/cases.js';
import { drawShapes, shapesFolder } from '../../bench/shapes.js';
import { apply, type Tensor, useDevice } from '../../src/core/index.js';
import { agree, numbers, wasmWith } from './agree.js';

useDevice(wasmWith(1));

const folder = shapesFolder();
const batches = 12;
const perBatch = 25;

function run(problem: BenchCase): Tensor {
  if (problem.kind === 'gemm') {
    const { m, n, k } = problem;
    return numbers([m, k]).matmul(numbers([k, n], 'float32', 2));
  }
  if (problem.kind !== 'conv') throw new Error(`no problem of oneDNN's: ${problem.kind}`);
  const { batch, groups, inputChannels, filters, spatial, kernel, strides, padding, dilation, output } = problem;
  const params = { strides, padding, dilation, groups };
  const x = numbers([batch, ...spatial, inputChannels]);
  const weights = numbers([...kernel, inputChannels / groups, filters], 'float32', 2);
  const dy = numbers([batch, ...output, filters], 'float32', 3);
  switch (problem.direction) {
    case 'forward':
      return apply('conv', [x, weights], params);
    case 'inputGradient':
      return apply('convInputGradient', [dy, weights], { ...params, inputSizes: spatial });
    case 'kernelGradient':
      return apply('convKernelGradient', [x, dy], { ...params, kernelSizes: kernel });
  }
}

/** Drawn by a seed, with quotas for what is rare among those that are small. */
function draw(from: string): BenchCase[] {
  const options = { seed: 20, maxMacs: 1e6 };
  const gemms = drawShapes(from, { ...options, count: 40, kinds: ['gemm'] });
  const convs = drawShapes(from, { ...options, count: 5000, kinds: ['conv'] }).filter(({ kind }) => kind === 'conv');
  const take = (count: number, fits: (problem: ConvCase) => boolean): BenchCase[] => {
    const taken = convs.filter((problem) => fits(problem as ConvCase)).slice(0, count);
    for (const problem of taken) convs.splice(convs.indexOf(problem), 1);
    return taken;
  };
  const grouped = take(10, ({ groups, inputChannels }) => groups > 1 && groups < inputChannels);
  const negative = take(20, ({ padding }) => padding.flat().some((amount) => amount < 0));
  const planes = take(100, ({ spatial }) => spatial[0] > 1);
  return [...gemms, ...grouped, ...negative, ...planes, ...convs].slice(0, batches * perBatch);
}

if (folder === undefined) {
  test('problems of oneDNN', { skip: 'the folder benchdnn-shapes is absent: see bench/shapes.ts' }, () => {});
} else {
  const drawn = draw(folder);
  for (let b = 0; b < batches; b++) {
    const problems = drawn.slice(b * perBatch, (b + 1) * perBatch);
    test(`problems ${b * perBatch + 1} … ${b * perBatch + problems.length}`, () => {
      for (const problem of problems) agree(problem.name, () => run(problem), { compiled: false });
    });
  }
}
