/**
 * What each stage makes of one small step, as text: graph, fusion, memory plan, kernels.
 * `KILN_UPDATE_GOLDEN=1 node --test dist/tests/engine/stages.quick.test.js` writes the files anew; the diff is to be read.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeEngine, SinglePool, wasmDevice } from '../../src/backends/wasm/index.js';
import {
  compile,
  grad,
  Parameter,
  scan,
  type Tensor,
  useDevice,
  valueAndGrad,
  withLabel,
  zeros,
} from '../../src/core/index.js';
import { numbers } from './agree.js';

type Stage = 'graph' | 'fusion' | 'plan' | 'kernels';

/** Runs `f` on a device that shows its stages; returns the texts of the last program it compiled. */
function stagesOf(f: () => unknown): Record<Stage, string> {
  let texts: Partial<Record<Stage, string>> = {};
  useDevice(
    wasmDevice({
      engine: nodeEngine(),
      createPool: (memory) => new SinglePool(memory),
      show: (stage, text) => {
        if (stage === 'graph') texts = {};
        // bodies of loops are fused before what is around them
        texts[stage] = texts[stage] === undefined ? text() : `${texts[stage]}\n\n${text()}`;
      },
    }),
  );
  f();
  return texts as Record<Stage, string>;
}

function checkGolden(name: string, stage: Stage, text: string): void {
  const folder = fileURLToPath(new URL(`../../../tests/golden/compiler/${name}`, import.meta.url));
  const file = `${folder}/${stage}.txt`;
  if (process.env['KILN_UPDATE_GOLDEN'] === '1') {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, `${text}\n`);
  }
  assert.equal(`${text}\n`, readFileSync(file, 'utf8'), `${name}, ${stage}: KILN_UPDATE_GOLDEN=1 writes it anew`);
}

const filled = (name: string, shape: readonly number[], seed: number): Parameter => {
  const parameter = new Parameter(name, shape);
  parameter.assign(numbers(shape, 'float32', seed));
  return parameter;
};

/** A step of a network of two Dense layers: hidden relu, squared error, gradient descent. */
function perceptronStep(): void {
  const parameters = {
    kernel1: filled('dense_1/kernel', [6, 8], 1),
    bias1: filled('dense_1/bias', [8], 2),
    kernel2: filled('dense_2/kernel', [8, 3], 3),
    bias2: filled('dense_2/bias', [3], 4),
  };
  const step = compile((x: Tensor, y: Tensor) => {
    const { value, gradients } = valueAndGrad(() => {
      const hidden = withLabel('dense_1', () => x.matmul(parameters.kernel1.value).add(parameters.bias1.value).relu());
      const output = withLabel('dense_2', () => hidden.matmul(parameters.kernel2.value).add(parameters.bias2.value));
      return withLabel('loss', () => output.sub(y).square().mean());
    }, parameters);
    for (const [name, parameter] of Object.entries(parameters)) {
      parameter.assign(parameter.value.sub(gradients[name as 'kernel1'].mul(0.1)));
    }
    return value;
  });
  step(numbers([4, 6]), numbers([4, 3], 'float32', 5));
}

/** Which parts of a softmax and its gradient share kernels. */
function softmaxGradient(): void {
  const x = numbers([4, 10]);
  const y = numbers([4, 10], 'float32', 2);
  compile(() => grad((own: Tensor) => own.logSoftmax({ axis: -1 }).mul(y).sum())(x))();
}

/** A recurrent loop: what is computed in each round, and what lies in slices. */
function loop(): void {
  const kernel = numbers([4, 4]);
  const xs = numbers([5, 2, 4], 'float32', 2);
  compile(() =>
    scan(
      (h: Tensor, x: Tensor) => {
        const next = h.matmul(kernel).add(x).relu();
        return [next, next];
      },
      zeros([2, 4]),
      xs,
    ),
  )();
}

for (const [name, f, stages] of [
  ['perceptron-step', perceptronStep, ['graph', 'fusion', 'plan']],
  ['recurrent-loop', loop, ['graph', 'fusion', 'plan']],
  // its plan would tell the coefficients of exp and log
  ['softmax-gradient', softmaxGradient, ['graph', 'fusion']],
] as const) {
  test(name, () => {
    const texts = stagesOf(f);
    for (const stage of stages) checkGolden(name, stage, texts[stage]);
  });
}

test('kernels are listed with their schedules', () => {
  const { kernels } = stagesOf(perceptronStep);
  assert.match(kernels, /lanes on|scalar/);
  assert.match(kernels, /f32x4\.|v128\./);
  assert.match(kernels, /dense_1/);
});

const door = new URL('../../src/index.js', import.meta.url).href;
const runWith = (debug: string): { readonly stderr: string; readonly stdout: string } =>
  spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { tensor } from '${door}'; console.log([...tensor([1, 2]).add(1).dataSync()]);`,
    ],
    { env: { ...process.env, KILN_DEBUG: debug, KILN_THREADS: '1' }, encoding: 'utf8' },
  );

test('KILN_DEBUG prints the stages it names, to stderr', () => {
  const all = runWith('graph,fusion,plan,kernels');
  assert.equal(all.stdout, '[ 2, 3 ]\n');
  const headings = (text: string): string[] => [
    ...new Set([...text.matchAll(/^— (\w+) —$/gm)].map(([, name]) => name!)),
  ];
  assert.deepEqual(headings(all.stderr), ['graph', 'fusion', 'plan', 'kernels']);
  assert.deepEqual(headings(runWith('plan').stderr), ['plan']);
  assert.equal(runWith('').stderr, '');
});

test('KILN_DEBUG with a stage that is not there', () => {
  assert.match(
    runWith('graph,plans').stderr,
    /KilnError: KILN_DEBUG: there is no stage plans\n {2}Stages are graph, fusion, plan, kernels\./,
  );
});
