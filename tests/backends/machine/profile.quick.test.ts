/** Programs whose steps are run one by one: the same results as the whole, and what is said of each step. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { copyLimit, MachineDevice, multiplyAddLimit, ProfilingDevice } from '../../../src/backends/machine/index.js';
import { nodeEngine, SinglePool, wasmDevice } from '../../../src/backends/wasm/index.js';
import {
  compile,
  cond,
  grad,
  Parameter,
  scan,
  type Tensor,
  tensor,
  useDevice,
  withLabel,
} from '../../../src/core/index.js';
import { numbers } from '../../engine/agree.js';

const device = wasmDevice({ engine: nodeEngine(), createPool: (memory) => new SinglePool(memory) });
/** A clock that goes on by so much at each look: the launch takes one tick, and so does each step. */
const ticking = (): (() => number) => {
  let time = 0;
  return () => time++;
};

const x = numbers([6, 5], 'float32', 1);
const kernel = numbers([5, 4], 'float32', 2);

const programs: Readonly<Record<string, () => readonly Tensor[]>> = {
  'kernels that wait for one another, and some that do not': () => {
    const y = x.matmul(kernel);
    return [y.relu().sum({ axis: 0 }), y.exp(), x.max({ axis: 1 })];
  },
  'a gradient': () => [grad((k: Tensor) => x.matmul(k).tanh().square().mean())(kernel)],
  'a scan, one step of the program': () => {
    const [last, all] = scan((state: Tensor, row: Tensor) => [state.add(row).tanh(), state.mul(row)], x.slice(0), x);
    return [last, all];
  },
  'a branch, one step of the program': () => [
    cond(
      x.sum().greater(0),
      () => x.matmul(kernel).relu(),
      () => x.matmul(kernel),
    ),
  ],
};

for (const [name, program] of Object.entries(programs)) {
  test(`step by step as whole: ${name}`, () => {
    useDevice(device);
    const whole = compile(program)().map((y) => y.dataSync());
    useDevice(new ProfilingDevice(device, { rounds: 3, now: ticking() }));
    assert.deepEqual(
      compile(program)().map((y) => y.dataSync()),
      whole,
    );
  });
}

test('what is updated in place is updated once a round', () => {
  const parameter = new Parameter('weight', [3]);
  parameter.assign(tensor([1, 2, 3]));
  const double = compile(() => parameter.assign(parameter.value.mul(2)));
  useDevice(device);
  double(); // from here on the values are the parameter's own
  useDevice(new ProfilingDevice(device, { rounds: 2 }));
  double();
  assert.deepEqual([...parameter.value.dataSync()], [8, 16, 24]);
});

test('what is said of each step', () => {
  const profiling = new ProfilingDevice(device, { rounds: 2, now: ticking() });
  useDevice(profiling);
  const weight = new Parameter('weight', [5, 4]);
  weight.assign(kernel);
  compile(() => {
    const y = withLabel('dense_1', () => x.matmul(weight.value).relu());
    weight.assign(withLabel('dense_1', () => weight.value.mul(0.5)));
    return withLabel('sum', () => y.sum({ axis: 0 }));
  })();
  const [profile] = profiling.profiles;
  assert.deepEqual(
    profile!.steps.map(({ functions, label, kind, updates, jobs, flops, bytes }) => ({
      ...{ functions, label, kind, updates, jobs, flops, bytes },
    })),
    [
      // 6 · 4 · 5 multiply-adds; 30 + 20 + 24 floats
      { functions: ['k0 dot'], label: 'dense_1', kind: 'contraction', updates: false, jobs: 1, flops: 240, bytes: 296 },
      { functions: ['k1 mul'], label: 'dense_1', kind: 'loop', updates: true, jobs: 1, flops: 20, bytes: 160 },
      // a maximum and a sum for each of 24
      { functions: ['k2 reduceSum'], label: 'sum', kind: 'loop', updates: false, jobs: 1, flops: 48, bytes: 112 },
    ],
  );
  // a look before and one after: a tick, as long as the launch
  assert.deepEqual([profile!.launchMilliseconds, ...profile!.steps.map((step) => step.milliseconds)], [1, 0, 0, 0]);
  for (const name of profile!.steps.flatMap(({ functions }) => functions))
    assert.ok(profile!.listing.includes(`func $${name} `), name);
  assert.match(profile!.steps[0]!.kernel, /^dot: for m0<6 n0<4\n/);
  assert.equal(profile!.steps[0]!.schedule.trim(), 'right tile m06×n04:');
});

test('the limits are figures', () => {
  assert.ok(device instanceof MachineDevice);
  for (const limit of [multiplyAddLimit(device), copyLimit(device, 100_000), copyLimit(device, 5_000_000)])
    assert.ok(Number.isFinite(limit) && limit > 0.01, `${limit}`);
});
