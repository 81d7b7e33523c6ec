import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { compile, KilnError, ones, Parameter, type Tensor, tensor, valueAndGrad, zeros } from '../../src/core/index.js';
import '../devices.js';
import { assertFails } from './fails.js';

function counting<A extends readonly Tensor[], R>(
  f: (...args: A) => R,
): { run: (...args: A) => R; traces: () => number } {
  let count = 0;
  return {
    run: (...args) => {
      count++;
      return f(...args);
    },
    traces: () => count,
  };
}

function parameter(name: string, values: readonly number[]): Parameter {
  const made = new Parameter(name, [values.length]);
  made.assign(tensor(values));
  return made;
}

/** What `f` warns of. */
function warnings(t: TestContext, f: () => void): string[] {
  const warn = t.mock.method(console, 'warn', () => undefined);
  f();
  return warn.mock.calls.map(({ arguments: [text] }) => String(text));
}

test('a function is traced once for each set of shapes and static arguments', (t) => {
  t.mock.method(console, 'warn', () => undefined);
  const { run, traces } = counting((x: Tensor) => x.mul(2));
  const f = compile(run);
  assert.deepEqual(f(tensor([1, 2])).toArray(), [2, 4]);
  assert.deepEqual(f(tensor([3, 4])).toArray(), [6, 8]);
  assert.equal(traces(), 1);
  assert.deepEqual(f(tensor([1, 2, 3])).toArray(), [2, 4, 6]);
  assert.equal(traces(), 2);
  f(tensor([5, 6]));
  f(tensor([1], { dtype: 'int32' }));
  assert.equal(traces(), 3);
});

test('trees go in and come out, and what is no tensor is part of the program', () => {
  const f = compile(({ x, scale }: { x: readonly Tensor[]; scale: number }) => ({
    scaled: x.map((item) => item.mul(scale)),
    name: 'kept',
    one: 1,
  }));
  const { scaled, name, one } = f({ x: [tensor([1]), tensor([2, 3])], scale: 3 });
  assert.deepEqual([scaled.map((item) => item.toArray()), name], [[[3], [6, 9]], 'kept']);
  assert.equal((one as unknown as Tensor).item(), 1, 'a number among the results becomes a tensor');
});

test('the third compilation warns and names what differs', (t) => {
  const f = compile(function step(x: Tensor, rate: number) {
    return x.mul(rate);
  });
  const said = warnings(t, () => {
    for (const rate of [0.1, 0.2, 0.3, 0.4]) f(ones([2]), rate);
  });
  assert.deepEqual(said, [
    'compile: step is compiled for the third time: 1=0.1 | 1=0.2 | 1=0.3\n' +
      '  Each new shape, number or string is a program of its own. Pad to fewer shapes, or pass numbers that change as tensors.',
  ]);
});

test('a Parameter that is assigned is updated, and reads as its new value after', () => {
  const w = parameter('w', [1, 2]);
  const step = compile((x: Tensor) => {
    const before = w.value.mul(1);
    w.assign(w.value.add(x));
    return [before, w.value] as const;
  });
  for (let i = 0; i < 3; i++) {
    const [before, after] = step(tensor([1, 10]));
    assert.deepEqual(
      [before.toArray(), after.toArray()],
      [
        [1 + i, 2 + 10 * i],
        [2 + i, 12 + 10 * i],
      ],
    );
    assert.deepEqual(w.value.toArray(), after.toArray());
  }
});

test('a tensor read out of a Parameter keeps its value when the Parameter is updated', () => {
  const w = parameter('w', [1, 2]);
  const step = compile(() => w.assign(w.value.mul(2)));
  const first = w.value;
  step();
  const second = w.value;
  step();
  step();
  assert.deepEqual(
    [first, second, w.value].map((x) => x.toArray()),
    [
      [1, 2],
      [2, 4],
      [8, 16],
    ],
  );
});

test('two Parameters change places', () => {
  const [a, b] = [parameter('a', [1]), parameter('b', [2])];
  const swap = compile(() => {
    const [x, y] = [a.value, b.value];
    a.assign(y);
    b.assign(x);
  });
  swap();
  assert.deepEqual([a.value.item(), b.value.item()], [2, 1]);
  swap();
  swap();
  assert.deepEqual([a.value.item(), b.value.item()], [2, 1]);
});

test('a result that is an input, or twice the same, stays what it is', () => {
  const w = parameter('w', [1]);
  const step = compile((x: Tensor) => {
    const now = w.value;
    w.assign(now.add(1));
    return [x, now, now] as const;
  });
  const x = tensor([5]);
  const [same, one, other] = step(x);
  step(x);
  step(x);
  assert.deepEqual([same.item(), one.item(), other.item(), w.value.item()], [5, 1, 1, 4]);
});

test('captured tensors are inputs, not copied into the program', () => {
  const bias = tensor([1, 2]);
  const f = compile((x: Tensor) => x.add(bias));
  assert.deepEqual(f(zeros([2])).toArray(), [1, 2]);
});

test('compiled inside compiled is traced into the outer one', () => {
  const inner = compile((x: Tensor) => x.add(1));
  const outer = compile((x: Tensor) => inner(inner(x)));
  assert.equal(outer(tensor(1)).item(), 3);
});

test('an assignment inside a differentiated function stays', () => {
  const [w, mean] = [parameter('w', [2]), parameter('mean', [0])];
  const step = compile((x: Tensor) => {
    const { value, gradients } = valueAndGrad(
      () => {
        mean.assign(mean.value.mul(0.5).add(x.mul(0.5)));
        return w.value.mul(x).square().sum();
      },
      { w },
    );
    w.assign(w.value.sub(gradients.w.mul(0.1)));
    return value;
  });
  assert.equal(step(tensor([1])).item(), 4);
  assert.ok(Math.abs(w.value.item() - 1.6) < 1e-6);
  assert.equal(mean.value.item(), 0.5);
});

test('what goes wrong says where and how to mend it', () => {
  let kept: Tensor | undefined;
  compile((x: Tensor) => {
    kept = x.add(1);
    return x;
  })(ones([1]));
  const w = parameter('w', [1]);
  const traced =
    'Tensor float32 [1]: is traced, its values exist only when the program runs\n  Return it from the compiled function and read it there.';
  assertFails(() => kept!.dataSync(), KilnError, traced);
  assertFails(() => kept!.add(1), KilnError, traced);
  assertFails(() => w.assign(kept!), KilnError, traced);
  assertFails(() => compile((x: Tensor) => x.item())(ones([1])), KilnError, traced);
  assertFails(
    () => compile((x: Tensor) => x.add(kept!))(ones([1])),
    KilnError,
    'Tensor float32 [1]: belongs to a function that has been traced already\n  Return it from the compiled function instead of keeping it; state that outlives a step is a Parameter.',
  );
  assertFails(
    () => compile((x: Tensor) => Promise.resolve(x))(ones([1])),
    KilnError,
    'compile: the function is async\n  What happens after an await would not be traced: wait before the call, and hand the tensors in.',
  );
  assertFails(
    () => compile((f: unknown) => f)(() => 1),
    KilnError,
    'compile: argument 0 is a function\n  Arguments are trees of tensors, numbers and strings; close over functions instead.',
  );
  assertFails(
    () => compile((f: unknown) => f)({ model: new Map() }),
    KilnError,
    'compile: argument 0/model is a Map\n  Arguments are trees of tensors, numbers and strings; close over models and parameters instead.',
  );
  assertFails(
    () => new Parameter('conv2d/kernel', [1]).value,
    KilnError,
    'parameter conv2d/kernel: has no value yet\n  Call initialize(model, { seed }) or load(model, file) before the first step.',
  );
});

test('a function that fails while it is traced changes nothing and can be called again', () => {
  const w = parameter('w', [1]);
  const step = compile((x: Tensor) => {
    w.assign(w.value.add(1));
    return x.matmul(ones([3, 1]));
  });
  assert.throws(() => step(ones([1, 2])));
  assert.equal(w.value.item(), 1);
  assert.equal(step(ones([1, 3])).item(), 3);
  assert.equal(w.value.item(), 2);
});
