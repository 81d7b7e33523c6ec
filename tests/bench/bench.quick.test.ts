import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases, flopsOf } from '../../bench/cases.js';
import { alternate, median } from '../../bench/measure.js';
import { formatTable } from '../../bench/report.js';
import { drawShapes, shapesFolder } from '../../bench/shapes.js';

test('cases have names of their own and operations to count', () => {
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length);
  const flops = new Map(cases.map((problem) => [problem.name, flopsOf(problem)]));
  assert.equal(flops.get('gemm 256x256x256'), 2 * 256 ** 3);
  assert.equal(flops.get('conv 32,32,26,32 p0 forward'), 2 * 32 * 24 * 24 * 32 * 32 * 9);
});

const folder = shapesFolder();
const skip = folder === undefined && 'KILN_SHARED_DATA names no folder that holds benchdnn-shapes';

test('drawn shapes are the same for the same seed, within their bounds, and fit together', { skip }, () => {
  const options = { count: 2000, seed: 3, maxMacs: 1e6 };
  const drawn = drawShapes(folder!, options);
  assert.equal(drawn.length, options.count);
  assert.deepEqual(drawn, drawShapes(folder!, options));
  assert.notDeepEqual(drawn, drawShapes(folder!, { ...options, seed: 4 }));
  for (const problem of drawn) {
    assert.ok(flopsOf(problem) <= 2e6, problem.name);
    if (problem.kind !== 'conv') continue;
    const { spatial, kernel, strides, padding, dilation, output, groups, inputChannels, filters } = problem;
    assert.equal(inputChannels % groups, 0, problem.name);
    assert.equal(filters % groups, 0, problem.name);
    const sizes = spatial.map((size, axis) => {
      const padded = size + padding[axis]![0] + padding[axis]![1];
      return Math.floor((padded - dilation[axis]! * (kernel[axis]! - 1) - 1) / strides[axis]!) + 1;
    });
    assert.deepEqual(sizes, output, problem.name);
  }
});

test('contestants alternate, and a slow one has one turn', async () => {
  const turns: string[] = [];
  const contestant = (name: string, ms: number) => ({
    name,
    run: async (times: number) => {
      turns.push(`${name} ${times}`);
      return new Array<number>(times).fill(ms);
    },
  });
  const medians = await alternate([contestant('a', 30), contestant('b', 20), contestant('slow', 3000)], {
    rounds: 2,
    turnMs: 60,
  });
  assert.deepEqual(turns, ['a 1', 'b 1', 'slow 1', 'a 2', 'b 3', 'a 2', 'b 3']);
  assert.deepEqual(
    [...medians],
    [
      ['a', 30],
      ['b', 20],
      ['slow', 3000],
    ],
  );
  assert.equal(median([3, 1, 2, 10]), 2.5);
});

test('the table is Markdown that reads as text too', () => {
  const rows = [
    {
      case: 'gemm 256',
      device: 'wasm',
      ms: 1.234,
      gflops: 27.19,
      fractionOfLimit: 0.481,
      peers: { torch: 0.21 },
      ratio: 0.17,
    },
    { case: 'mnist step b32', device: 'wasm', peers: { 'jax-js': 2950 } },
  ];
  assert.equal(
    formatTable(rows),
    `
| case           | device |   ms | GFLOP/s | of limit | torch | jax-js | ratio |
| -------------- | ------ | ---: | ------: | -------: | ----: | -----: | ----: |
| gemm 256       | wasm   | 1.23 |    27.2 |     0.48 | 0.210 |        |  0.17 |
| mnist step b32 | wasm   |      |         |          |       |   2950 |       |
`.trim(),
  );
});
