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
import { emitDriver, launchByLaunch } from './driver.js';
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
  /** Whether a run does one step of the plan alone, the one whose number stands in the context. */
  readonly stepwise: boolean;
  /** What was made of each kernel of the plan. */
  readonly texts: ReadonlyMap<Kernel, KernelText>;
}

/** A kernel for people. */
export interface KernelText {
  /** Of its function, as the listing has it. */
  readonly name: string;
  readonly nest: string;
  readonly schedule: string;
  /** Pieces that threads draw. */
  readonly jobs: number;
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
  /** Makes each launch a step that can be run, and timed, alone (false). */
  readonly stepwise?: boolean;
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
  const stepwise = options.stepwise ?? false;
  const phases = planProgram(splitReductions(lowered, options.target));
  const plan = stepwise ? launchByLaunch(phases) : phases;
  show('plan', () => printPlan(plan));
  const faults: FaultPlace[] = [];
  const emitter = new KernelEmitter(module, options.target, plan, {
    faultCode: (where, extent) => faults.push({ where, extent }),
  });
  const texts = new Map<Kernel, KernelText>();
  const run = emitDriver(module, plan, {
    barrier: options.addBarrier(),
    get scratchBytes() {
      return emitter.scratchBytes;
    },
    stepwise,
    kernelOf: (kernel) => {
      const { emitted, text } = emitter.emit(kernel);
      texts.set(kernel, text);
      return emitted;
    },
  });
  return {
    ...{ plan, run, faults, scratchBytes: emitter.scratchBytes, work: workOf(plan.steps), kernels: emitter.texts },
    ...{ stepwise, texts },
  };
}

interface Made {
  readonly emitted: EmittedKernel;
  readonly text: KernelText;
}

/** Emits each distinct kernel once. */
class KernelEmitter {
  readonly texts: string[] = [];
  scratchBytes = 0;
  readonly #module: CodeModule;
  readonly #target: Target;
  readonly #options: Omit<ContractionOptions, 'partialSumsInPlace'>;
  readonly #plan: ProgramPlan;
  readonly #made = new Map<string, Made>();

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

  emit(kernel: Kernel): Made {
    const { nest, label } = kernel;
    const inPlace = this.#partialSumsInPlace(kernel);
    const nestText = printNest(nest);
    const key = `${nestText}\n  partial sums in ${[...inPlace].join()}`;
    const known = this.#made.get(key);
    if (known) return known;
    const name = `k${this.#made.size} ${nest.name}`;
    const { schedule, emitted } = this.#emitNest(name, kernel, inPlace);
    const made = { emitted, text: { name, nest: nestText, schedule, jobs: emitted.jobs } };
    this.texts.push(`${nestText}\n  ${schedule}${label ? `  # ${label}` : ''}`);
    this.#made.set(key, made);
    this.scratchBytes = Math.max(this.scratchBytes, emitted.scratchBytes);
    return made;
  }

  #emitNest(
    name: string,
    { nest, buffers }: Kernel,
    partialSumsInPlace: ReadonlySet<number>,
  ): { readonly schedule: string; readonly emitted: EmittedKernel } {
    if (nest.kind === 'contraction') {
      const schedule = scheduleContraction(nest, this.#target);
      if (schedule) {
        const options = { ...this.#options, partialSumsInPlace };
        const emitted = emitContraction(this.#module, name, nest, schedule, buffers.length, options);
        return { schedule: printSchedule(schedule), emitted };
      }
    }
    const loop = nest.kind === 'contraction' ? contractionAsLoop(nest) : nest;
    const schedule = scheduleLoop(loop, this.#target.lanes);
    const emitted = emitLoop(this.#module, name, loop, schedule, buffers.length, this.#options);
    return { schedule: printLoopSchedule(schedule), emitted };
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
