/**
 * Speed of contraction kernels in one thread, without the rest of Kiln: each as a fraction of what the engine reaches with
 * multiply-adds in registers. Times are sums over the jobs of each job's best, so that other processes disturb them less.
 * `node dist/bench/nests.js [part of a name …]`
 */
import { ModuleBuilder } from '../src/backends/wasm/assembler.js';
import { WebAssembly } from '../src/backends/wasm/webassembly.js';
import { HostRandom, Tensor } from '../src/core/index.js';
import { engine, lowerFunction, makeRunner, target } from '../tests/backends/wasm/kernel-runner.js';

type Function_ = (...inputs: Tensor[]) => readonly Tensor[];

interface Case {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly f: Function_;
  /** Multiplications and additions. */
  readonly work: number;
}

const cases: Case[] = [];

for (const [m, n, k] of [
  [256, 256, 256],
  [1024, 1024, 1024],
  [8, 512, 512],
  [50, 2048, 512],
  [128, 128, 4608],
  [128, 10, 128],
  [1, 512, 512],
] as const) {
  for (const [way, left, right] of [
    ['NN', [m, k], [k, n]],
    ['NT', [m, k], [n, k]],
    ['TN', [k, m], [k, n]],
  ] as const) {
    const [a, b] = [way[0] === 'T' ? 0 : 1, way[1] === 'T' ? 1 : 0];
    cases.push({
      name: `gemm ${m}×${n}×${k} ${way}`,
      shapes: [left, right],
      f: (x, y) => [x!.dot(y!, { leftContract: [a], rightContract: [b], leftBatch: [], rightBatch: [] })],
      work: 2 * m * n * k,
    });
  }
}

interface Conv {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly o: number;
  readonly k?: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly groups?: number;
}

/** n batch, c channels, h height and width, o filters. */
const convolutions: readonly Conv[] = [
  { n: 32, c: 1, h: 28, o: 32, pad: 0 },
  { n: 32, c: 32, h: 26, o: 32, pad: 0 },
  { n: 16, c: 64, h: 56, o: 64 },
  { n: 8, c: 128, h: 56, o: 128 },
  { n: 4, c: 256, h: 28, o: 256 },
  { n: 4, c: 512, h: 14, o: 512 },
  { n: 1, c: 3, h: 224, o: 64 },
  { n: 16, c: 64, h: 56, o: 128, stride: 2 },
  { n: 16, c: 256, h: 14, o: 512, k: 1, pad: 0 },
  { n: 8, c: 3, h: 224, o: 64, k: 7, stride: 2, pad: 3 },
  { n: 8, c: 128, h: 56, o: 128, groups: 128 },
  { n: 8, c: 64, h: 28, o: 64, groups: 8 },
];

for (const { n, c, h, o, k = 3, stride = 1, pad = 1, groups = 1 } of convolutions) {
  const out = Math.floor((h + 2 * pad - k) / stride) + 1;
  const params = {
    strides: [stride, stride],
    padding: [
      [pad, pad],
      [pad, pad],
    ] as const,
    dilation: [1, 1],
    groups,
  };
  const [x, w, y] = [
    [n, h, h, c],
    [k, k, c / groups, o],
    [n, out, out, o],
  ];
  const work = 2 * n * out * out * o * k * k * (c / groups);
  const name = `conv ${n},${c},${h},${o} ${k}×${k}/${stride}p${pad}${groups > 1 ? ` g${groups}` : ''}`;
  cases.push(
    { name: `${name} forward`, shapes: [x!, w!], f: (a, b) => [a!.conv(b!, params)], work },
    {
      name: `${name} input`,
      shapes: [y!, w!],
      f: (a, b) => [a!.convInputGradient(b!, { ...params, inputSizes: [h, h] })],
      work,
    },
    {
      name: `${name} kernel`,
      shapes: [x!, y!],
      f: (a, b) => [a!.convKernelGradient(b!, { ...params, kernelSizes: [k, k] })],
      work,
    },
  );
}

const gemm = (
  name: string,
  [m, n, k]: readonly [number, number, number],
  f: Function_,
  left = [m, k],
  right = [k, n],
): Case => ({
  name: `${name} ${m}×${n}×${k}`,
  shapes: [left, right, [n]],
  f,
  work: 2 * m * n * k,
});
/** What layers fuse into products: bias and activation behind it, activations of others before it. */
cases.push(
  gemm('dense', [32, 128, 9216], (x, w, b) => [x!.matmul(w!).add(b!).relu()]),
  gemm('dense', [128, 128, 9216], (x, w, b) => [x!.matmul(w!).add(b!).relu()]),
  gemm('dense kernel', [9216, 128, 32], (x, w) => [x!.transpose().matmul(w!)], [32, 9216], [32, 128]),
  gemm('dense input', [32, 9216, 128], (x, w) => [x!.matmul(w!.transpose())], [32, 128], [9216, 128]),
  gemm('relu before', [512, 512, 512], (x, w) => [x!.relu().matmul(w!)]),
  gemm('relu before both', [512, 512, 512], (x, w) => [x!.relu().matmul(w!.relu())]),
  {
    name: 'conv, bias, relu 16,64,56,64',
    shapes: [[16, 56, 56, 64], [3, 3, 64, 64], [64]],
    f: (x, w, b) => [x!.conv2d(w!, { padding: 'same' }).add(b!).relu()],
    work: 2 * 16 * 56 * 56 * 64 * 64 * 9,
  },
  {
    name: 'conv, bias, relu 32,1,28,32',
    shapes: [[32, 28, 28, 1], [3, 3, 1, 32], [32]],
    f: (x, w, b) => [x!.conv2d(w!).add(b!).relu()],
    work: 2 * 32 * 26 * 26 * 32 * 9,
  },
  {
    name: 'scale, shift, relu, conv 16,64,56,64',
    shapes: [[16, 56, 56, 64], [3, 3, 64, 64], [64]],
    f: (x, w, b) => [x!.mul(b!).add(b!).relu().conv2d(w!, { padding: 'same' })],
    work: 2 * 16 * 56 * 56 * 64 * 64 * 9,
  },
);

const now = (): number => performance.now();

function best(f: () => void, milliseconds: number): number {
  let least = Number.POSITIVE_INFINITY;
  const end = now() + milliseconds;
  do {
    const start = now();
    f();
    least = Math.min(least, now() - start);
  } while (now() < end);
  return least;
}

/** GFLOP/s of multiply-adds on twelve vectors that never leave registers. */
function registerLimit(): number {
  const module = new ModuleBuilder();
  const f = module.function('peak', ['i32'], ['i32']);
  const sums = Array.from({ length: 12 }, () => f.local('v128'));
  const [a, b] = [f.local('v128'), f.local('v128')];
  f.loop((again) => {
    for (let i = 0; i < 4; i++) {
      for (const sum of sums) {
        if (engine.features.relaxedMadd) f.get(a).get(b).get(sum).op('f32x4.relaxed_madd').set(sum);
        else f.get(sum).get(a).get(b).op('f32x4.mul').op('f32x4.add').set(sum);
      }
    }
    f.get(f.params[0]!).i32(1).op('i32.sub').tee(f.params[0]!).brIf(again);
  });
  sums.forEach((sum, i) => (i === 0 ? f.get(sum) : f.get(sum).op('v128.or')));
  f.op('v128.any_true');
  module.export('peak', f);
  const { exports } = new WebAssembly.Instance(engine.compile(module.finish()));
  const rounds = 100_000;
  return (rounds * 48 * 8) / best(() => void exports['peak']!(rounds), 400) / 1e6;
}

const filters = process.argv.slice(2);
const limit = registerLimit();
console.log(`${target.name}, V8 ${process.versions.v8}: ${limit.toFixed(1)} GFLOP/s with sums in registers`);
const random = new HostRandom(1);
for (const { name, shapes, f, work } of cases) {
  if (filters.length > 0 && !filters.every((filter) => name.includes(filter))) continue;
  const inputs = shapes.map((shape) =>
    Tensor.fromHost({ dtype: 'float32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }),
  );
  const program = lowerFunction(f, inputs);
  const started = now();
  const runner = makeRunner(program, { split: true });
  const made = now() - started;
  for (const { id, role } of program.buffers) {
    if (role.kind !== 'input') continue;
    const values = Float32Array.from(random.uniform(program.buffers[id]!.elements), (u) => 2 * u - 1);
    runner.bytesOf(id).set(new Uint8Array(values.buffer));
  }
  const least: number[] = [];
  best(() => runner.time(least), Math.max(300, work / 2e6));
  const time = least.reduce((a, b) => a + b, 0);
  const speed = work / time / 1e6;
  console.log(
    `${name.padEnd(38)} ${time.toFixed(3).padStart(8)} ms ${speed.toFixed(1).padStart(5)} GFLOP/s ${(speed / limit).toFixed(2)}  ${String(runner.jobs).padStart(3)} jobs ${String(runner.codeBytes).padStart(6)} B ${made.toFixed(0).padStart(3)} ms  ${runner.schedules.join(' ;; ')}`,
  );
}
