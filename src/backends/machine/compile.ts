import {
  contractionAsLoop,
  type Kernel,
  lower,
  type Nest,
  type PlannedStep,
  type ProgramPlan,
  planProgram,
  printLoopSchedule,
  printNest,
  printPlan,
  printSchedule,
  scheduleContraction,
  scheduleLoop,
  splitReductions,
  type Target,
} from '../../compiler/index.js';
import { type Graph, printGraph } from '../../core/index.js';
import type { Code, CodeModule, FunctionHandle } from './code.js';
import { emitDriver } from './driver.js';
import { type ContractionOptions, emitContraction } from './emit-contraction.js';
import { type EmittedKernel, emitLoop } from './emit-loop.js';

/** Where an index was out of range: reported by its number. */
export interface FaultPlace {
  readonly where: string;
  readonly extent: number;
}

/** A graph as code of the machine, and what is needed to run it. */
export interface MachineProgram {
  readonly plan: ProgramPlan;
  /** run(context, thread, threads): i32 */
  readonly run: Code & FunctionHandle;
  readonly faults: readonly FaultPlace[];
  /** Bytes that each thread needs for itself. */
  readonly scratchBytes: number;
  /** Points of work of the whole program; a thread does a few a nanosecond. */
  readonly work: number;
  /** Each kernel's nest and schedule, for people. */
  readonly kernels: readonly string[];
}

export type Stage = 'graph' | 'fusion' | 'plan' | 'kernels';

export interface CompileOptions {
  readonly target: Target;
  /** Adds the backend's barrier(address, threads) to the module. */
  addBarrier(): FunctionHandle;
  /** Whether operations share kernels (true). */
  readonly fusion?: boolean;
  /** Takes what a stage has to show: `KILN_DEBUG`. */
  readonly show?: (stage: Stage, text: () => string) => void;
}

/** Lowers a graph, plans its memory, and writes its kernels and its driver into a module. */
export function compileProgram(
  module: CodeModule,
  graph: Graph,
  donations: readonly (number | undefined)[],
  options: CompileOptions,
): MachineProgram {
  const show = options.show ?? (() => {});
  show('graph', () => printGraph(graph));
  const lowered = lower(graph, donations, { fusion: options.fusion ?? true, simplification: () => true, show });
  const plan = planProgram(splitReductions(lowered, options.target));
  show('plan', () => printPlan(plan));
  const faults: FaultPlace[] = [];
  const emitter = new KernelEmitter(module, options.target, plan, {
    faultCode: (where, extent) => faults.push({ where, extent }),
  });
  const run = emitDriver(module, plan, {
    barrier: options.addBarrier(),
    get scratchBytes() {
      return emitter.scratchBytes;
    },
    kernelOf: (kernel) => emitter.emit(kernel),
  });
  return { plan, run, faults, scratchBytes: emitter.scratchBytes, work: workOf(plan.steps), kernels: emitter.texts };
}

/** Emits each distinct kernel once. */
class KernelEmitter {
  readonly texts: string[] = [];
  scratchBytes = 0;
  readonly #module: CodeModule;
  readonly #target: Target;
  readonly #options: Omit<ContractionOptions, 'partialSumsInPlace'>;
  readonly #plan: ProgramPlan;
  readonly #emitted = new Map<string, EmittedKernel>();

  constructor(
    module: CodeModule,
    target: Target,
    plan: ProgramPlan,
    options: Omit<ContractionOptions, 'partialSumsInPlace'>,
  ) {
    this.#module = module;
    this.#target = target;
    this.#plan = plan;
    this.#options = options;
  }

  emit(kernel: Kernel): EmittedKernel {
    const { nest, label } = kernel;
    const inPlace = this.#partialSumsInPlace(kernel);
    const key = `${printNest(nest)}\n  partial sums in ${[...inPlace].join()}`;
    let emitted = this.#emitted.get(key);
    if (!emitted) {
      const name = `k${this.#emitted.size} ${nest.name}`;
      const schedule = nest.kind === 'contraction' ? scheduleContraction(nest, this.#target) : undefined;
      if (nest.kind === 'contraction' && schedule) {
        const options = { ...this.#options, partialSumsInPlace: inPlace };
        emitted = emitContraction(this.#module, name, nest, schedule, kernel.buffers.length, options);
        this.#show(nest, printSchedule(schedule), label);
      } else {
        emitted = this.#emitLoop(name, nest, kernel);
      }
      this.#emitted.set(key, emitted);
      this.scratchBytes = Math.max(this.scratchBytes, emitted.scratchBytes);
    }
    return emitted;
  }

  #emitLoop(name: string, nest: Nest, { buffers, label }: Kernel): EmittedKernel {
    const loop = nest.kind === 'contraction' ? contractionAsLoop(nest) : nest;
    const schedule = scheduleLoop(loop, this.#target.lanes);
    this.#show(nest, printLoopSchedule(schedule), label);
    return emitLoop(this.#module, name, loop, schedule, buffers.length, this.#options);
  }

  #show(nest: Nest, schedule: string, label: string): void {
    this.texts.push(`${printNest(nest)}\n  ${schedule}${label ? `  # ${label}` : ''}`);
  }

  /** Buffers where sums may wait: not those whose place holds what the epilogue still reads. */
  #partialSumsInPlace({ buffers, nest }: Kernel): ReadonlySet<number> {
    if (nest.kind !== 'contraction') return new Set();
    return new Set(
      nest.stores.flatMap(({ access }) => {
        const { role } = this.#plan.buffers[buffers[access.buffer]!.buffer]!;
        return role.kind === 'output' && role.donor !== undefined ? [] : [access.buffer];
      }),
    );
  }
}

const pointsOf = (nest: Nest): number => {
  const axes = [...nest.axes, ...nest.reductions, ...(nest.kind === 'loop' && nest.ordered ? [nest.ordered] : [])];
  return axes.reduce((product, { size }) => product * size, 1);
};

function workOf(steps: readonly PlannedStep[]): number {
  let sum = 0;
  for (const step of steps) {
    if (step.kind === 'phase') for (const { nest } of step.launches) sum += pointsOf(nest);
    else if (step.kind === 'loop') sum += step.length * workOf(step.steps);
    else sum += Math.max(workOf(step.whenTrue), workOf(step.whenFalse));
  }
  return sum;
}
