import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { listing, ModuleBuilder } from '../../../src/backends/wasm/assembler.js';
import { addBarrier } from '../../../src/backends/wasm/barrier.js';
import { SinglePool } from '../../../src/backends/wasm/pool.js';
import { ThreadPool } from '../../../src/backends/wasm/pool.node.js';
import { WebAssembly } from '../../../src/backends/wasm/webassembly.js';
import { InternalError } from '../../../src/core/errors.js';
import { barrierAddress, counter, engine, mark, program, rounds, sharedMemory, slots, trapping } from './programs.js';

const options = { barrier: barrierAddress };

/** On a loaded machine a worker may miss a roll call: then the program has run on fewer threads, which is no fault. */
function runUntil(pool: ThreadPool, wanted: number, run: () => number): number {
  const end = performance.now() + 20_000;
  for (;;) {
    const threads = run();
    if (threads === wanted || pool.awake < wanted || performance.now() > end) return threads;
  }
}

test('workers start while the calling thread never returns to its event loop', () => {
  const memory = sharedMemory();
  const pool = ThreadPool.create(memory, 2, options);
  const module = mark();
  const end = performance.now() + 20_000;
  while (pool.run(module, 7) < 2 && performance.now() < end);
  assert.equal(
    runUntil(pool, 2, () => pool.run(module, 100)),
    2,
  );
  assert.deepEqual([...new Int32Array(memory.buffer, slots, 2)], [100, 101]);
  return pool.close();
});

test('one pool runs many programs, with as many threads as asked for, at most its own', async () => {
  const memory = sharedMemory();
  const pool = ThreadPool.create(memory, 4, options);
  await pool.ready();
  assert.equal(pool.awake, 4);
  for (let i = 0; i < 20; i++) {
    const module = mark();
    assert.equal(
      runUntil(pool, 3, () => pool.run(module, 10 * i, 3)),
      3,
    );
    assert.deepEqual([...new Int32Array(memory.buffer, slots, 3)], [10 * i, 10 * i + 1, 10 * i + 2]);
    pool.release(module);
    assert.equal(pool.run(module, 0, 1), 1);
    assert.equal(
      runUntil(pool, 4, () => pool.run(module, 0, 99)),
      4,
    );
  }
  await pool.close();
  assert.equal(pool.run(mark(), 5), 1);
});

for (const threads of [1, 2, 4]) {
  test(`${threads} threads meet at the barrier, round after round`, async () => {
    const memory = sharedMemory();
    const pool = ThreadPool.create(memory, threads, options);
    await pool.ready();
    const module = rounds();
    const words = new Int32Array(memory.buffer);
    for (let i = 0; i < 5; i++) {
      words[counter / 4] = 0;
      assert.equal(pool.run(module, 200), 0);
      assert.equal(words[counter / 4]! % 200, 0);
    }
    await pool.close();
  });
}

test('a trap in any thread ends the program, names the thread, and the pool works on', async () => {
  const memory = sharedMemory();
  const pool = ThreadPool.create(memory, 2, options);
  await pool.ready();
  const module = trapping();
  const works = mark();
  for (const thread of [1, 0, 1]) {
    const pattern = new RegExp(
      `^InternalError: wasm: a program trapped\\n(.*\\n)?  thread ${thread}: .*divide by zero`,
    );
    // The roll call may have found one thread only: then thread 1 is not there to trap.
    runUntil(pool, 2, () => {
      const before = pool.run(works, 0);
      if (before < 2) return before;
      try {
        return pool.run(module, thread) === 0 ? 1 : 2;
      } catch (error) {
        assert.match(String(error), pattern);
        return 2;
      }
    });
    assert.equal(
      runUntil(pool, 2, () => pool.run(works, 3)),
      2,
    );
    assert.equal(pool.run(rounds(), 1), 0, 'the barrier is whole again');
    new Int32Array(memory.buffer)[counter / 4] = 0;
  }
  await pool.close();
});

test('a worker that died is noticed, reported, and done without', async () => {
  const memory = sharedMemory();
  const reports: string[] = [];
  const pool = ThreadPool.create(memory, 3, { ...options, report: (message) => void reports.push(message) });
  await pool.ready();
  const module = mark();
  assert.equal(
    runUntil(pool, 3, () => pool.run(module, 0)),
    3,
  );
  await pool.endWorker(0);
  assert.deepEqual(reports, ['wasm: worker thread 1 ended: exit code 1\n  Going on with 2 of 3 threads.']);
  assert.equal(
    runUntil(pool, 2, () => pool.run(module, 40)),
    2,
  );
  assert.deepEqual([...new Int32Array(memory.buffer, slots, 2)], [40, 41]);
  const ending = pool.endWorker(1); // not awaited: the pool has not been told yet
  assert.equal(pool.run(module, 50), 1);
  assert.equal(pool.run(rounds(), 3), 0);
  await ending;
  assert.equal(pool.awake, 1);
  assert.equal(reports.length, 2);
  assert.equal(pool.run(module, 60), 1);
});

test('the process exits while workers sleep, spin or work', () => {
  const source = `
    import { ThreadPool } from ${JSON.stringify(new URL('../../../src/backends/wasm/pool.node.js', import.meta.url).href)};
    import { mark, sharedMemory } from ${JSON.stringify(new URL('./programs.js', import.meta.url).href)};
    const pool = ThreadPool.create(sharedMemory(), 3);
    await pool.ready();
    const module = mark();
    while (pool.run(module, 1) < 2);
    console.log('done');`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.deepEqual([status, stdout, stderr], [0, 'done\n', '']);
});

test('one thread on unshared memory: no worker, no waiting instruction', () => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 16 });
  const module = program(({ f, context, threads, barrier }) => {
    barrier();
    f.get(context).get(threads).op('i32.add');
  }, false);
  const pool = new SinglePool(memory);
  assert.equal(pool.run(module, 41), 42);
  const trap = program(({ f }) => f.op('unreachable'), false);
  const message = 'wasm: a program trapped\n  thread 0: RuntimeError: unreachable';
  assert.throws(() => pool.run(trap, 0), new InternalError(message));
  assert.throws(() => ThreadPool.create(memory, 2), new InternalError('wasm: 2 threads need a shared memory'));
});

test('where the calling thread may not sleep the barrier has no waiting instruction', () => {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 2, 16, true);
  const barrier = addBarrier(module, { mayWait: false });
  const f = module.function('run', ['i32', 'i32', 'i32'], ['i32']);
  f.i32(barrierAddress).i32(1).call(barrier).i32(9);
  module.export('run', f);
  assert.doesNotMatch(listing(module), /wait32/);
  assert.equal(new SinglePool(sharedMemory()).run(engine.compile(module.finish()), 0), 9);
});

test('instances are bounded: hundreds of modules come and go', async () => {
  const pool = ThreadPool.create(sharedMemory(), 2, options);
  await pool.ready();
  const first = mark();
  for (let i = 0; i < 400; i++) assert.ok(pool.run(mark(), i) >= 1);
  assert.equal(
    runUntil(pool, 2, () => pool.run(first, 0)),
    2,
  );
  await pool.close();
});
