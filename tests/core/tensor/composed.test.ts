/** Operations composed of primitives, family by family. */
import {
  bernoulli,
  einsum,
  type NormOptions,
  normalFrom,
  type ReduceOptions,
  type SoftmaxOptions,
  stack,
  type Tensor,
  uniform,
  type VarianceOptions,
  where,
} from '../../../src/core/index.js';
import { checkOp, type Row } from '../../check-op.js';
import type { Operand } from '../../operands.js';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
const special = {
  x: { shape: [7], values: [0, -0, 1, infinity, -infinity, nan, -3e38] },
  noGradient: 'values without a slope',
  note: 'zeros, infinities, NaN',
} as const;
const smooth = [
  { x: [] },
  { x: [3, 5] },
  { x: [0] },
  { x: { shape: [3, 4], view: 'transposed', low: -5, high: 5 } },
] as const;
const withoutSpecial = [
  ...smooth,
  { x: { shape: [3], values: [-80, 80, 1e-6] }, noGradient: 'too flat or steep' },
] as const;

// activations
checkOp('relu', (x) => x.relu(), [...smooth, special, { x: { shape: [4], dtype: 'int32' } }]);
checkOp('leakyRelu', (x, p) => x.leakyRelu(p), [...smooth, special, { x: [4], p: { negativeSlope: 0.01 } }]);
checkOp('elu', (x, p) => x.elu(p), [...withoutSpecial, { x: [4], p: { alpha: 0.5 } }]);
checkOp('selu', (x) => x.selu(), withoutSpecial);
checkOp('gelu', (x, p) => x.gelu(p), [...withoutSpecial, { x: [3, 4], p: { approximate: 'tanh' as const } }]);
checkOp('silu', (x) => x.silu(), withoutSpecial);
checkOp('softplus', (x) => x.softplus(), [...withoutSpecial, special]);
checkOp('relu6', (x) => x.relu6(), [...smooth, special, { x: { shape: [5], low: 4, high: 8 } }]);
checkOp('mish', (x) => x.mish(), withoutSpecial);
checkOp('logSigmoid', (x) => x.logSigmoid(), [...withoutSpecial, special]);
checkOp('hardSwish', (x) => x.hardSwish(), smooth);
checkOp('hardTanh', (x) => x.hardTanh(), [...smooth, special]);
checkOp('softsign', (x) => x.softsign(), smooth);
checkOp('hardSigmoid', (x) => x.hardSigmoid(), [...smooth, special]);

// softmax
const softmaxRows: readonly Row<SoftmaxOptions>[] = [
  { x: [5] },
  { x: [3, 4] },
  { x: [3, 4], p: { axis: 0 } },
  { x: [2, 3, 4], p: { axis: -2 } },
  { x: [3, 0] },
  { x: [3, 1] },
  { x: { shape: [2, 3], values: [1000, 1001, 999, -1000, -1001, -999] }, note: 'would overflow' },
  { x: { shape: [3, 4], view: 'transposed' } },
  { x: [5, 33] },
];
checkOp('softmax', (x, p) => x.softmax(p), softmaxRows);
checkOp('logSoftmax', (x, p) => x.logSoftmax(p), softmaxRows);
checkOp('logSumExp', (x, p) => x.logSumExp(p), [
  { x: [5] },
  { x: [3, 4], p: { axis: 0 } },
  { x: [3, 4], p: { axis: [0, 1], keepDims: true } },
  { x: { shape: [2], values: [1000, 1001] } },
  { x: { shape: [2, 2], values: [infinity, 1, -infinity, -infinity] }, p: { axis: 1 }, noGradient: 'infinite' },
  { x: [0], noGradient: 'infinite' },
]);

// arithmetic
checkOp('ceil', (x) => x.ceil(), [...smooth, special, { x: { shape: [3], dtype: 'int32' } }]);
checkOp('square', (x) => x.square(), [...smooth, special, { x: { shape: [4], dtype: 'int32' } }]);
checkOp('reciprocal', (x) => x.reciprocal(), [{ x: { shape: [5], low: 0.5, high: 2 } }, special]);
checkOp('clip', (x, { low, high }) => x.clip(low, high), [
  { x: [3, 5], p: { low: -1, high: 0.5 } },
  { x: [3, 5], p: { low: -1 } },
  { x: [3, 5], p: { low: undefined, high: 1 } },
  { x: { shape: [9], dtype: 'int32' }, p: { low: -1, high: 2 } },
  { ...special, p: { low: -1, high: 1 } },
]);
checkOp('clip by tensors', (x, { y, z }) => x.clip(y, z), [
  { x: [3, 5], y: { shape: [5], low: -2, high: -1 }, z: { shape: [], low: 1, high: 2 } },
]);
const integers: Operand = { shape: [6], dtype: 'int32', values: [7, -7, 7, -7, 5, -2147483648] };
checkOp('floorDivide', (x, { y }) => x.floorDivide(y), [
  { x: { shape: [3, 5], low: -9, high: 9 }, y: { shape: [5], low: 0.6, high: 2 } },
  { x: integers, y: { shape: [6], dtype: 'int32', values: [2, 2, -2, -2, 0, -1] } },
  { x: { shape: [3], dtype: 'uint8', values: [255, 7, 0] }, y: { shape: [3], dtype: 'uint8', values: [2, 8, 3] } },
]);
for (const op of ['isFinite', 'isNaN', 'isInf'] as const)
  checkOp(op, (x) => x[op](), [special, { x: { shape: [3], dtype: 'int32' } }]);
for (const op of ['logicalAnd', 'logicalOr', 'logicalXor'] as const)
  checkOp(op, (x, { y }) => x[op](y), [
    { x: { shape: [3, 4], dtype: 'bool' }, y: { shape: [4], dtype: 'bool' } },
    { x: { shape: [4], values: [0, 1, -0, nan] }, y: { shape: [2, 1], dtype: 'int32', values: [0, 3] } },
  ]);
checkOp('logicalNot', (x) => x.logicalNot(), [{ x: { shape: [4], values: [0, 1, -0, nan] } }]);
checkOp('where', (x, { y, z }) => where(x, y, z), [
  { x: { shape: [3, 1], dtype: 'bool' }, y: [4], z: [] },
  { x: { shape: [4], dtype: 'int32', values: [0, 2, -1, 0] }, y: { shape: [4], dtype: 'int32' }, z: [4] },
]);
checkOp('where of numbers', (x) => stack([where(x, 1, 0.5), where(x, true, false)]), [
  { x: { shape: [4], dtype: 'bool' } },
]);
checkOp('numbers adopt the dtype', (x) => [x.add(2), x.mul(0.5), x.sub(300), x.maximum(1)], [
  { x: [3] },
  { x: { shape: [3], dtype: 'int32' } },
  { x: { shape: [3], dtype: 'uint8' } },
  { x: { shape: [3], dtype: 'bool' } },
]);

// statistics
const reductions: readonly Row<ReduceOptions>[] = [
  { x: [5] },
  { x: [3, 4], p: { axis: 0 } },
  { x: [3, 4], p: { axis: -1, keepDims: true } },
  { x: [2, 3, 4], p: { axis: [0, 2] } },
  { x: { shape: [3, 4], view: 'sliced' } },
];
const constant = { x: { shape: [4], values: [2, 2, 2, 2] } } as const;
checkOp('mean', (x, p) => x.mean(p), [...reductions, { x: { shape: [3, 4], dtype: 'int32' } }]);
checkOp<VarianceOptions>('variance', (x, p) => x.variance(p), [
  ...reductions,
  constant,
  { x: [5], p: { correction: 1 } },
]);
checkOp<VarianceOptions>('std', (x, p) => x.std(p), [
  ...reductions,
  { ...constant, noGradient: 'a kink', note: 'is 0' },
  { x: [5], p: { correction: 1 } },
]);
checkOp<NormOptions>('norm', (x, p) => x.norm(p), [
  ...reductions,
  { x: [3, 4], p: { axis: 0, order: 1 } },
  { x: [3, 4], p: { axis: 1, order: infinity } },
  { x: { shape: [3], values: [0, 0, 0] }, noGradient: 'a kink', note: 'is 0' },
]);
checkOp<ReduceOptions>('any and all', (x, p) => [x.any(p), x.all(p)], [
  { x: { shape: [3, 4], dtype: 'bool' }, p: { axis: 1 } },
  { x: { shape: [2, 0], dtype: 'bool' }, p: { axis: 1 } },
  { x: { shape: [3], values: [0, 0, 2] }, p: {} },
]);

// contractions
checkOp('matmul', (x, { y }) => x.matmul(y), [
  { x: [3, 4], y: [4, 5] },
  { x: [4], y: [4] },
  { x: [4], y: [4, 5] },
  { x: [3, 4], y: [4] },
  { x: [2, 3, 4], y: [4, 5] },
  { x: [2, 3, 4], y: [2, 4, 5] },
  { x: [2, 1, 3, 4], y: [5, 4, 2] },
  { x: [3, 4], y: [2, 4, 5] },
  { x: [0, 4], y: [4, 5] },
  { x: [3, 0], y: [0, 5] },
  { x: { shape: [4, 3], view: 'transposed' }, y: { shape: [3, 5], view: 'transposed' } },
]);
checkOp('einsum', (x, { y, z, equation }) => einsum(equation, ...[x, y, z].filter((t) => t !== undefined)), [
  { x: [3, 4], y: [4, 5], p: { equation: 'ij,jk->ik' } },
  { x: [3, 4], y: [4, 5], p: { equation: 'ij,jk' } },
  { x: [3, 4], y: [4, 5], p: { equation: 'ij,jk->ki' } },
  { x: [2, 3, 4], y: [2, 5, 4], p: { equation: 'bqd,bkd->bqk' } },
  { x: [3], y: [4], p: { equation: 'i,j->ij' } },
  { x: [3, 4], p: { equation: 'ij->ji' } },
  { x: [3, 4], p: { equation: 'ij->j' } },
  { x: [3, 4], p: { equation: 'ij->' } },
  { x: [4, 4], p: { equation: 'ii->i' } },
  { x: [4, 4], p: { equation: 'ii' } },
  { x: [3, 4], y: [3, 4], p: { equation: 'ij,ij->i' } },
  { x: [3, 4], y: [3, 4], p: { equation: 'ij,ij->ij' }, note: 'nothing is contracted' },
  { x: [3, 4], y: [4, 5], z: [5, 2], p: { equation: 'ij,jk,kl->il' } },
  { x: [2, 3, 4], y: [4, 5], p: { equation: '...ij,jk->...ik' } },
  { x: [2, 1, 3], y: [4, 3], p: { equation: '...i,...i->...' } },
  { x: [3, 1], y: [3, 4], p: { equation: 'ij,ij->j' }, note: 'an axis of 1 repeats' },
  { x: [3, 4], y: [2, 5], p: { equation: 'ij,kl->ik' }, note: 'sums before it multiplies' },
]);
checkOp('outer', (x, { y }) => x.outer(y), [
  { x: [3], y: [4] },
  { x: [2, 2], y: [3] },
]);

// rearranging
checkOp('tile', (x, { counts }) => x.tile(counts), [
  { x: [3], p: { counts: 2 } },
  { x: [2, 3], p: { counts: [2, 1] } },
  { x: [2, 3], p: { counts: [2, 1, 3] } },
  { x: [2, 3, 1], p: { counts: [2] } },
  { x: [2], p: { counts: [0] } },
  { x: [], p: { counts: [2, 2] } },
]);
checkOp('repeat', (x, { count, ...p }) => x.repeat(count, p), [
  { x: [3], p: { count: 2 } },
  { x: [2, 3], p: { count: 2 } },
  { x: [2, 3], p: { count: 3, axis: 0 } },
  { x: [2, 3], p: { count: 2, axis: -1 } },
]);
checkOp('split', (x, { parts, ...p }) => x.split(parts, p), [
  { x: [6, 2], p: { parts: 3 } },
  { x: [2, 6], p: { parts: 2, axis: -1 } },
  { x: [5, 2], p: { parts: [1, 3] } },
  { x: [5], p: { parts: [2, 2, -1] }, note: 'an empty part, and one from the back' },
]);
checkOp('unstack', (x, p) => x.unstack(p), [{ x: [3, 2] }, { x: [3, 2], p: { axis: 1 } }]);
checkOp('moveAxis and swapAxes', (x, { from, to }) => [x.moveAxis(from, to), x.swapAxes(from, to)], [
  { x: [2, 3, 4], p: { from: 0, to: 2 } },
  { x: [2, 3, 4], p: { from: -1, to: 0 } },
  { x: [2, 3, 4], p: { from: 1, to: 1 } },
]);
checkOp('expandDims and squeeze', (x) => [x.expandDims(-1), x.expandDims(0).squeeze(0)], [{ x: [2, 3] }, { x: [] }]);
checkOp('stack', (x, { y, axis }) => stack([x, y, x], { axis }), [
  { x: [2, 3], y: [2, 3], p: { axis: 0 } },
  { x: [2, 3], y: [2, 3], p: { axis: -1 } },
]);
checkOp('diag', (x) => x.diag(), [{ x: [4] }, { x: [0] }, { x: [1] }, { x: [3, 3] }, { x: [2, 4] }, { x: [4, 2] }]);
checkOp('tril and triu', (x, { k }) => [x.tril(k), x.triu(k)], [
  { x: [4, 4], p: { k: 0 } },
  { x: [2, 3, 5], p: { k: 1 } },
  { x: [3, 2], p: { k: -1 } },
]);
checkOp('oneHot', (x, { depth, ...p }) => x.oneHot(depth, p), [
  { x: { shape: [4], dtype: 'int32', values: [0, 2, 3, -1] }, p: { depth: 3 } },
  { x: { shape: [2, 2], dtype: 'uint8', values: [0, 2, 1, 1] }, p: { depth: 3, axis: 0 } },
  { x: { shape: [], dtype: 'int32', values: [1] }, p: { depth: 2, dtype: 'bool' as const } },
]);

// random draws inside a program
const key: Operand = { shape: [3], dtype: 'int32', values: [7, 1, 0] };
const draws = (x: Tensor, shape: readonly number[]): Tensor[] => [
  uniform(x, shape, { stream: 3 }),
  uniform(x, shape, { stream: 4, low: -1, high: 3 }),
  bernoulli(x, shape, { probability: 0.3 }),
];
checkOp('uniform and bernoulli', (x, { shape }) => draws(x, shape), [
  { x: key, p: { shape: [40] } },
  { x: key, p: { shape: [3, 5] } },
  { x: key, p: { shape: [0] } },
]);
checkOp('normalFrom', (x, { shape }) => normalFrom(x, shape, { stream: 5 }), [
  { x: key, p: { shape: [40] } },
  { x: key, p: { shape: [] } },
]);
