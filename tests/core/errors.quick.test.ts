/** The whole text of what people see when shapes, axes and types do not fit. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  arange,
  asTensor,
  concat,
  cond,
  einsum,
  full,
  grad,
  HostRandom,
  KilnError,
  nearest,
  ones,
  Parameter,
  randomBits,
  ShapeError,
  scan,
  stack,
  type Tensor,
  tensor,
  useDevice,
  valueAndGrad,
  vjp,
  zeros,
} from '../../src/core/index.js';
import '../devices.js';
import { assertFails } from './fails.js';

const matrix = ones([2, 3]);
const images = ones([1, 28, 28, 3]);
const never = undefined as never;

const shapeErrors: readonly (readonly [f: () => unknown, text: string])[] = [
  [
    () => ones([32, 784]).matmul(ones([785, 10])),
    "matmul: inner dimensions differ: [32, 784] × [785, 10] (784 ≠ 785)\n  The left's last axis must equal the right's last but one. Was the layer built for 785 inputs?",
  ],
  [() => matrix.matmul(2), 'matmul: takes vectors and matrices: got a scalar\n  Multiply by a number with mul().'],
  [
    () => images.conv2d(ones([3, 3, 1, 32])),
    'conv2d: input has 3 channels, kernel [3, 3, 1, 32] takes 1\n  Load the images as grey (channels: 1), or build the layer for 3 channels.',
  ],
  [
    () => images.conv2d(ones([3, 3, 4, 32])),
    'conv2d: input has 3 channels, kernel [3, 3, 4, 32] takes 4\n  Load the images with 4 channels, or build the layer for 3 channels.',
  ],
  [
    () => images.conv2d(ones([3, 3, 2, 32]), { groups: 2 }),
    "conv2d: input has 3 channels, kernel [3, 3, 2, 32] takes 4\n  With 2 groups the kernel's last axis but one is channels / groups.",
  ],
  [
    () => images.conv2d(ones([3, 3, 1, 32]), { groups: 3 }),
    'conv2d: 32 filters do not divide into 3 groups\n  Choose filters as a multiple of groups.',
  ],
  [
    () => ones([1, 2, 9, 1]).conv2d(ones([3, 3, 1, 4])),
    "conv2d: kernel [3, 3] is larger than the padded input [2, 9] (3 > 2)\n  Use padding 'same', a smaller kernel, or larger pictures.",
  ],
  [
    () => ones([28, 28, 1]).conv2d(ones([3, 3, 1, 4])),
    'conv2d: input [28, 28, 1] has 3 axes, takes 4\n  The input is [batch, height, width, channels]. Use expandDims(0) for a single one without a batch.',
  ],
  [
    () => images.conv2d(ones([3, 3])),
    'conv2d: kernel [3, 3] has 2 axes, takes 4\n  The kernel is [height, width, channels / groups, filters].',
  ],
  [
    () => images.conv2d(ones([1, 1, 3, 1]), { padding: 'SAME' as never }),
    "conv2d: padding \"SAME\"\n  Give 'valid', 'same', or [before, after] for each of the 2 spatial axes.",
  ],
  [
    () => images.conv2d(ones([1, 1, 3, 1]), { strides: 0 }),
    'conv2d: strides 0\n  Give an integer of at least 1, or one for each of the 2 spatial axes.',
  ],
  [
    () => images.depthwiseConv2d(ones([3, 3, 1, 2])),
    'depthwiseConv2d: input has 3 channels, kernel [3, 3, 1, 2] takes 1\n  Load the images as grey (channels: 1), or build the layer for 3 channels.',
  ],
  [
    () => images.conv2dTranspose(ones([3, 3, 8, 16])),
    'conv2dTranspose: input has 3 channels, kernel [3, 3, 8, 16] takes 16\n  The kernel is [height, width, filters / groups, channels]: its last axis is 3 here.',
  ],
  [
    () => images.conv2dTranspose(ones([3, 3, 8, 3]), { outputPadding: 1 }),
    'conv2dTranspose: outputPadding 1 with strides 1\n  Only sizes below the stride are in question: outputPadding < strides.',
  ],
  [
    () => ones([1, 2, 2, 1]).maxPool2d({ window: 3 }),
    "maxPool2d: window [3, 3] is larger than the input [2, 2]\n  Use a smaller window, padding 'same', or larger pictures.",
  ],
  [
    () => ones([2, 2]).globalAveragePool2d(),
    'globalAveragePool2d: input [2, 2] has 2 axes, takes 4\n  The input is [batch, height, width, channels]. Use expandDims(0) for a single one without a batch.',
  ],
  [
    () => matrix.add(ones([2])),
    'add: shapes do not broadcast: [2, 3] and [2] (3 ≠ 2 at axis -1)\n  Counted from the right, axes must be equal or 1. Reshape one side, or add an axis of size 1 where it should repeat.',
  ],
  [
    () => matrix.broadcastTo([3, 2, 1]),
    'broadcastTo: [2, 3] does not broadcast to [3, 2, 1]\n  Only axes of size 1, and new leading axes, can repeat.',
  ],
  [() => matrix.sum({ axis: 2 }), 'sum: axis 2 is out of range for rank 2\n  Axes go from -2 to 1.'],
  [() => ones([]).sum({ axis: 0 }), 'sum: axis 0 is out of range for rank 0\n  A scalar has no axes.'],
  [() => matrix.sum({ axis: [0, -2] }), 'sum: axis 0 is named twice in [0, 0]\n  Name each axis once.'],
  [
    () => zeros([0, 3]).max({ axis: 0 }),
    'max: [0, 3] has no elements along axis 0\n  The max of nothing is not defined.',
  ],
  [() => zeros([0]).argmax(), 'argmax: [0] has no elements along axis 0\n  The argmax of nothing is not defined.'],
  [
    () => matrix.reshape([4]),
    'reshape: [2, 3] to [4]: element counts differ (6 ≠ 4)\n  A reshape keeps the number of elements; -1 stands for the one size that follows from the others.',
  ],
  [
    () => matrix.reshape([4, -1]),
    'reshape: [2, 3] to [4, -1]: 6 elements do not divide by 4\n  One size may be -1, and the others must divide the number of elements.',
  ],
  [
    () => matrix.reshape([-1, -1]),
    'reshape: [2, 3] to [-1, -1]: more than one size is open\n  One size may be -1, and the others must divide the number of elements.',
  ],
  [() => matrix.transpose([0, 0]), 'transpose: [0, 0] is not an order of the 2 axes of [2, 3]\n  Name each axis once.'],
  [() => matrix.squeeze(0), 'squeeze: axis 0 of [2, 3] has size 2\n  Only axes of size 1 can go.'],
  [() => matrix.slice(5), 'slice: index 5 is out of range for axis 0 of [2, 3]\n  Indices go from -2 to 1.'],
  [() => matrix.slice([0, 1, 0]), 'slice: step 0 on axis 0\n  A step is an integer other than 0.'],
  [() => matrix.slice(0, 0, 0), 'slice: 3 items for [2, 3]\n  Give at most 2.'],
  [
    () => matrix.split(2, { axis: 1 }),
    'split: axis 1 of [2, 3] does not divide into 2 parts\n  Give a divisor of its size, or the indices before which to cut.',
  ],
  [() => matrix.tile(-1), 'tile: -1 times\n  Give integers of at least 0.'],
  [() => concat([]), 'concat: no tensors\n  Give at least one.'],
  [
    () => stack([ones([2]), ones([3])]),
    'concat: [1, 2], [1, 3] along axis 0\n  All axes but the joined one must be equal.',
  ],
  [() => matrix.take(tensor([0.5])), "take: indices are float32\n  Indices are integers: indices.cast('int32')."],
  [() => matrix.take(2), 'gather: index 2 is out of range for an axis of 2\n  Indices go from 0 to 1.'],
  [
    () => matrix.dynamicSlice(arange(1), [1, 1]),
    'dynamicSlice: starts are [1], [2, 3] takes [2]\n  Give one start for each axis.',
  ],
  [
    () => matrix.dynamicSlice(arange(2), [3, 1]),
    'dynamicSlice: window [3, 1] does not fit into [2, 3]\n  It needs a size for every axis, none larger than the axis.',
  ],
  [() => matrix.not(), "not: takes bool: got float32\n  Cast first: x.cast('bool')."],
  [() => matrix.shiftLeft(1), "shiftLeft: takes int32: got float32\n  Cast first: x.cast('int32')."],
  [() => matrix.select(1, 2), "select: takes bool: got float32\n  Cast first: x.cast('bool')."],
  [() => matrix.oneHot(3), "oneHot: indices are float32\n  Indices are integers: labels.cast('int32')."],
  [() => ones([2, 2, 2]).diag(), 'diag: takes a vector or a matrix: got [2, 2, 2]\n  Take the diagonal of one matrix.'],
  [() => ones([2]).tril(), 'tril: takes matrices: got [2]\n  The last two axes are the matrix.'],
  [() => tensor([[1, 2], [3]]), 'tensor: rows of 2 and of 1 at depth 1\n  All rows must have the same length.'],
  [
    () => tensor([1, [2]]),
    'tensor: a row of 1 stands where a number was expected\n  All rows must have the same depth.',
  ],
  [
    () => tensor([[1], 2]),
    'tensor: a number stands where a row of 1 was expected\n  All rows must have the same depth.',
  ],
  [
    () => tensor([1, 2], { shape: [3] }),
    'tensor: [3] takes 3 elements: got 2\n  Give as many elements as the shape holds.',
  ],
  [() => full([2.5], 1), 'full: [2.5] is not a shape\n  Sizes are integers of at least 0.'],
  [
    () => arange(0, 1, 0.1),
    'arange: 0 to 1 by 0.1\n  arange takes integers and a step other than 0; use linspace for fractions.',
  ],
  [
    () => ones([2]).item(),
    'item: [2] has 2 elements\n  item() reads a tensor of one element; use dataSync() or toArray().',
  ],
  [
    () => einsum('ij,jk->ik', ones([2, 3]), ones([4, 5])),
    "einsum 'ij,jk->ik': axis j is 3 and 4\n  One letter stands for one size (or 1, which repeats).",
  ],
  [
    () => einsum('ij->ik', matrix),
    "einsum 'ij->ik': result axis k is in no operand\n  Name it in an operand, or leave it out.",
  ],
  [
    () => einsum('ij,jk', matrix),
    "einsum 'ij,jk': has 2 terms for 1 tensors\n  Give one term for each tensor, with commas between them.",
  ],
  [
    () => einsum('ijk', matrix),
    "einsum 'ijk': term ijk names 3 axes of [2, 3] (3 ≠ 2)\n  Name every axis with a letter, or leading ones with ....",
  ],
  [
    () => einsum('i;j', matrix),
    "einsum 'i;j': is not an equation\n  Write letters, commas, '...' and '->': 'ij,jk->ik'.",
  ],
  [
    () => randomBits(ones([3]), [2]),
    'randomBits: the key is float32 [3]\n  A key is int32 [3]: seed, step, scan index.',
  ],
  [
    () => new Parameter('dense/kernel', [2, 3]).assign(ones([3, 2])),
    'parameter dense/kernel: is float32 [2, 3], was assigned float32 [3, 2]\n  A parameter keeps its shape and dtype; reshape or cast the new value.',
  ],
  [
    () => grad((x: Tensor) => x)(matrix),
    'grad: the function returned float32 [2, 3]\n  A gradient is taken of one float32 number: reduce the loss with .mean() or .sum().',
  ],
  [
    () => vjp((x: Tensor) => x.sum({ axis: 0 }), matrix).pullback(ones([2])),
    'vjp: the value is Tensor float32 [3], the pulled-back gradient Tensor float32 [2]\n  They must have the same shape.',
  ],
  [
    () => scan((c: Tensor, x: Tensor) => [c.sum(), x], zeros([2]), matrix),
    'scan: carry 0 comes in as float32[2] and leaves as float32[]\n  A carried value keeps its shape and dtype over all steps; cast or reshape it in the body.',
  ],
  [
    () => scan((c: Tensor) => [c, c], zeros([2]), [ones([3]), ones([4])]),
    'scan: sequences differ in length: 4 ≠ 3\n  The first axis of every sequence is the number of steps.',
  ],
  [
    () =>
      cond(
        tensor([true, false]),
        () => matrix,
        () => matrix,
      ),
    'cond: the predicate is [2]\n  It decides for the whole branch: reduce it with .any() or .all(), or choose element by element with where().',
  ],
  [
    () =>
      cond(
        true,
        () => ones([2]),
        () => ones([3]),
      ),
    "cond: the branches' result 0 differs: float32[2] and float32[3]\n  Both branches return the same shapes and dtypes.",
  ],
];

const otherErrors: readonly (readonly [f: () => unknown, text: string])[] = [
  [
    () => asTensor('x' as never),
    'tensor: expected a tensor, a parameter or a number: got string\n  Make one with tensor(…).',
  ],
  [
    () => matrix.add(never),
    'tensor: expected a tensor, a parameter or a number: got undefined\n  Make one with tensor(…).',
  ],
  [
    () => grad((() => 3) as never)(matrix),
    'grad: the function returned number\n  Return the loss, a tensor of one element.',
  ],
  [
    () => valueAndGrad(() => matrix.sum(), { rate: 3 }),
    'grad: cannot take a gradient with regard to number\n  Give a tree of Parameters and Tensors, such as model.parameters().',
  ],
  [
    () => scan((c: Tensor) => [c, c], matrix, undefined),
    'scan: neither a sequence nor a length\n  Give xs, or { length }.',
  ],
  [
    () => scan((c: Tensor) => [[c, c] as never, c], matrix, matrix),
    'scan: 1 carried tensors come in, 2 leave\n  The body returns [next carry, y], with a carry of the same structure as the initial one.',
  ],
  [
    () => scan((c: Tensor) => [c, c], matrix, undefined, { length: 3, checkpointEvery: 2 }),
    'scan: checkpointEvery 2 does not divide 3 steps\n  Choose a divisor of the number of steps.',
  ],
  [
    () =>
      cond(
        true,
        () => ({ a: matrix }),
        () => ({ b: matrix }) as never,
      ),
    "cond: the branches' results differ in structure: { a } and { b }\n  Both branches return trees with the same keys.",
  ],
  [() => new HostRandom(1.5), 'random: seed 1.5\n  A seed is an integer of 32 bits.'],
  [() => matrix.norm({ order: 3 as never }), 'norm: order 3\n  Orders are 1, 2 and Infinity.'],
];

for (const [f, text] of shapeErrors) test(text.split('\n')[0]!, () => assertFails(f, ShapeError, text));
for (const [f, text] of otherErrors) test(text.split('\n')[0]!, () => assertFails(f, KilnError, text));

test('an unknown device', () => {
  assert.throws(() => useDevice('gpu'), {
    name: 'KilnError',
    message: /^device: there is no device gpu\n {2}There are /,
  });
});

test('an assignment inside a loop', () => {
  const w = new Parameter('w', [2]);
  w.assign(ones([2]));
  const text =
    'parameter w: is assigned inside scan, cond or checkpoint\n  Carry the value through the loop and assign it after.';
  const body = (c: Tensor): [Tensor, Tensor] => {
    w.assign(c);
    return [c, c];
  };
  assertFails(() => scan(body, zeros([2]), undefined, { length: 2 }), KilnError, text);
});

test('nearest finds what was meant, and nothing for what was not', () => {
  assert.equal(nearest('epoch', ['epochs', 'seed', 'limit']), 'epochs');
  assert.equal(nearest('sede', ['epochs', 'seed', 'limit']), 'seed');
  assert.equal(nearest('colour', ['epochs', 'seed', 'limit']), undefined);
});
