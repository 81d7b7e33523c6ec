/** What a compiled function does with its results, its parameters and its surroundings. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { wasm } from '../../src/backends/index.js';
import {
  checkpoint,
  compile,
  cond,
  currentTrace,
  type Executable,
  grad,
  memory,
  Parameter,
  Storage,
  scan,
  type Tensor,
  tensor,
  useDevice,
  valueAndGrad,
} from '../../src/core/index.js';
import { numbers, on, wasmWith } from './agree.js';

useDevice(wasmWith(1));

const values = (x: Tensor | Parameter): number[] => [...(x instanceof Parameter ? x.value : x).dataSync()];
const parameter = (name: string, ...initial: number[]): Parameter => {
  const made = new Parameter(name, [initial.length]);
  made.assign(tensor(initial));
  return made;
};

/** The same on each device. */
function everywhere(name: string, f: () => void): void {
  test(name, () => {
    for (const device of [wasmWith(1), wasmWith(2), 'reference']) on(device, f);
  });
}

everywhere('a function without inputs', () => {
  const f = compile(() => tensor([1, 2]).add(1));
  assert.deepEqual(values(f()), [2, 3]);
  assert.deepEqual(values(f()), [2, 3]);
});

everywhere('a function without tensors', () => {
  assert.equal(compile((x: string) => `${x}!`)('a'), 'a!');
  assert.equal(compile(() => undefined)(), undefined);
  assert.deepEqual(compile(() => ({ name: 'a' }))(), { name: 'a' });
});

everywhere('a tree of results with the same tensor twice', () => {
  const { a, b, rest } = compile((x: Tensor) => {
    const y = x.mul(2);
    return { a: y, b: y, rest: [x, y.neg(), 'text'] as const };
  })(tensor([1, 2]));
  assert.deepEqual(
    [values(a), values(b), values(rest[0]), values(rest[1])],
    [
      [2, 4],
      [2, 4],
      [1, 2],
      [-2, -4],
    ],
  );
  assert.equal(rest[2], 'text');
});

everywhere('results that are arguments, captures, views and parameters', () => {
  const captured = tensor([5, 6]);
  const p = parameter('p', 7, 8);
  const x = tensor([1, 2]);
  const f = compile((own: Tensor) => [own, captured, p.value, own.reshape([2, 1]), own.broadcastTo([2, 2])]);
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(f(x).map(values), [
      [1, 2],
      [5, 6],
      [7, 8],
      [1, 2],
      [1, 2, 1, 2],
    ]);
  }
  assert.deepEqual(
    [values(x), values(captured), values(p)],
    [
      [1, 2],
      [5, 6],
      [7, 8],
    ],
  );
});

everywhere('a parameter assigned twice ends with the last', () => {
  const p = parameter('p', 1, 2);
  compile(() => {
    p.assign(p.value.add(1));
    p.assign(p.value.mul(10));
  })();
  assert.deepEqual(values(p), [20, 30]);
});

everywhere('a parameter assigned its own old value', () => {
  const p = parameter('p', 1, 2);
  const step = compile(() => {
    const old = p.value;
    p.assign(p.value.add(1));
    p.assign(old);
    return old;
  });
  for (let i = 0; i < 3; i++) assert.deepEqual(values(step()), [1, 2]);
  assert.deepEqual(values(p), [1, 2]);
});

everywhere('the old value as a result, beside the update', () => {
  const p = parameter('p', 1, 2);
  const step = compile(() => {
    const old = p.value;
    p.assign(old.mul(2));
    return [old, old.add(0.5)];
  });
  assert.deepEqual(step().map(values), [
    [1, 2],
    [1.5, 2.5],
  ]);
  assert.deepEqual(step().map(values), [
    [2, 4],
    [2.5, 4.5],
  ]);
  assert.deepEqual(step().map(values), [
    [4, 8],
    [4.5, 8.5],
  ]);
  assert.deepEqual(values(p), [8, 16]);
});

everywhere('two parameters swapped, and three in a ring', () => {
  const [a, b, c] = [parameter('a', 1, 2), parameter('b', 3, 4), parameter('c', 5, 6)];
  const swap = compile(() => {
    const old = a.value;
    a.assign(b.value);
    b.assign(old);
  });
  swap();
  assert.deepEqual(
    [values(a), values(b)],
    [
      [3, 4],
      [1, 2],
    ],
  );
  swap();
  swap();
  assert.deepEqual(
    [values(a), values(b)],
    [
      [3, 4],
      [1, 2],
    ],
  );
  const ring = compile(() => {
    const [x, y, z] = [a.value, b.value, c.value];
    a.assign(z.add(y));
    b.assign(x.add(z));
    c.assign(y.add(x));
  });
  ring();
  assert.deepEqual(
    [values(a), values(b), values(c)],
    [
      [6, 8],
      [8, 10],
      [4, 6],
    ],
  );
  ring();
  assert.deepEqual(
    [values(a), values(b), values(c)],
    [
      [12, 16],
      [10, 14],
      [14, 18],
    ],
  );
});

everywhere('two parameters given one tensor', () => {
  const [a, b] = [parameter('a', 1, 2), parameter('b', 3, 4)];
  const step = compile(() => {
    const sum = a.value.add(b.value);
    a.assign(sum);
    b.assign(sum);
  });
  step();
  compile(() => a.assign(a.value.add(1)))();
  assert.deepEqual(
    [values(a), values(b)],
    [
      [5, 7],
      [4, 6],
    ],
  );
  step();
  assert.deepEqual(
    [values(a), values(b)],
    [
      [9, 13],
      [9, 13],
    ],
  );
});

everywhere('a parameter given an argument, which then changes alone', () => {
  const p = parameter('p', 0, 0);
  const x = tensor([1, 2]);
  compile((own: Tensor) => p.assign(own))(x);
  const add = compile(() => p.assign(p.value.add(1)));
  add();
  add();
  assert.deepEqual(
    [values(x), values(p)],
    [
      [1, 2],
      [3, 4],
    ],
  );
});

everywhere('what was read out of a parameter keeps its value', () => {
  const p = parameter('p', 1, 2);
  const step = compile(() => p.assign(p.value.mul(2).add(p.value.flip(0))));
  step();
  const held = [p.value];
  for (let i = 0; i < 5; i++) {
    step();
    held.push(p.value);
  }
  const wanted = [[4, 5]];
  for (let i = 0; i < 5; i++) {
    const [a, b] = wanted.at(-1) as [number, number];
    wanted.push([2 * a + b, 2 * b + a]);
  }
  assert.deepEqual(held.map(values), wanted);
});

everywhere('an assignment outside a program, between two of them', () => {
  const p = parameter('p', 1, 2);
  const other = tensor([10, 20]);
  const step = compile(() => p.assign(p.value.add(1)));
  step();
  p.assign(other);
  step();
  assert.deepEqual(
    [values(p), values(other)],
    [
      [11, 21],
      [10, 20],
    ],
  );
});

everywhere('parameters among the arguments', () => {
  const p = parameter('p', 1, 2);
  const f = compile((x: Tensor | Parameter, y: { readonly z: Parameter }) =>
    (x as Tensor).add(y.z as unknown as Tensor),
  );
  assert.deepEqual(values(f(p, { z: p })), [2, 4]);
  p.assign(tensor([5, 6]));
  assert.deepEqual(values(f(p, { z: p })), [10, 12]);
  assert.deepEqual(values(f(tensor([1, 1]), { z: p })), [6, 7]);
});

everywhere('compiled functions inside compiled functions', () => {
  const p = parameter('p', 1, 2);
  const inner = compile((x: Tensor) => {
    p.assign(p.value.add(x));
    return p.value.mul(2);
  });
  const outer = compile((x: Tensor) => inner(inner(x)).add(p.value));
  // p: 1 → 2 → 6 (x = 2·2), so 12 + 6
  assert.deepEqual(values(outer(tensor([1, 1]))), [18, 27]);
  assert.deepEqual(values(p), [6, 9]);
  const slope = grad((x: Tensor) => compile((y: Tensor) => y.square().sum())(x));
  assert.deepEqual(values(slope(tensor([1, 2]))), [2, 4]);
});

test('another device between two calls', () => {
  const p = parameter('p', 1, 2);
  const step = compile((x: Tensor) => {
    p.assign(p.value.mul(x));
    return p.value.sum();
  });
  const x = tensor([2, 3]);
  const sums: number[] = [];
  for (const device of [wasmWith(1), 'reference', wasmWith(2), 'reference', wasmWith(1), wasmWith(3), wasmWith(2)])
    sums.push(on(device, () => values(step(x))[0]!));
  assert.deepEqual(sums, [8, 22, 62, 178, 518, 1522, 4502]);
  assert.deepEqual(values(p), [128, 4374]);
});

test('a failure while tracing leaves no trace under way', () => {
  const p = parameter('p', 1, 2);
  const boom = (): never => {
    throw new Error('boom');
  };
  const x = tensor([1, 2]);
  const failing: (() => unknown)[] = [
    () => compile((y: Tensor) => boom() as Tensor & typeof y)(x),
    () => compile((y: Tensor) => y.add(tensor([1, 2, 3])))(x),
    () =>
      compile(() => {
        p.assign(p.value.add(1));
        boom();
      })(),
    () => grad(boom)(x),
    () => valueAndGrad(boom, [p]),
    () => scan(boom, x, x),
    () => cond(true, boom, boom),
    () => checkpoint((_: Tensor) => boom())(x),
    () => compile(() => scan(boom, x, x))(),
    () => compile(() => valueAndGrad(() => compile(boom)(), [p]))(),
  ];
  for (const f of failing) {
    assert.throws(f);
    assert.equal(currentTrace(), undefined);
    assert.deepEqual(values(x.add(p.value)), [2, 4]);
  }
});

test('a failure in the program of one step does not keep the next from running', () => {
  const f = compile((at: Tensor) => numbers([4]).take(at));
  assert.throws(() => f(tensor(Int32Array.of(4))));
  assert.equal(currentTrace(), undefined);
  assert.equal(f(tensor(Int32Array.of(3))).size, 1);
});

test('the cache of programs is bounded, and releases what it drops', () => {
  const released: number[] = [];
  let compiled = 0;
  const large = {
    name: 'large',
    target: 'none',
    threads: 1,
    memory: () => ({ resident: 0, arena: 0, peak: 0 }),
    compile: (): Executable => {
      const number = compiled++;
      return {
        byteLength: 100 * 2 ** 20,
        run: () => [Storage.of(new ArrayBuffer(4))],
        release: () => released.push(number),
      };
    },
  };
  on(large, () => {
    for (const size of [1, 2, 3, 1, 4, 5, 1]) tensor(new Float32Array(size)).sum();
  });
  // room for two: 1 is compiled anew when 2 and 3 have come
  assert.equal(compiled, 7);
  assert.deepEqual(released, [0, 1, 2, 3, 4]);
  assert.ok(memory().programBytes <= 256 * 2 ** 20);
});

test('memory() tells what is held', () => {
  const device = wasm({ threads: 1 });
  on(device, () => {
    const before = memory();
    assert.equal(before.resident, 0);
    const kept = numbers([1 << 16]).mul(3);
    const after = memory();
    assert.ok(after.resident >= 2 * 4 * (1 << 16), `${after.resident} bytes are resident`);
    assert.ok(after.peak >= after.resident);
    assert.ok(after.programs > 0 && after.programBytes > 0);
    assert.equal(kept.size, 1 << 16);
  });
});
