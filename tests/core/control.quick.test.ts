import assert from 'node:assert/strict';
import test from 'node:test';
import {
  compile,
  cond,
  grad,
  HostRandom,
  ones,
  Parameter,
  type ScanOptions,
  scan,
  stack,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from '../../src/core/index.js';
import { onEachDevice } from '../devices.js';

const random = new HostRandom(3, 'scan');
const draw = (...shape: number[]): Tensor =>
  tensor(Float32Array.from(random.normal(shape.reduce((a, b) => a * b, 1))), { shape });

const steps = 6;
const w = new Parameter('w', [3, 3]);
w.assign(draw(3, 3));
const initial = draw(2, 3);
const xs = draw(steps, 2, 3);

const cell = (h: Tensor, x: Tensor): Tensor => h.matmul(w).add(x).tanh();
type Loop = (h: Tensor, xs: Tensor) => { last: Tensor; all: Tensor };

const unrolled =
  (reverse: boolean): Loop =>
  (h, inputs) => {
    const states: Tensor[] = new Array(steps);
    let state = h;
    for (let i = 0; i < steps; i++) {
      const t = reverse ? steps - 1 - i : i;
      state = cell(state, inputs.slice(t));
      states[t] = state;
    }
    return { last: state, all: stack(states) };
  };
const scanned =
  (options: ScanOptions): Loop =>
  (h, inputs) => {
    const [last, all] = scan(
      (state: Tensor, x: Tensor) => {
        const next = cell(state, x);
        return [next, next];
      },
      h,
      inputs,
      options,
    );
    return { last, all };
  };

/** The loop, its gradients by everything, and the gradient of their size by the parameter. */
const everything = (loop: Loop) =>
  compile(() => {
    const loss = (): Tensor => {
      const { last, all } = loop(initial, xs);
      return last.square().sum().add(all.mul(xs).sum());
    };
    const first = (): Tensor =>
      Object.values(valueAndGrad(loss, { w, initial, xs }).gradients)
        .map((dy) => dy.square().sum())
        .reduce((a, b) => a.add(b));
    return [
      ...Object.values(loop(initial, xs)),
      ...Object.values(valueAndGrad(loss, { w, initial, xs }).gradients),
      ...Object.values(valueAndGrad(first, { w, xs }).gradients),
    ];
  })();

for (const options of [
  {},
  { reverse: true },
  { checkpointEvery: 2 },
  { checkpointEvery: 3, reverse: true },
] as ScanOptions[]) {
  test(`scan ${JSON.stringify(options)} is the unrolled loop, with its first and second derivatives`, () => {
    onEachDevice((device) => {
      const expected = everything(unrolled(options.reverse ?? false));
      everything(scanned(options)).forEach((value, i) => {
        const wanted = expected[i]!.dataSync();
        const most = Math.max(...[...wanted].map(Math.abs));
        value.dataSync().forEach((got, e) => {
          assert.ok(
            Math.abs(got - wanted[e]!) <= 1e-5 * most,
            `${device}: result ${i}, element ${e}: ${got}, unrolled ${wanted[e]}`,
          );
        });
      });
    });
  });
}

test('scan carries a tree, takes a tree and gives a tree', () => {
  const [{ sum, count }, ys] = scan(
    ({ sum, count }: { sum: Tensor; count: Tensor }, { a, b }: { a: Tensor; b: Tensor }) => [
      { sum: sum.add(a), count: count.add(1) },
      { product: a.mul(b), nested: [count] },
    ],
    { sum: zeros([]), count: tensor(0, { dtype: 'int32' }) },
    { a: tensor([1, 2, 3]), b: tensor([4, 5, 6]) },
  );
  assert.deepEqual([sum.item(), count.item(), count.dtype], [6, 3, 'int32']);
  assert.deepEqual(
    [ys.product.toArray(), ys.nested[0]!.toArray()],
    [
      [4, 10, 18],
      [0, 1, 2],
    ],
  );
});

test('scan without a sequence counts to a length; without results there are none', () => {
  const [last, none] = scan((x: Tensor) => [x.mul(2), undefined], ones([2]), undefined, { length: 5 });
  assert.deepEqual([last.toArray(), none], [[32, 32], undefined]);
  const [same, empty] = scan((x: Tensor) => [x.mul(2), x], ones([2]), undefined, { length: 0 });
  assert.deepEqual(
    [same.toArray(), empty.shape],
    [
      [1, 1],
      [0, 2],
    ],
  );
});

test('scan in scan', () => {
  const rows = tensor([
    [1, 2],
    [3, 4],
  ]);
  const [total] = scan(
    (sum: Tensor, row: Tensor) => {
      const [inner] = scan((s: Tensor, x: Tensor) => [s.mul(x), undefined], ones([]), row);
      return [sum.add(inner), undefined];
    },
    zeros([]),
    rows,
  );
  assert.equal(total.item(), 14);
});

test('cond runs the chosen branch, and its gradient goes there', () => {
  const f = (x: Tensor): Tensor =>
    cond(
      x.sum().greater(0),
      () => x.square().sum(),
      () => x.mul(w.value.slice(0)).sum(),
    );
  onEachDevice(() => {
    const run = compile(
      (x: Tensor) => [f(x), grad(f)(x), valueAndGrad(() => f(x), { w }).gradients.w.slice(0)] as const,
    );
    const row = w.value.slice(0).toArray();
    const [a, da, dwa] = run(tensor([1, 2, 3]));
    assert.deepEqual([a.item(), da.toArray(), dwa.toArray()], [14, [2, 4, 6], [0, 0, 0]]);
    const [, db, dwb] = run(tensor([-1, -2, -3]));
    assert.deepEqual([db.toArray(), dwb.toArray()], [row, [-1, -2, -3]]);
  });
});

test('the branches of cond may name their results in another order', () => {
  const { a, b } = cond(
    false,
    () => ({ a: tensor(1), b: tensor(2) }),
    () => ({ b: tensor(20), a: tensor(10) }),
  );
  assert.deepEqual([a.item(), b.item()], [10, 20]);
});

test('cond outside compile takes a boolean, an integer and a tensor', () => {
  const choose = (p: Tensor | boolean | number): number =>
    cond(
      p,
      () => tensor(1),
      () => tensor(2),
    ).item();
  assert.deepEqual([choose(true), choose(0), choose(tensor([3], { dtype: 'int32' }))], [1, 2, 1]);
});
