import {
  bernoulli,
  concat,
  cond,
  type DType,
  einsum,
  grad,
  normalFrom,
  randomBits,
  type Shape,
  scan,
  Tensor,
  uniform,
} from '../../core/index.js';

export const families = [
  'elementwise',
  'reductions',
  'contractions',
  'convolutions',
  'windows',
  'indexing',
  'movement',
  'random',
  'control',
  'memory',
] as const;

export type Family = (typeof families)[number];

/** A small program whose result on a device is held against the reference's. */
export interface Program {
  readonly family: Family;
  readonly name: string;
  inputs(): readonly Tensor[];
  body(...inputs: readonly Tensor[]): Tensor | readonly Tensor[];
  /** Every bit is the reference's, the sign of zero too; integers always are (false). */
  readonly exact?: boolean;
  /** How far floats may be off, as a part of their own magnitude and of all the result's (1e-6). */
  readonly tolerance?: number;
  /** Their own magnitude alone counts: for results whose magnitudes lie far apart (false). */
  readonly relative?: boolean;
  /** It must raise, as some index lies outside (false). */
  readonly raises?: boolean;
  /** For each result, the input whose place it may take. */
  readonly donations?: readonly number[];
}

type Body = Program['body'];
type Rest = Partial<Pick<Program, 'exact' | 'tolerance' | 'relative' | 'raises' | 'donations'>>;
type Row = readonly [name: string, inputs: () => readonly Tensor[], body: Body, rest?: Rest];

const rows = (family: Family, list: readonly Row[]): Program[] =>
  list.map(([name, inputs, body, rest]) => ({ family, name, inputs, body, ...rest }));

/** Numbers that are the same everywhere: the fractions of multiples of the golden ratio, in [−1, 1) times `scale`, moved by `offset`. */
function numbers(shape: Shape, seed: number, { scale = 1, offset = 0 } = {}): Tensor {
  const size = shape.reduce((product, each) => product * each, 1);
  const data = Float32Array.from(
    { length: size },
    (_, i) => ((((i + 1) * 0.6180339887 + seed * 0.377) % 1) * 2 - 1) * scale + offset,
  );
  return Tensor.fromHost({ dtype: 'float32', shape, data });
}

const of = (shape: Shape, values: readonly number[], dtype: DType = 'float32'): Tensor =>
  Tensor.fromHost({ dtype, shape, data: dtype === 'float32' ? Float32Array.from(values) : Int32Array.from(values) });

/** Where rounding, overflow and comparisons differ; 19 of them, which fill no vector. */
const edges: readonly number[] = [
  ...[0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, -1, 0.5, -0.5, 1.5, 2.5],
  ...[-2.5, 1e-45, -1e-40, 1.1754944e-38, 3.4028235e38, -3.4028235e38, 16777217, -2147483648],
];
const integers: readonly number[] = [0, 1, -1, 2, 7, -7, 31, 33, 65536, 123456789, -123456789, 2147483647, -2147483648];

/** Each with each. */
function pairs(values: readonly number[], dtype: DType): readonly [Tensor, Tensor] {
  const size = values.length ** 2;
  return [
    of(
      [size],
      values.flatMap((value) => values.map(() => value)),
      dtype,
    ),
    of(
      [size],
      values.flatMap(() => values),
      dtype,
    ),
  ];
}

const floatPairs = () => pairs(edges, 'float32');
const integerPairs = () => pairs(integers, 'int32');
const someEdges = () => [of([edges.length], edges)];
const finiteAnd = (values: readonly number[]) => () => [of([values.length], values)];
const within4ulp = { tolerance: 5e-7, relative: true } as const;

const elementwise = rows('elementwise', [
  ['add, sub, mul of edge values', floatPairs, (x, y) => [x!.add(y!), x!.sub(y!), x!.mul(y!)], { exact: true }],
  ['div of edge values', floatPairs, (x, y) => x!.div(y!), { exact: true }],
  // of two zeros either is the greater
  ['maximum, minimum of edge values', floatPairs, (x, y) => [x!.maximum(y!), x!.minimum(y!)], { relative: true }],
  ['comparisons of edge values', floatPairs, (x, y) => [x!.less(y!), x!.lessEqual(y!), x!.equal(y!), x!.notEqual(y!)]],
  [
    'neg, abs, sign, floor, ceil, sqrt of edge values',
    someEdges,
    (x) => [x!.neg(), x!.abs(), x!.sign(), x!.floor(), x!.ceil(), x!.sqrt()],
    { exact: true },
  ],
  ['round of edge values, halves to the even one', someEdges, (x) => x!.round(), { relative: true }],
  [
    'float32 to int32, bool and back',
    someEdges,
    (x) => [x!.cast('int32'), x!.cast('bool'), x!.cast('bool').cast('float32')],
  ],
  ['exp, expm1', finiteAnd([...edges, 88, 89, -87, -103, -105, 1e-4, 20.5]), (x) => [x!.exp(), x!.expm1()], within4ulp],
  ['log, log1p', finiteAnd([...edges, 1.0000001, 0.99, 1e10, 1e-10]), (x) => [x!.log(), x!.log1p()], within4ulp],
  [
    'tanh, sigmoid, erf',
    finiteAnd([...edges, 0.1, -0.3, 4, -5, 9, -20, 88]),
    (x) => [x!.tanh(), x!.sigmoid(), x!.erf()],
    within4ulp,
  ],
  ['sin, cos', () => [numbers([37], 1, { scale: 20 })], (x) => [x!.sin(), x!.cos()]],
  [
    'pow',
    () => [numbers([41], 2, { offset: 1.1 }), numbers([41], 3, { scale: 4 })],
    (x, y) => x!.pow(y!),
    { tolerance: 2e-6, relative: true },
  ],
  ['int32: add, sub, mul', integerPairs, (x, y) => [x!.add(y!), x!.sub(y!), x!.mul(y!)]],
  ['int32: floorDivide, mod', integerPairs, (x, y) => [x!.floorDivide(y!), x!.mod(y!)]],
  [
    'int32: shifts and bits',
    integerPairs,
    (x, y) => [x!.shiftLeft(y!), x!.shiftRight(y!), x!.shiftRightLogical(y!), x!.and(y!), x!.or(y!), x!.xor(y!)],
  ],
  [
    'a fused chain over rows and columns',
    () => [numbers([29, 33], 1), numbers([33], 2), numbers([29, 1], 3)],
    (x, row, column) => x!.mul(1.5).add(row!).tanh().mul(column!).relu(),
  ],
]);

const reductions = rows('reductions', [
  [
    'sum of rows, of columns, of all',
    () => [numbers([37, 53], 1)],
    (x) => [x!.sum({ axis: 1 }), x!.sum({ axis: 0 }), x!.sum()],
    { tolerance: 1e-5 },
  ],
  [
    'sum of many, on all threads',
    () => [numbers([700_000], 2, { offset: 1 })],
    (x) => [x!.sum(), x!.square().sum()],
    { tolerance: 1e-5 },
  ],
  [
    'max, min with NaN and infinities',
    () => [of([4, 5], [...edges, 3])],
    (x) => [x!.max({ axis: 1 }), x!.min({ axis: 0 })],
    { relative: true },
  ],
  [
    'argmax, argmin with ties',
    () => [of([3, 7], [1, 3, 3, 2, 3, 0, 0, -1, -1, -1, -1, -1, -1, -1, 5, 4, 3, 2, 1, 9, 9])],
    (x) => [x!.argmax({ axis: 1 }), x!.argmin({ axis: 1 }), x!.argmax({ axis: 0 })],
  ],
  [
    'prod, mean, cumsum',
    () => [numbers([6, 19], 3)],
    (x) => [x!.prod({ axis: 0 }), x!.mean({ axis: 1 }), x!.cumsum({ axis: 1 }), x!.cumsum({ axis: 0, reverse: true })],
    { tolerance: 1e-5 },
  ],
  [
    'softmax and its gradient',
    () => [numbers([9, 21], 4, { scale: 8 })],
    (x) => [x!.softmax(), grad((z: Tensor) => z.logSoftmax().mul(z).sum())(x!)],
    { tolerance: 1e-5 },
  ],
  ['of nothing', () => [numbers([0, 5], 5)], (x) => [x!.sum({ axis: 0 }), x!.sum({ axis: 1 })], { exact: true }],
]);

const near = { tolerance: 1e-5 } as const;
const contractions = rows('contractions', [
  ['matmul of odd sizes', () => [numbers([7, 13], 1), numbers([13, 5], 2)], (a, b) => a!.matmul(b!), near],
  [
    'matmul, bias and relu, on all threads',
    () => [numbers([96, 128], 1), numbers([128, 80], 2), numbers([80], 3)],
    (a, b, bias) => a!.matmul(b!).add(bias!).relu(),
    near,
  ],
  [
    'transposed operands',
    () => [numbers([67, 33], 1), numbers([21, 67], 2)],
    (a, b) => a!.transpose().matmul(b!.transpose()),
    near,
  ],
  [
    'matrix and vector',
    () => [numbers([1, 300], 1), numbers([300, 70], 2)],
    (a, b) => [a!.matmul(b!), b!.transpose().matmul(a!.transpose())],
    near,
  ],
  ['a long sum for few results', () => [numbers([3, 9000], 1), numbers([9000, 5], 2)], (a, b) => a!.matmul(b!), near],
  [
    'batches of products',
    () => [numbers([5, 9, 17], 1), numbers([5, 17, 11], 2)],
    (a, b) => [a!.matmul(b!), einsum('bij,bjk->ik', a!, b!)],
    near,
  ],
  [
    'gradients of a product',
    () => [numbers([18, 25], 1), numbers([25, 31], 2)],
    (a, b) => [
      grad((x: Tensor) => x.matmul(b!).square().sum())(a!),
      grad((y: Tensor) => a!.matmul(y).square().sum())(b!),
    ],
    near,
  ],
]);

interface Conv {
  readonly x: Shape;
  readonly kernel: Shape;
  readonly options?: Parameters<Tensor['conv2d']>[1];
}

/** Forward and both gradients. */
const conv = (name: string, { x, kernel, options = {} }: Conv): Row => [
  name,
  () => [numbers(x, 1), numbers(kernel, 2)],
  (images, weights) => {
    const loss = (a: Tensor, b: Tensor): Tensor => a.conv2d(b, options).square().sum();
    return [
      images!.conv2d(weights!, options),
      grad((own: Tensor) => loss(own, weights!))(images!),
      grad((own: Tensor) => loss(images!, own))(weights!),
    ];
  },
  near,
];

const convolutions = rows('convolutions', [
  conv('3×3 on one channel', { x: [2, 12, 11, 1], kernel: [3, 3, 1, 9] }),
  conv('3×3, padding, on all threads', { x: [2, 14, 14, 16], kernel: [3, 3, 16, 16], options: { padding: 'same' } }),
  conv('1×1', { x: [2, 7, 9, 12], kernel: [1, 1, 12, 10] }),
  conv('strides 2', { x: [2, 13, 12, 5], kernel: [3, 3, 5, 7], options: { strides: 2, padding: 'same' } }),
  conv('dilation 2, uneven padding', {
    x: [1, 12, 11, 3],
    kernel: [3, 2, 3, 6],
    options: {
      dilation: 2,
      padding: [
        [2, 1],
        [0, 3],
      ],
    },
  }),
  conv('two groups', { x: [2, 9, 8, 6], kernel: [3, 3, 3, 8], options: { groups: 2 } }),
  conv('a channel a group', { x: [2, 10, 9, 5], kernel: [3, 3, 1, 5], options: { groups: 5, padding: 'same' } }),
  [
    'transposed',
    () => [numbers([2, 6, 5, 4], 1), numbers([3, 3, 3, 4], 2)],
    (x, k) => x!.conv2dTranspose(k!, { strides: 2 }),
    near,
  ],
]);

const windows = rows('windows', [
  [
    'maxPool2d and its gradient',
    () => [numbers([2, 9, 8, 5], 1)],
    (x) => [x!.maxPool2d({ window: 2 }), grad((z: Tensor) => z.maxPool2d({ window: 2 }).square().sum())(x!)],
  ],
  [
    'maxPool2d that overlaps',
    () => [numbers([1, 11, 10, 6], 2)],
    (x) => [
      x!.maxPool2d({ window: 3, strides: 2, padding: 'same' }),
      grad((z: Tensor) => z.maxPool2d({ window: 3, strides: 2 }).square().sum())(x!),
    ],
  ],
  [
    'averagePool2d and its gradient',
    () => [numbers([2, 8, 7, 3], 3)],
    (x) => [
      x!.averagePool2d({ window: 3, strides: 2 }),
      grad((z: Tensor) => z.averagePool2d({ window: 2 }).square().sum())(x!),
    ],
  ],
]);

const places = (shape: Shape, size: number): Tensor =>
  of(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7 + 3) % size),
    'int32',
  );

const indexing = rows('indexing', [
  [
    'take and its gradient',
    () => [numbers([11, 6], 1), places([9], 11)],
    (x, at) => [x!.take(at!), grad((z: Tensor) => z.take(at!).square().sum())(x!)],
    near,
  ],
  [
    'scatterAdd on the same places',
    () => [numbers([40, 5], 2), places([40], 6)],
    (x, at) => x!.scatterAdd(at!, { size: 6 }),
    near,
  ],
  [
    'takeAlongAxis, scatterAddAlongAxis',
    () => [numbers([8, 7], 3), places([8, 7], 7)],
    (x, at) => [x!.takeAlongAxis(at!, { axis: 1 }), x!.scatterAddAlongAxis(at!, { axis: 1, size: 7 })],
    near,
  ],
  [
    'dynamicSlice, dynamicUpdate',
    () => [numbers([9, 8], 4), of([2], [4, 7], 'int32'), numbers([3, 4], 5)],
    (x, at, part) => [x!.dynamicSlice(at!, [3, 4]), x!.dynamicUpdate(part!, at!)],
    { exact: true },
  ],
  [
    'an index out of range raises',
    () => [numbers([5], 6), of([3], [0, 5, 1], 'int32')],
    (x, at) => x!.take(at!),
    { raises: true },
  ],
]);

const movement = rows('movement', [
  [
    'transpose of three axes',
    () => [numbers([5, 18, 13], 1)],
    (x) => [x!.transpose([2, 0, 1]), x!.transpose([1, 0, 2])],
    { exact: true },
  ],
  [
    'slices, steps, flips',
    () => [numbers([9, 14], 2)],
    (x) => [x!.slice([1, -1], [2, 11, 3]), x!.flip(1), x!.slice(3)],
    { exact: true },
  ],
  [
    'concat, pad, broadcast',
    () => [numbers([3, 5], 3), numbers([4, 5], 4)],
    (x, y) => [
      concat([x!, y!]),
      x!.padConstant({ low: [1, 0], high: [2, 3] }),
      y!.expandDims(1).broadcastTo([4, 3, 5]),
    ],
    { exact: true },
  ],
]);

const key = () => [of([3], [5, 9, 2], 'int32')];
const random = rows('random', [
  ['bits', key, (k) => randomBits(k!, [133])],
  ['uniform, bernoulli', key, (k) => [uniform(k!, [61]), bernoulli(k!, [62], { probability: 0.3, stream: 1 })]],
  ['normal', key, (k) => normalFrom(k!, [501]), { tolerance: 5e-6 }],
]);

const cell = (w: Tensor) => (state: Tensor, x: Tensor) => {
  const next = state.matmul(w).add(x).tanh();
  return [next, next] as const;
};

const control = rows('control', [
  [
    'a recurrent scan',
    () => [numbers([7, 3, 10], 1), numbers([3, 10], 2), numbers([10, 10], 3)],
    (xs, h, w) => [...scan(cell(w!), h!, xs!)],
    near,
  ],
  [
    'the gradient of a scan',
    () => [numbers([6, 2, 9], 1), numbers([2, 9], 2), numbers([9, 9], 3)],
    (xs, h, w) => grad((own: Tensor) => scan(cell(own), h!, xs!)[1].square().sum())(w!),
    near,
  ],
  [
    'both branches of a cond',
    () => [numbers([4, 6], 1)],
    (x) =>
      [true, false].map((is) =>
        cond(
          is ? x!.sum().less(1e9) : x!.sum().greater(1e9),
          () => x!.mul(2),
          () => x!.exp(),
        ),
      ),
  ],
]);

const memory = rows('memory', [
  [
    'an update in place',
    () => [numbers([33, 65], 1), numbers([33, 65], 2)],
    (x, m) => [x!.sub(m!.mul(0.5)), m!.mul(0.9).add(x!.square().mul(0.1))],
    { donations: [0, 1] },
  ],
  [
    'a product in place of its operand',
    () => [numbers([24, 24], 1), numbers([24, 24], 2)],
    (x, w) => x!.sub(x!.matmul(w!).matmul(x!)),
    { ...near, donations: [0] },
  ],
]);

/** All of them, by family. */
export const programs: readonly Program[] = [
  ...elementwise,
  ...reductions,
  ...contractions,
  ...convolutions,
  ...windows,
  ...indexing,
  ...movement,
  ...random,
  ...control,
  ...memory,
];
