import type { Buffer, Kernel, PlannedStep, ProgramPlan } from '../../compiler/index.js';
import { bytesPerElement, InternalError } from '../../core/index.js';
import type { Code, CodeModule, FunctionHandle, Local } from './code.js';
import type { EmittedKernel } from './emit-loop.js';

/** Bytes that a backend's barrier may use, each group of its words on a cache line of its own. */
export const barrierBytes = 192;
const barrierAt = 1024;
const counterAt = barrierAt + barrierBytes;

/** The device's first bytes: words that all threads share while a program runs. Nothing lies at address 0. */
export const controlLayout = {
  barrier: barrierAt,
  counter: counterAt,
  fault: counterAt + 64,
  context: 2048,
  end: 65536,
} as const;

/**
 * A program's context: where things are this time. Inputs and outputs follow, an address each.
 * `step` is the number of the step that a stepwise program runs; the others do not read it.
 */
export const contextLayout = { arena: 0, scratch: 4, step: 8, addresses: 12 } as const;

/** Inputs and outputs in the order of their addresses in the context. */
export const addressedBuffers = ({ buffers }: ProgramPlan): Buffer[] =>
  buffers.filter(({ role }) => role.kind === 'input' || role.kind === 'output');

/** A stepwise program's step that does nothing but wait for all threads, as every other one does at its end. */
export const emptyStep = -1;

export interface DriverOptions {
  /** The backend's barrier(address, threads): returns when all threads have called it. */
  readonly barrier: FunctionHandle;
  /** Bytes that each thread has for itself; known once every kernel was asked for. */
  readonly scratchBytes: number;
  /** Whether a run does one step of the plan alone, the one whose number stands in the context (false). */
  readonly stepwise?: boolean;
  kernelOf(kernel: Kernel): EmittedKernel;
}

/** The plan with every launch outside loops and branches a step of its own, in an order in which they may run one by one. */
export const launchByLaunch = (plan: ProgramPlan): ProgramPlan => ({
  ...plan,
  steps: plan.steps.flatMap((step): PlannedStep[] =>
    step.kind === 'phase' ? step.launches.map((kernel) => ({ kind: 'phase', launches: [kernel] })) : [step],
  ),
});

/**
 * Adds `run(context, thread, threads)` and returns it: each phase's jobs are drawn from one counter by whichever thread is free, with a barrier
 * after each phase. The counter is never reset: a phase of J jobs takes it from where it began to J + threads further on, since
 * every thread draws once in vain.
 */
export function emitDriver(module: CodeModule, plan: ProgramPlan, options: DriverOptions): Code & FunctionHandle {
  for (const kernel of kernelsOf(plan.steps)) options.kernelOf(kernel);
  const f = module.function('run', ['i32', 'i32', 'i32'], ['i32']);
  const [context, thread, threads] = f.params as [Local, Local, Local];
  const arena = f.local('i32');
  const scratch = f.local('i32');
  const begin = f.local('i32');
  const job = f.local('i32');
  const barrierWords = f.local('i32');
  f.get(context).load('i32', contextLayout.arena).set(arena);
  f.get(context)
    .load('i32', contextLayout.scratch)
    .get(thread)
    .i32(options.scratchBytes)
    .op('i32.mul')
    .op('i32.add')
    .set(scratch);
  f.i32(controlLayout.barrier).set(barrierWords);

  const slots = new Map(addressedBuffers(plan).map(({ id }, i) => [id, contextLayout.addresses + 4 * i]));
  const counters = new Map<number, Local>();
  const pushAddress = (id: number): void => {
    const { role, dtype, elements } = plan.buffers[id]!;
    switch (role.kind) {
      case 'input':
      case 'output':
        f.get(context).load('i32', slots.get(id)!);
        return;
      case 'temporary': {
        const offset = plan.offsets.get(id);
        if (offset === undefined) throw new InternalError(`buffer ${id} has no place in the arena`);
        f.get(arena).i32(offset).op('i32.add');
        return;
      }
      case 'slice': {
        pushAddress(role.of);
        const counter = counters.get(role.loop);
        if (!counter) throw new InternalError(`buffer ${id} is a slice of loop ${role.loop}, used outside it`);
        f.get(counter)
          .i32(elements * bytesPerElement[dtype])
          .op('i32.mul')
          .op('i32.add');
      }
    }
  };

  const phase = (launches: readonly Kernel[]): void => {
    const emitted = launches.map((kernel) => options.kernelOf(kernel));
    const total = emitted.reduce((sum, { jobs }) => sum + jobs, 0);
    if (total === 0) return;
    f.block((done) => {
      f.loop((again) => {
        f.i32(controlLayout.counter).i32(1).atomicAdd().get(begin).op('i32.sub').set(job);
        f.get(job).i32(total).op('i32.greaterEqualUnsigned').brIf(done);
        let first = 0;
        launches.forEach((kernel, i) => {
          const { jobs, function: target } = emitted[i]!;
          const call = (): void => {
            f.comment(`${kernel.nest.name} ${kernel.label}`);
            f.get(job);
            if (first > 0) f.i32(first).op('i32.sub');
            f.get(scratch).i32(controlLayout.fault);
            for (const { buffer } of kernel.buffers) pushAddress(buffer);
            f.call(target).br(again);
          };
          if (i === launches.length - 1) {
            call();
          } else {
            f.get(job)
              .i32(first + jobs)
              .op('i32.lessUnsigned');
            f.if_(call);
          }
          first += jobs;
        });
      });
    });
    f.get(begin).i32(total).op('i32.add').get(threads).op('i32.add').set(begin);
    wait();
  };
  const wait = (): void => {
    f.get(threads).i32(1).op('i32.greater');
    f.if_(() => f.get(barrierWords).get(threads).call(options.barrier));
  };

  const steps = (list: readonly PlannedStep[]): void => {
    for (const step of list) {
      switch (step.kind) {
        case 'phase':
          phase(step.launches);
          break;
        case 'loop': {
          if (step.length === 0) break;
          const counter = f.local('i32');
          counters.set(step.id, counter);
          f.i32(step.reverse ? step.length - 1 : 0).set(counter);
          f.loop((again) => {
            steps(step.steps);
            f.get(counter)
              .i32(step.reverse ? -1 : 1)
              .op('i32.add')
              .tee(counter);
            f.i32(step.reverse ? 0 : step.length - 1)
              .op(step.reverse ? 'i32.greaterEqual' : 'i32.lessEqual')
              .brIf(again);
          });
          f.free(counter);
          break;
        }
        case 'branch':
          pushAddress(step.predicate);
          f.load('u8');
          f.if_(
            () => steps(step.whenTrue),
            () => steps(step.whenFalse),
          );
          break;
      }
    }
  };
  if (options.stepwise) {
    f.get(context).load('i32', contextLayout.step).i32(emptyStep).op('i32.equal');
    f.if_(wait);
    plan.steps.forEach((step, i) => {
      f.get(context).load('i32', contextLayout.step).i32(i).op('i32.equal');
      f.if_(() => steps([step]));
    });
  } else {
    steps(plan.steps);
  }
  return f.i32(0);
}

export function* kernelsOf(steps: readonly PlannedStep[]): Generator<Kernel> {
  for (const step of steps) {
    if (step.kind === 'phase') yield* step.launches;
    else if (step.kind === 'loop') yield* kernelsOf(step.steps);
    else yield* kernelsOf([...step.whenTrue, ...step.whenFalse]);
  }
}
