import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ContractionNest,
  type ContractionSchedule,
  launchesOf,
  printSchedule,
  scheduleContraction,
  verifySchedule,
  wasmTarget,
} from '../../../src/compiler/index.js';
import { interpretProgram } from '../../../src/compiler/interpret-program.js';
import { HostRandom, InternalError, streamOf, Tensor, type TypedArray, viewAs } from '../../../src/core/index.js';
import { lowerFunction, makeRunner, type RunnerOptions } from './kernel-runner.js';

type Function_ = (...inputs: Tensor[]) => readonly Tensor[];

const random = new HostRandom(7, streamOf('contraction'));
const normal = (shape: readonly number[]): Tensor => {
  const size = shape.reduce((product, n) => product * n, 1);
  return Tensor.fromHost({ dtype: 'float32', shape, data: Float32Array.from(random.uniform(size), (u) => 2 * u - 1) });
};

type Shapes = readonly (readonly number[])[];

interface Results {
  readonly schedules: string;
  readonly outputs: readonly TypedArray[];
}

function results(f: Function_, inputs: readonly Tensor[], options: RunnerOptions): Results {
  const program = lowerFunction(f, inputs);
  const runner = makeRunner(program, options);
  for (const { id, role } of program.buffers) {
    if (role.kind === 'input')
      runner.bytesOf(id).set(new Uint8Array(Float32Array.from(inputs[role.index]!.dataSync()).buffer));
  }
  runner.run();
  runner.checkFences();
  const outputs = program.outputs.map((id) => {
    const { dtype, elements } = program.buffers[id]!;
    return viewAs(dtype, runner.bytesOf(id).slice().buffer as ArrayBuffer, 0, elements);
  });
  return { schedules: runner.schedules.join(' ;; '), outputs };
}

function interpreted(f: Function_, inputs: readonly Tensor[]): readonly TypedArray[] {
  const program = lowerFunction(f, inputs);
  const data = inputs.map((input) => Float32Array.from(input.dataSync()).buffer as ArrayBuffer);
  return interpretProgram(program, data).map((bytes, i) => {
    const { dtype, elements } = program.buffers[program.outputs[i]!]!;
    return viewAs(dtype, bytes, 0, elements);
  });
}

/** Results agree within 1e-5 of the norm. */
function assertClose({ schedules, outputs }: Results, expected: readonly TypedArray[]): void {
  outputs.forEach((got, i) => {
    const want = expected[i]!;
    let error = 0;
    let norm = 0;
    for (let j = 0; j < want.length; j++) {
      error += (want[j]! - got[j]!) ** 2;
      norm += want[j]! ** 2;
    }
    const relative = Math.sqrt(error / Math.max(norm, 1e-30));
    assert.ok(relative < 1e-5, `output ${i} is off by ${relative}: ${schedules}`);
  });
}

/** Runs a function's kernels and the interpreter on the same random inputs. */
function check(f: Function_, shapes: Shapes, options: RunnerOptions = {}, expect?: RegExp): void {
  const inputs = shapes.map(normal);
  const got = results(f, inputs, options);
  if (expect) assert.match(got.schedules, expect);
  assertClose(got, interpreted(f, inputs));
}

const dot =
  (left: number, right: number): Function_ =>
  (x, y) => [x!.dot(y!, { leftContract: [left], rightContract: [right], leftBatch: [], rightBatch: [] })];

const matrix = (rows: number, columns: number, isTransposed: boolean): number[] =>
  isTransposed ? [columns, rows] : [rows, columns];

for (const [m, n, k] of [
  [1, 1, 1],
  [7, 13, 5],
  [3, 12, 40],
  [33, 70, 29],
  [64, 10, 128],
  [2, 3, 1],
  [17, 100, 700],
  [20, 24, 1100],
  [130, 66, 64],
] as const) {
  for (const [a, b] of ['NN', 'NT', 'TN', 'TT'].map((way) => [way[0] === 'T', way[1] === 'T'] as const)) {
    test(`product ${m} × ${n} over ${k}${a ? ', left transposed' : ''}${b ? ', right transposed' : ''}`, () => {
      check(dot(a ? 0 : 1, b ? 1 : 0), [matrix(m, k, a), matrix(k, n, b)]);
    });
  }
}

test('products of a batch', () => {
  check(
    (x, y) => [x!.matmul(y!)],
    [
      [5, 9, 7],
      [5, 7, 11],
    ],
  );
  check(
    (x, y) => [x!.matmul(y!.transpose([0, 2, 1]))],
    [
      [4, 20, 33],
      [4, 18, 33],
    ],
  );
});

interface Conv {
  readonly x: readonly number[];
  readonly kernel: readonly number[];
  readonly strides?: readonly number[];
  readonly padding?: readonly (readonly [number, number])[];
  readonly dilation?: readonly number[];
  readonly groups?: number;
}

function checkConv({ x, kernel, ...rest }: Conv, options: RunnerOptions = {}): void {
  const rank = x.length - 2;
  const params = {
    strides: rest.strides ?? new Array(rank).fill(1),
    padding: rest.padding ?? Array.from({ length: rank }, () => [0, 0] as const),
    dilation: rest.dilation ?? new Array(rank).fill(1),
    groups: rest.groups ?? 1,
  };
  const spatial = x.slice(1, -1).map((size, axis) => {
    const [before, after] = params.padding[axis]!;
    const reach = params.dilation[axis] * (kernel[axis]! - 1) + 1;
    return Math.floor((size + before + after - reach) / params.strides[axis]) + 1;
  });
  const dy = [x[0]!, ...spatial, kernel.at(-1)!];
  check((a, k) => [a!.conv(k!, params)], [x, kernel], options);
  check((d, k) => [d!.convInputGradient(k!, { ...params, inputSizes: x.slice(1, -1) })], [dy, kernel], options);
  check((a, d) => [a!.convKernelGradient(d!, { ...params, kernelSizes: kernel.slice(0, -2) })], [x, dy], options);
}

const square = (n: number): readonly (readonly [number, number])[] => [
  [n, n],
  [n, n],
];

const convolutions: readonly (readonly [string, Conv])[] = [
  ['one channel, unpadded', { x: [2, 9, 9, 1], kernel: [3, 3, 1, 16] }],
  ['padded by 1', { x: [2, 8, 7, 5], kernel: [3, 3, 5, 12], padding: square(1) }],
  ['three channels, stride 2', { x: [2, 11, 12, 3], kernel: [3, 3, 3, 8], strides: [2, 2], padding: square(1) }],
  ['dilated', { x: [1, 12, 11, 4], kernel: [3, 2, 4, 6], dilation: [2, 3], padding: square(2) }],
  [
    'stride and dilation',
    { x: [1, 13, 14, 4], kernel: [3, 3, 4, 4], strides: [2, 3], dilation: [3, 2], padding: square(3) },
  ],
  ['groups', { x: [2, 6, 6, 8], kernel: [3, 3, 2, 12], groups: 4, padding: square(1) }],
  ['depthwise', { x: [2, 6, 6, 8], kernel: [3, 3, 1, 8], groups: 8, padding: square(1) }],
  ['one filter', { x: [2, 6, 6, 8], kernel: [3, 3, 8, 1], padding: square(1) }],
  ['one by one', { x: [2, 7, 7, 20], kernel: [1, 1, 20, 24] }],
  [
    'uneven padding',
    {
      x: [3, 5, 6, 7],
      kernel: [4, 4, 7, 9],
      padding: [
        [2, 1],
        [0, 3],
      ],
    },
  ],
  ['one dimension', { x: [3, 30, 6], kernel: [5, 6, 7], strides: [2], padding: [[2, 2]] }],
  [
    'three dimensions',
    {
      x: [1, 5, 4, 6, 3],
      kernel: [2, 3, 2, 3, 5],
      padding: [
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    },
  ],
  ['more channels than a block', { x: [1, 5, 5, 200], kernel: [3, 3, 200, 12], padding: square(1) }],
];
for (const [name, row] of convolutions) {
  test(`convolution and its gradients: ${name}`, () => checkConv(row));
}

test('without fused multiply-add, and with partial sums in scratch', () => {
  for (const options of [{ relaxedMadd: false }, { inPlace: false }]) {
    check(
      dot(1, 0),
      [
        [10, 1700],
        [1700, 18],
      ],
      options,
    );
    checkConv({ x: [2, 12, 12, 12], kernel: [3, 3, 12, 16], padding: square(1) }, options);
  }
});

test('stores after the sum: bias, activation, two results, other types', () => {
  check((x, w, b) => [x!.matmul(w!).add(b!).relu()], [[30, 40], [40, 18], [18]]);
  check(
    (x, w, b) => {
      const y = x!.matmul(w!).add(b!);
      return [y, y.relu()];
    },
    [[9, 40], [40, 10], [10]],
  );
  check(
    (x, w) => [x!.matmul(w!).greater(0)],
    [
      [9, 20],
      [20, 11],
    ],
  );
  check(
    (x, w) => [x!.matmul(w!).mul(5).abs().cast('uint8')],
    [
      [9, 20],
      [20, 19],
    ],
  );
  check(
    (x, w) => [x!.matmul(w!).mul(5).cast('int32')],
    [
      [9, 1200],
      [1200, 19],
    ],
  );
  check((x, w, b) => [x!.conv2d(w!, { padding: 'same' }).add(b!).tanh()], [[2, 9, 9, 3], [3, 3, 3, 10], [10]]);
});

test('operands that are computed while they are packed', () => {
  check(
    (x, w) => [x!.relu().matmul(w!)],
    [
      [30, 40],
      [40, 18],
    ],
  );
  check(
    (x, w) => [x!.transpose().matmul(w!.relu())],
    [
      [40, 30],
      [40, 18],
    ],
  );
  check(
    (x, w) => [x!.matmul(w!.mul(2).transpose())],
    [
      [30, 40],
      [18, 40],
    ],
  );
  check((x, s, w) => [x!.mul(s!).add(1).conv2d(w!, { padding: 'same' })], [[2, 9, 9, 6], [6], [3, 3, 6, 10]]);
});

test('long reductions in parts agree with whole ones', () => {
  const agree = (f: Function_, shapes: Shapes, expect: RegExp): void => {
    const inputs = shapes.map(normal);
    const parts = results(f, inputs, { split: true });
    assert.match(parts.schedules, expect);
    assertClose(parts, results(f, inputs, {}).outputs);
  };
  agree((x, w, b) => [x!.matmul(w!).add(b!).relu()], [[20, 18000], [18000, 18], [18]], /\*k0part\/1.*;; loop/);
  agree(
    dot(0, 0),
    [
      [17001, 24],
      [17001, 36],
    ],
    /part\/1.* ;; right .*;; loop/,
  );
  const kernelGradient =
    (padding: number): Function_ =>
    (x, y) => [
      x!.convKernelGradient(y!, {
        strides: [1, 1],
        padding: square(padding),
        dilation: [1, 1],
        groups: 1,
        kernelSizes: [3, 3],
      }),
    ];
  agree(
    kernelGradient(1),
    [
      [7, 60, 60, 3],
      [7, 60, 60, 16],
    ],
    /part\/1/,
  );
  agree(
    kernelGradient(0),
    [
      [33, 40, 40, 1],
      [33, 38, 38, 16],
    ],
    /part\/1/,
  );
  check((x) => [x!.sum().mul(2), x!.max()], [[301, 67]], { split: true });
  check((x) => [x!.sum({ axis: 0 }), x!.mean({ axis: 0 })], [[10007, 6]], { split: true });
});

test('lanes lie where operands and stores are contiguous', () => {
  check(
    dot(1, 1),
    [
      [3, 70],
      [50, 70],
    ],
    {},
    /^reduce along k0/,
  );
  check(
    dot(1, 1),
    [
      [1, 71],
      [9, 71],
    ],
    {},
    /^reduce along k0/,
  );
  check(
    dot(1, 1),
    [
      [2, 3000],
      [6, 3000],
    ],
    { inPlace: false },
    /^reduce along k0/,
  );
  check(
    (x, y) => [x!.matmul(y!).relu()],
    [
      [64, 64],
      [64, 64],
    ],
    {},
    /^right/,
  );
  checkConv({ x: [2, 9, 9, 20], kernel: [3, 3, 1, 20], groups: 20, strides: [2, 1], padding: square(1) });
  check(
    (x, w) => [x!.conv2d(w!, { groups: 12 })],
    [
      [2, 9, 9, 12],
      [3, 3, 1, 12],
    ],
    {},
    /^both/,
  );
});

test('tiles of engines that read rows one by one', () => {
  const options = { target: wasmTarget(13) };
  check(
    dot(1, 0),
    [
      [50, 70],
      [70, 40],
    ],
    options,
    /m06×n08/,
  );
  checkConv({ x: [2, 12, 12, 8], kernel: [3, 3, 8, 16], padding: square(1) }, options);
  checkConv({ x: [2, 12, 12, 8], kernel: [3, 3, 1, 8], groups: 8, padding: square(1) }, options);
});

test('the order of sums does not depend on what is fused into a product', () => {
  const shapes = [
    [
      [40, 300],
      [300, 24],
    ],
    [
      [3, 300],
      [24, 300],
    ],
    [
      [2, 9, 9, 3],
      [3, 3, 3, 10],
    ],
  ] as const;
  const products: readonly Function_[] = [dot(1, 0), dot(1, 1), (x, y) => [x!.conv2d(y!, { padding: 'same' })]];
  products.forEach((f, i) => {
    const inputs = shapes[i]!.map(normal);
    const bitsOf = (g: Function_, options: RunnerOptions = {}) => results(g, inputs, options).outputs[0]!;
    const bare = bitsOf(f);
    // ·1 and −(−x) change no bit of the operands
    assert.deepEqual(
      bitsOf((x, y) => f(x!.neg().neg(), y!)),
      bare,
    );
    assert.deepEqual(
      bitsOf((x, y) => f(x!.mul(1), y!.neg().neg())),
      bare,
    );
    assert.deepEqual(
      bitsOf((x, y) => f(x!, y!).map((z) => z.maximum(-1e30))),
      bare,
    );
    assert.deepEqual(bitsOf(f, { inPlace: false }), bare);
  });
});

test('schedules that miss something are refused', () => {
  const program = lowerFunction(dot(1, 0), [normal([20, 30]), normal([30, 16])]);
  const [kernel] = [...launchesOf(program.steps)];
  const nest = kernel!.nest as ContractionNest;
  const target = wasmTarget(11);
  const good = scheduleContraction(nest, target)!;
  assert.equal(printSchedule(good), 'right tile m04×n08: n0/8 m0/4');
  const refuses = (change: Partial<ContractionSchedule>, what: string): void => {
    const schedule = { ...good, ...change };
    const message = `schedule of ${nest.name}: ${what}: ${printSchedule(schedule)}`;
    assert.throws(() => verifySchedule(nest, schedule, target), new InternalError(message));
  };
  refuses({ order: good.order.slice(1) }, '16 points of n0 are left, a tile has 8');
  refuses({ rows: [{ axis: 'm0', tile: 9 }] }, '9 × 2 sums do not fit');
  refuses({ column: { axis: 'm0', tile: 8 } }, 'm0 is no axis of the right operand alone');
  refuses({ mode: 'both' }, 'n0 is no axis of both operands');
  refuses({ swap: true, column: { axis: 'm0', tile: 4 }, rows: [] }, 'm0 is not contiguous in the store');
  const pack = { kind: 'pack', operand: 'left', panel: undefined } as const;
  refuses({ order: [pack, pack, ...good.order] }, 'left is packed twice');
});

/** A machine whose caches hold next to nothing and whose jobs are tiny: small problems fall into many blocks, parts and jobs. */
const tiny = { ...wasmTarget(11), L1: 512, L2: 4096, cyclesPerMicrosecond: 0.1 };

test('lanes on an axis that strides through a guarded one', () => {
  checkConv({ x: [1, 5, 1], kernel: [1, 1, 1], strides: [2], padding: [[2, 1]], dilation: [3] });
  checkConv({ x: [2, 31, 1], kernel: [3, 1, 1], strides: [2], padding: [[2, 1]] });
});

test('odd shapes of all kinds', () => {
  const pick = (low: number, high: number): number => low + Math.floor(random.uniform(1)[0]! * (high - low + 1));
  for (let i = 0; i < 25; i++) {
    const kernel = [pick(1, 4), pick(1, 3)];
    const dilation = [pick(1, 2), pick(1, 2)];
    const padding = kernel.map(() => [pick(0, 3), pick(0, 3)] as const);
    const least = kernel.map((size, axis) => dilation[axis]! * (size - 1) + 1);
    const groups = pick(1, 3) === 1 ? 2 : 1;
    const [inputs, outputs] = [pick(1, 9), pick(1, 21)];
    checkConv(
      {
        x: [pick(1, 3), least[0]! + pick(0, 9), least[1]! + pick(0, 9), inputs * groups],
        kernel: [...kernel, inputs, outputs * groups],
        strides: [pick(1, 3), pick(1, 2)],
        padding,
        dilation,
        groups,
      },
      { inPlace: i % 2 === 0, split: i % 3 === 0, ...(i % 4 < 3 && { target: tiny }) },
    );
    const [m, n, k] = [pick(1, 40), pick(1, 60), pick(1, 90)];
    const [a, b] = [pick(0, 1) === 1, pick(0, 1) === 1];
    check(dot(a ? 0 : 1, b ? 1 : 0), [matrix(m, k, a), matrix(k, n, b)], {
      split: i % 3 === 1,
      ...(i % 4 > 0 && { target: tiny }),
    });
  }
});
