/** The transforms themselves; each operation's gradient is checked with the operation. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  checkpoint,
  compile,
  grad,
  ones,
  Parameter,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  zeros,
} from '../../src/core/index.js';
import '../devices.js';

const cube = (x: Tensor): Tensor => x.mul(x).mul(x).sum();

test('grad gives the derivative, and of itself the second and third', () => {
  const first = grad(cube);
  const second = grad((x: Tensor) => first(x).sum());
  const third = grad((x: Tensor) => second(x).sum());
  const x = tensor([1, 2, -3]);
  assert.deepEqual(first(x).toArray(), [3, 12, 27]);
  assert.deepEqual(second(x).toArray(), [6, 12, -18]);
  assert.deepEqual(third(x).toArray(), [6, 6, 6]);
  assert.deepEqual(compile(second)(x).toArray(), [6, 12, -18]);
});

test('x to a power has all its derivatives, also at zero', () => {
  const f = (x: Tensor): Tensor => x.pow(2).sum();
  const second = grad((x: Tensor) => grad(f)(x).sum());
  const third = grad((x: Tensor) => second(x).sum());
  const x = tensor([0, 3]);
  assert.deepEqual(
    [grad(f)(x), second(x), third(x)].map((y) => y.toArray()),
    [
      [0, 6],
      [2, 2],
      [0, 0],
    ],
  );
});

test('the first argument may be a tree, the others are constants', () => {
  const f = ({ a, b }: { a: Tensor; b: readonly Tensor[] }, scale: number, c: Tensor): Tensor =>
    a.mul(b[0]!).mul(scale).add(c).sum();
  const { a, b } = grad(f)({ a: tensor([1, 2]), b: [tensor([3, 4]), tensor(5)] }, 10, tensor(1));
  assert.deepEqual([a.toArray(), b[0]!.toArray(), b[1]!.toArray()], [[30, 40], [10, 20], 0]);
});

test('valueAndGrad takes Parameters and tensors by name', () => {
  const w = new Parameter('w', [2]);
  w.assign(tensor([1, 2]));
  const x = tensor([3, 4]);
  const unused = ones([3]);
  const { value, gradients } = valueAndGrad(() => x.mul(w).mul(w).sum(), { layer: { w }, x, unused });
  assert.equal(value.item(), 19);
  assert.deepEqual(gradients.layer.w.toArray(), [6, 16]);
  assert.deepEqual(gradients.x.toArray(), [1, 4]);
  assert.deepEqual(gradients.unused.toArray(), [0, 0, 0]);
});

test('the gradient of a gradient with regard to a Parameter', () => {
  const w = new Parameter('w', [2]);
  w.assign(tensor([1, 2]));
  const penalty = (): Tensor =>
    valueAndGrad(() => w.value.square().mul(w).sum(), { w })
      .gradients.w.square()
      .sum();
  // d/dw (3w²)² = 36 w³
  assert.deepEqual(valueAndGrad(penalty, { w }).gradients.w.toArray(), [36, 288]);
});

test('a gradient with regard to something in the middle', () => {
  const f = compile((x: Tensor) => {
    const middle = x.mul(2);
    return valueAndGrad(() => middle.square().sum(), { middle }).gradients.middle;
  });
  assert.deepEqual(f(tensor([1, 2])).toArray(), [4, 8]);
});

test('what is read twice adds up; stopGradient stops', () => {
  const f = (x: Tensor): Tensor => x.add(x.mul(x)).add(x.stopGradient().mul(x)).sum();
  assert.deepEqual(grad(f)(tensor([3])).toArray(), [1 + 6 + 3]);
});

test('integers have no gradient and let none through', () => {
  const f = (x: Tensor): Tensor => x.cast('int32').cast('float32').add(x).sum();
  assert.deepEqual(grad(f)(tensor([1.5])).toArray(), [1]);
});

test('vjp pulls a gradient back to every argument', () => {
  const { value, pullback } = vjp((x: Tensor, y: Tensor) => x.mul(y), tensor([1, 2]), tensor([3, 4]));
  assert.deepEqual(value.toArray(), [3, 8]);
  assert.deepEqual(
    pullback(tensor([1, 10])).map((dy) => dy.toArray()),
    [
      [3, 40],
      [1, 20],
    ],
  );
});

test('vjp twice is a forward derivative', () => {
  const f = (x: Tensor): Tensor => x.mul(x);
  const x = tensor([3, 4]);
  // the pullback is linear in dy: its own pullback pushes a direction forward
  const forward = vjp((dy: Tensor) => vjp(f, x).pullback(dy)[0], zeros([2])).pullback(tensor([1, 10]));
  assert.deepEqual(forward[0].toArray(), [6, 80]);
});

test('what is not chosen leaks no NaN into the gradient', () => {
  const f = (x: Tensor): Tensor => x.greater(0).select(x.log(), 0).sum();
  const [a, b] = grad(f)(tensor([2, 1])).toArray() as number[];
  assert.deepEqual([a, b], [0.5, 1]);
  const infinite = tensor([Number.POSITIVE_INFINITY, 1]);
  assert.deepEqual(
    grad((x: Tensor) => x.dynamicSlice(tensor([1], { dtype: 'int32' }), [1]).sum())(infinite).toArray(),
    [0, 1],
  );
});

test('at kinks the gradient is what the field expects', () => {
  const zero = tensor([0]);
  const at = (f: (x: Tensor) => Tensor): unknown => (grad((x: Tensor) => f(x).sum())(zero).toArray() as number[])[0];
  assert.equal(
    at((x) => x.relu()),
    0,
  );
  assert.equal(
    at((x) => x.abs()),
    0,
  );
  assert.equal(
    at((x) => x.softplus()),
    0.5,
  );
  assert.equal(
    at((x) => x.norm()),
    0,
  );
  assert.equal(
    at((x) => x.std()),
    0,
  );
  assert.equal(
    at((x) => x.maximum(0)),
    0.5,
  );
  assert.equal(
    at((x) => x.clip(0, 1)),
    1,
  );
});

test('checkpoint changes no value and no gradient', () => {
  const body = (x: Tensor, y: Tensor): Tensor => x.mul(y).tanh().mul(x);
  const w = new Parameter('w', [2]);
  w.assign(tensor([0.3, -0.7]));
  const plain = (x: Tensor): Tensor => body(body(x, w.value), w.value).sum();
  const saved = (x: Tensor): Tensor => {
    const f = checkpoint((z: Tensor) => body(z, w.value));
    return f(f(x)).sum();
  };
  const x = tensor([1.5, 0.25]);
  const run = (f: (x: Tensor) => Tensor) => compile(() => valueAndGrad(() => f(x), { w, x }))();
  const [a, b] = [run(plain), run(saved)];
  assert.deepEqual(
    [b.value.toArray(), b.gradients.w.toArray(), b.gradients.x.toArray()],
    [a.value.toArray(), a.gradients.w.toArray(), a.gradients.x.toArray()],
  );
});
