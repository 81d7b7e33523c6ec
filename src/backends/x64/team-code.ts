import {
  type Assembler,
  dword,
  eax,
  ecx,
  type GeneralRegister,
  type Label,
  low32,
  mem,
  qword,
  r10,
  r12,
  r12d,
  r13,
  r14,
  r15,
  r15d,
  rax,
  rbp,
  rbx,
  rdx,
  rsp,
} from './assembler.js';
import { barrierBytes, barrierWords } from './barrier.js';
import { emitFutex } from './futex.js';
import type { Platform } from './platform.js';

/**
 * Memory of a team of threads, as offsets in bytes from an address that is a multiple of 64; all zero at first but
 * barrier.spins and what a worker is born with. The job is written before a worker's `go` counts up, and read after.
 */
export const teamLayout = {
  job: { entry: 0, context: 8, threads: 16 },
  /** Workers that have not come to the end of the job, and whether the caller sleeps until they have. */
  remaining: 64,
  callerSleeps: 68,
  barrier: 128,
  workers: 128 + barrierBytes,
  workerBytes: 64,
  /** Within a worker's 64 bytes. Each has its own `go`, so that only those are woken who take part. */
  worker: { go: 0, sleeps: 4, result: 8, thread: 12, team: 16 },
} as const;

/** After a job a worker looks for the next this long before it sleeps: 50 µs at 2.5 GHz. Waking takes 5 to 50 µs. */
const lookCycles = 125_000;

const { job, worker } = teamLayout;

/**
 * Adds the function that a thread of the team starts with; its argument is the address of its worker's words. A job is
 * entry(context, thread, threads, barrier), which returns an int32. The job with the entry 0 ends the thread.
 */
export function addWorkerEntry(a: Assembler, platform: Platform): Label {
  const entry = a.here('worker');
  const work = a.label('worker.work');
  const stop = a.label('worker.stop');
  const saved = [rbx, rbp, r12, r13, r14]; // an odd number: calls want rsp at a multiple of 16
  for (const register of saved) a.op('push', register);
  a.op('mov', rbx, platform.arguments[0]).op('mov', rbp, mem(rbx, worker.team)).op('xor', r12d, r12d);
  emitBlockSignals(a, platform);

  const next = a.here('worker.next');
  emitTime(a).op('mov', r13, rax);
  const look = a.here('worker.look');
  a.op('mov', eax, mem(rbx, worker.go)).op('cmp', eax, r12d).op('jne', work);
  for (let i = 0; i < 4; i++) a.op('pause');
  emitTime(a).op('sub', rax, r13).op('cmp', rax, lookCycles).op('jb', look);

  // an exchange, so that the caller sees the flag or this thread the new job
  a.comment('sleep').op('mov', eax, 1).op('xchg', mem(rbx, worker.sleeps), eax);
  const sleep = a.here('worker.sleep');
  emitFutex(a, platform, { operation: 'wait', address: mem(rbx, worker.go), value: r12d });
  a.op('mov', eax, mem(rbx, worker.go)).op('cmp', eax, r12d).op('je', sleep);
  a.op('mov', dword(mem(rbx, worker.sleeps)), 0);

  a.bind(work).op('mov', r12d, eax).op('mov', rax, mem(rbp, job.entry)).op('test', rax, rax).op('je', stop);
  const [context, thread, threads, barrier] = platform.arguments;
  a.op('mov', context, mem(rbp, job.context)).op('mov', low32(thread), mem(rbx, worker.thread));
  a.op('mov', low32(threads), mem(rbp, job.threads)).op('lea', barrier, mem(rbp, teamLayout.barrier));
  a.op('call', rax).op('mov', mem(rbx, worker.result), eax);
  a.op('lock dec', dword(mem(rbp, teamLayout.remaining))).op('jne', next);
  a.op('cmp', dword(mem(rbp, teamLayout.callerSleeps)), 0).op('je', next);
  emitFutex(a, platform, { operation: 'wake', address: mem(rbp, teamLayout.remaining), value: 1 });
  a.op('jmp', next);

  a.bind(stop).op('xor', eax, eax);
  return emitReturn(a, saved, entry);
}

/**
 * Adds run(team, entry, context, threads): the caller is thread 0 of the job and returns when all have come to its end, with
 * the largest of their results.
 */
export function addRun(a: Assembler, platform: Platform): Label {
  const entry = a.here('run');
  const solo = a.label('run.solo');
  const joined = a.label('run.joined');
  const done = a.label('run.done');
  const [team, job0, context, threads] = platform.arguments;
  const saved = [rbx, rbp, r12, r13, r14, r15];
  for (const register of saved) a.op('push', register);
  a.op('sub', rsp, 8);
  a.op('mov', rbp, team).op('mov', r13, job0).op('mov', r14, context).op('mov', r15d, low32(threads));
  a.op('cmp', r15d, 1).op('jle', solo);

  a.comment('the job');
  a.op('mov', mem(rbp, job.entry), r13).op('mov', mem(rbp, job.context), r14).op('mov', mem(rbp, job.threads), r15d);
  a.op('lea', r12, mem(r15, -1)).op('mov', mem(rbp, teamLayout.remaining), r12d);
  a.op('mov', dword(mem(rbp, teamLayout.callerSleeps)), 0);
  a.comment('a barrier may have been given up in the last job');
  for (const name of ['arrivals', 'abort'] as const) {
    a.op('mov', dword(mem(rbp, teamLayout.barrier + barrierWords[name])), 0);
  }

  emitWakeWorkers(a, platform);

  a.bind(solo).op('mov', team, r14).op('xor', low32(job0), low32(job0)).op('mov', low32(context), r15d);
  a.op('lea', threads, mem(rbp, teamLayout.barrier)).op('call', r13).op('mov', r14, rax);
  a.op('cmp', r15d, 1).op('jle', done);

  a.comment('wait for the others').op('mov', ecx, mem(rbp, teamLayout.barrier + barrierWords.spins));
  const look = a.here('run.look');
  a.op('cmp', dword(mem(rbp, teamLayout.remaining)), 0)
    .op('je', joined)
    .op('pause')
    .op('dec', ecx)
    .op('jg', look);
  a.op('mov', eax, 1).op('xchg', mem(rbp, teamLayout.callerSleeps), eax);
  const sleep = a.here('run.sleep');
  a.op('mov', ecx, mem(rbp, teamLayout.remaining)).op('test', ecx, ecx).op('je', joined);
  emitFutex(a, platform, { operation: 'wait', address: mem(rbp, teamLayout.remaining), value: ecx });
  a.op('jmp', sleep);

  a.bind(joined).comment('the largest result').op('lea', rbx, mem(rbp, teamLayout.workers));
  const collect = a.here('run.collect');
  a.op('mov', eax, mem(rbx, worker.result)).op('cmp', eax, low32(r14)).op('cmovg', low32(r14), eax);
  a.op('add', rbx, teamLayout.workerBytes).op('dec', r15d).op('cmp', r15d, 1).op('jg', collect);

  a.bind(done).op('movsxd', rax, low32(r14)).op('add', rsp, 8);
  return emitReturn(a, saved, entry);
}

/** Adds stop(team, workers): the threads end; join them. */
export function addStop(a: Assembler, platform: Platform): Label {
  const entry = a.here('stop');
  const [team, workers] = platform.arguments;
  const saved = [rbx, rbp, r12];
  for (const register of saved) a.op('push', register);
  a.op('mov', rbp, team)
    .op('mov', r12d, low32(workers))
    .op('mov', qword(mem(rbp, job.entry)), 0);
  emitWakeWorkers(a, platform);
  return emitReturn(a, saved, entry);
}

/** The first r12 (at least one) workers of the team in rbp get the job. Destroys r12, rbx and what a futex does. */
function emitWakeWorkers(a: Assembler, platform: Platform): void {
  const isAwake = a.label('awake', { isShort: true });
  a.comment('the workers who take part').op('lea', rbx, mem(rbp, teamLayout.workers));
  const next = a.here('wake');
  a.op('lock inc', dword(mem(rbx, worker.go)))
    .op('cmp', dword(mem(rbx, worker.sleeps)), 0)
    .op('je', isAwake);
  emitFutex(a, platform, { operation: 'wake', address: mem(rbx, worker.go), value: 1 });
  a.bind(isAwake).op('add', rbx, teamLayout.workerBytes).op('dec', r12d).op('jne', next);
}

function emitReturn(a: Assembler, saved: readonly GeneralRegister[], entry: Label): Label {
  for (const register of saved.toReversed()) a.op('pop', register);
  a.op('ret');
  return entry;
}

/** rax becomes the processor's clock. Destroys rdx. */
function emitTime(a: Assembler): Assembler {
  return a.op('rdtsc').op('shl', rdx, 32).op('or', rax, rdx);
}

/** Signals are for the threads of Node.js. */
function emitBlockSignals(a: Assembler, { systemCalls, arguments: [how, set, old] }: Platform): void {
  const setMask = 2;
  const everySignal = a.constant(BigInt64Array.of(-1n));
  a.op('mov', low32(how), setMask).op('lea', set, everySignal).op('xor', low32(old), low32(old));
  a.set(r10, 8).op('mov', eax, systemCalls.signalMask).op('syscall');
}
