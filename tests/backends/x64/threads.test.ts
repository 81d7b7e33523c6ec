import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import {
  type Assembler,
  dword,
  eax,
  edx,
  esi,
  indexed,
  mem,
  r12,
  r13,
  r13d,
  r14,
  r14d,
  rbp,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
} from '../../../src/backends/x64/assembler.js';
import { addBarrier, emitAbort } from '../../../src/backends/x64/barrier.js';
import type { Native } from '../../../src/backends/x64/native.node.js';
import { NativeThreads } from '../../../src/backends/x64/threads.node.js';
import { InternalError } from '../../../src/core/errors.js';
import { native, readWords, withCode, withMemory, withoutNative } from './native-code.js';

const skip = withoutNative;

function withThreads<T>(threads: number, use: (threads: NativeThreads) => T): T {
  const team = NativeThreads.create(native(), threads);
  try {
    return use(team);
  } finally {
    team.close();
  }
}

/** Counts at context[thread], notes the number of threads at context[64 + thread], returns 10 · thread − 5. */
const countVisits = (a: Assembler): void => {
  a.op('lock inc', dword(indexed(rdi, rsi, 4))).op('mov', indexed(rdi, rsi, 4, 256), edx);
  a.op('imul', eax, esi, 10).op('sub', eax, 5).op('ret');
};

/** Long enough that workers go to sleep. */
const pass = (): void => {
  const end = performance.now() + 0.5;
  while (performance.now() < end);
};

for (const threads of [1, 2, 4, 7]) {
  test(`each of ${threads} threads runs a program once`, { skip }, () => {
    withThreads(threads, (team) =>
      withCode(countVisits, (entry) =>
        withMemory(4096, (memory) => {
          for (let round = 0; round < 300; round++) {
            assert.equal(team.run(entry, memory), 10 * threads - 15);
            if (round % 50 === 0) pass();
          }
          assert.equal(team.awake, threads);
          assert.deepEqual(readWords(memory, threads + 1), [...Array<number>(threads).fill(300), 0]);
          assert.deepEqual(readWords(memory + 256, threads), Array<number>(threads).fill(threads));
        }),
      ),
    );
  });
}

test('programs on fewer threads than there are', { skip }, () => {
  withThreads(4, (team) =>
    withCode(countVisits, (entry) =>
      withMemory(4096, (memory) => {
        const expected = [0, 0, 0, 0];
        for (let round = 0; round < 400; round++) {
          const threads = 1 + ((round * 7) % 5); // five: as many as there are
          assert.equal(team.run(entry, memory, threads), 10 * Math.min(4, threads) - 15);
          for (let i = 0; i < Math.min(4, threads); i++) expected[i]!++;
        }
        assert.deepEqual(readWords(memory, 4), expected);
      }),
    ),
  );
});

/**
 * context: [rounds, passed too early, counter]. In each round every thread adds one and meets the others; nobody may then see
 * less than all additions of that round, nor, before the second barrier, more.
 */
const meet = (a: Assembler): void => {
  const barrier = a.label('barrier.entry');
  const saved = [rbx, rbp, r12, r13, r14];
  for (const register of saved) a.op('push', register);
  a.op('mov', rbx, rdi).op('mov', rbp, rcx).op('mov', r12, rdx).op('xor', r13d, r13d).op('xor', r14d, r14d);
  const call = (): unknown => a.op('mov', rdi, rbp).op('mov', rsi, r12).op('call', barrier).op('or', r14d, eax);
  const round = a.here('round');
  const right = a.label('right', { isShort: true });
  a.op('lock inc', dword(mem(rbx, 8))).op('add', r13, r12);
  call();
  a.op('cmp', mem(rbx, 8), r13d)
    .op('je', right)
    .op('lock inc', dword(mem(rbx, 4)))
    .bind(right);
  call();
  a.op('mov', eax, r13d).op('xor', edx, edx).op('div', r12);
  a.op('cmp', eax, mem(rbx)).op('jl', round);
  a.op('mov', eax, r14d);
  for (const register of saved.toReversed()) a.op('pop', register);
  a.op('ret').bind(barrier);
  addBarrier(a, native().platform);
};

for (const [threads, rounds] of [
  [2, 20_000],
  [4, 300],
  [8, 100],
] as const) {
  test(`nobody passes a barrier of ${threads} threads early`, { skip }, () => {
    withThreads(threads, (team) =>
      withCode(meet, (entry) =>
        withMemory(4096, (memory) => {
          for (let run = 0; run < 3; run++) {
            native().write(memory, Int32Array.of(rounds, 0, 0));
            assert.equal(team.run(entry, memory), 0);
            assert.deepEqual(readWords(memory, 3), [rounds, 0, rounds * threads]);
            pass();
          }
        }),
      ),
    );
  });
}

/** Thread 1 gives the others up where they wait for it. */
const giveUp = (a: Assembler): void => {
  const barrier = a.label('barrier.entry');
  const leave = a.label('leave');
  a.op('mov', rdi, rcx).op('cmp', esi, 1).op('je', leave);
  a.op('push', rbx).op('mov', esi, edx).op('call', barrier).op('pop', rbx).op('ret');
  a.bind(leave);
  emitAbort(a, native().platform);
  a.op('xor', eax, eax).op('ret').bind(barrier);
  addBarrier(a, native().platform);
};

test('a thread that leaves hangs nobody, and the next program runs', { skip }, () => {
  withThreads(3, (team) =>
    withCode(giveUp, (aborting) =>
      withCode(meet, (meeting) =>
        withMemory(4096, (memory) => {
          for (let round = 0; round < 3; round++) {
            assert.equal(team.run(aborting, 0), 1);
            native().write(memory, Int32Array.of(10, 0, 0));
            assert.equal(team.run(meeting, memory), 0);
            assert.deepEqual(readWords(memory, 3), [10, 0, 30]);
          }
        }),
      ),
    ),
  );
});

test('a system that gives fewer threads', { skip }, () => {
  const reports: string[] = [];
  const real = native();
  let starts = 0;
  const poor: Native = Object.create(real, {
    startThread: {
      value: (...[entry, at]: [number, number]) => (++starts < 3 ? real.startThread(entry, at) : undefined),
    },
    ...Object.fromEntries(
      (['map', 'unmap', 'makeExecutable', 'write', 'functionAt', 'joinThread'] as const).map((name) => [
        name,
        { value: (real[name] as (...values: unknown[]) => unknown).bind(real) },
      ]),
    ),
  }) as Native;
  const team = NativeThreads.create(poor, 6, { report: (message) => reports.push(message) });
  withCode(countVisits, (entry) =>
    withMemory(4096, (memory) => {
      assert.equal(team.run(entry, memory), 15);
      assert.equal(team.run(entry, memory), 15);
      assert.deepEqual(readWords(memory, 4), [2, 2, 2, 0]);
    }),
  );
  team.close();
  assert.deepEqual(reports, ['x64: the system gave 3 of 6 threads\n  Going on with 3.']);
});

test('teams live beside one another, end twice, and run nothing afterwards', { skip }, () => {
  withCode(countVisits, (entry) =>
    withMemory(4096, (memory) => {
      const teams = [1, 2, 3].map((threads) => NativeThreads.create(native(), threads));
      for (let round = 0; round < 20; round++) for (const team of teams) team.run(entry, memory);
      assert.deepEqual(readWords(memory, 4), [60, 40, 20, 0]);
      for (const team of teams) {
        team.close();
        team.close();
        assert.throws(
          () => team.run(entry, memory),
          new InternalError('x64: a program is run on threads that were ended'),
        );
      }
    }),
  );
  assert.throws(() => NativeThreads.create(native(), 65), new InternalError('x64: there are 1 to 64 threads: got 65'));
});

test('the process ends while threads sleep', { skip }, () => {
  const sources = new URL('../../../src/backends/x64/', import.meta.url).href;
  const text = `
    const { loadNative } = await import('${sources}native.node.js');
    const { NativeThreads } = await import('${sources}threads.node.js');
    const { ExecutableCode } = await import('${sources}executable.node.js');
    const { native } = loadNative();
    const code = ExecutableCode.create(native, Uint8Array.of(0x31, 0xc0, 0xc3)); // xor eax, eax; ret
    console.log(NativeThreads.create(native, 3).run(code.address, 0));`;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8' });
  assert.deepEqual([stdout, status], ['0\n', 0]);
});
