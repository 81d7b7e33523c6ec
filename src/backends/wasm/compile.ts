import {
  contractionAsLoop,
  type Kernel,
  type LoopNest,
  lower,
  type Nest,
  type PlannedStep,
  type ProgramPlan,
  planProgram,
  printLoopSchedule,
  printNest,
  printPlan,
  scheduleLoop,
} from '../../compiler/index.js';
import { type Graph, printGraph } from '../../core/index.js';
import { listing, ModuleBuilder } from './assembler.js';
import { emitDriver } from './driver.js';
import { type EmittedKernel, emitLoop, type KernelOptions } from './emit-loop.js';
import type { EngineFeatures } from './engine.js';
import { vectorLanes } from './lanes.js';

/** Where an index was out of range: reported by its number. */
export interface FaultPlace {
  readonly where: string;
  readonly extent: number;
}

export interface CompiledProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly plan: ProgramPlan;
  readonly faults: readonly FaultPlace[];
  readonly scratchBytes: number;
  /** Points of work of the whole program; a thread does a few a nanosecond. */
  readonly work: number;
}

export interface CompileOptions {
  readonly features: EngineFeatures;
  readonly shared: boolean;
  readonly maximumPages: number;
  readonly mayWait: boolean;
  /** Takes what a stage has to show: `KILN_DEBUG`. */
  readonly show?: (stage: 'graph' | 'fusion' | 'plan' | 'kernels', text: () => string) => void;
}

/** A graph as a WebAssembly module and the plan of its memory. */
export function compileProgram(
  graph: Graph,
  donations: readonly (number | undefined)[],
  options: CompileOptions,
): CompiledProgram {
  const show = options.show ?? (() => {});
  show('graph', () => printGraph(graph));
  const plan = planProgram(lower(graph, donations, { fusion: true, simplification: () => true, show }));
  show('plan', () => printPlan(plan));
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1, options.maximumPages, options.shared);
  const faults: FaultPlace[] = [];
  const emitter = new KernelEmitter(module, {
    faultCode: (where, extent) => faults.push({ where, extent }),
  });
  emitDriver(module, plan, {
    hasAtomics: options.features.threads,
    mayWait: options.mayWait,
    get scratchBytes() {
      return emitter.scratchBytes;
    },
    kernelOf: (kernel) => emitter.emit(kernel),
  });
  show('kernels', () => `${emitter.texts.join('\n\n')}\n\n${listing(module)}`);
  return { bytes: module.finish(), plan, faults, scratchBytes: emitter.scratchBytes, work: workOf(plan.steps) };
}

/** Emits each distinct kernel once. */
class KernelEmitter {
  readonly texts: string[] = [];
  scratchBytes = 0;
  readonly #module: ModuleBuilder;
  readonly #options: KernelOptions;
  readonly #emitted = new Map<string, EmittedKernel>();

  constructor(module: ModuleBuilder, options: KernelOptions) {
    this.#module = module;
    this.#options = options;
  }

  emit({ nest, label, buffers }: Kernel): EmittedKernel {
    const text = printNest(nest);
    let emitted = this.#emitted.get(text);
    if (!emitted) {
      const loop: LoopNest = nest.kind === 'contraction' ? contractionAsLoop(nest) : nest;
      const schedule = scheduleLoop(loop, vectorLanes);
      emitted = emitLoop(
        this.#module,
        `k${this.#emitted.size} ${nest.name}`,
        loop,
        schedule,
        buffers.length,
        this.#options,
      );
      this.texts.push(`${text}\n  ${printLoopSchedule(schedule)}${label ? `  # ${label}` : ''}`);
      this.#emitted.set(text, emitted);
      this.scratchBytes = Math.max(this.scratchBytes, emitted.scratchBytes);
    }
    return emitted;
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
