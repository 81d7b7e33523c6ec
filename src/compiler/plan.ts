import { lifetimesOf, placeInArena } from './memory.js';
import { type Kernel, printNest } from './nest.js';
import { bytesOf, type Dependences, dependencesOf, orderOf, settleDonations } from './order.js';
import type { Buffer, LoweredProgram, Step } from './program.js';

/** A program in the order in which it runs, with a place for everything. */
export interface ProgramPlan {
  /** As lowered; outputs whose donor cannot be written over have none any more. */
  readonly buffers: readonly Buffer[];
  /** Temporaries: bytes from the beginning of the arena, multiples of 64. */
  readonly offsets: ReadonlyMap<number, number>;
  readonly arenaBytes: number;
  readonly steps: readonly PlannedStep[];
  /** Buffer of each output of the graph; an input's own where the output is that input. */
  readonly outputs: readonly number[];
}

export type PlannedStep =
  /** Launches that do not wait for one another: their jobs may run side by side. */
  | { readonly kind: 'phase'; readonly launches: readonly Kernel[] }
  | {
      readonly kind: 'loop';
      readonly id: number;
      readonly length: number;
      readonly reverse: boolean;
      readonly steps: readonly PlannedStep[];
    }
  | {
      readonly kind: 'branch';
      readonly predicate: number;
      readonly whenTrue: readonly PlannedStep[];
      readonly whenFalse: readonly PlannedStep[];
    };

export interface PlanOptions {
  /** Whether steps may be moved to need less memory (true). Donations may move them in any case. */
  readonly reorder?: boolean;
}

/** Orders a program's steps, joins independent ones into phases, and gives temporaries places in one arena. */
export function planProgram(program: LoweredProgram, { reorder = true }: PlanOptions = {}): ProgramPlan {
  const dependences = dependencesOf(program.steps, program.buffers);
  const buffers = settleDonations(program, dependences);
  const inner = (steps: readonly Step[]): PlannedStep[] => planSteps(dependencesOf(steps, buffers));
  const planSteps = (list: Dependences): PlannedStep[] => {
    const planned: PlannedStep[] = [];
    /** The phase that is being filled, as numbers of its launches. */
    let phase: number[] = [];
    let launches: Kernel[] = [];
    for (const i of orderOf(list, buffers, reorder)) {
      const step = list.steps[i]!;
      if (step.kind === 'launch') {
        if (phase.length === 0 || phase.some((other) => list.before[i]!.has(other))) {
          [phase, launches] = [[], []];
          planned.push({ kind: 'phase', launches });
        }
        phase.push(i);
        launches.push(step.kernel);
        continue;
      }
      phase = [];
      planned.push(
        step.kind === 'loop'
          ? { ...step, steps: inner(step.steps) }
          : { ...step, whenTrue: inner(step.whenTrue), whenFalse: inner(step.whenFalse) },
      );
    }
    return planned;
  };
  const steps = planSteps(dependences);
  const { offsets, arenaBytes } = placeInArena(lifetimesOf(steps, buffers), buffers);
  return { buffers, offsets, arenaBytes, steps, outputs: program.outputs };
}

/** A plan as text: what `KILN_DEBUG=plan` shows. */
export function printPlan({ buffers, offsets, arenaBytes, steps, outputs }: ProgramPlan): string {
  const lines = buffers.map((buffer) => `@${buffer.id} ${describe(buffer, offsets.get(buffer.id))}`);
  return [
    `arena: ${arenaBytes} bytes`,
    ...lines,
    ...printSteps(steps, ''),
    `return ${outputs.map((id) => `@${id}`).join(', ')}`,
  ].join('\n');
}

function describe(buffer: Buffer, offset: number | undefined): string {
  const { role } = buffer;
  const size = `${buffer.dtype} × ${buffer.elements}`;
  switch (role.kind) {
    case 'input':
      return `${size}: input ${role.index}`;
    case 'output':
      return `${size}: output${role.donor === undefined ? '' : ` in place of input ${role.donor}`}`;
    case 'temporary':
      return `${size}: ${offset === undefined ? 'unused' : `arena ${offset} … ${offset + bytesOf(buffer)}`}`;
    case 'slice':
      return `${size}: slice of @${role.of} in loop ${role.loop}`;
  }
}

function printSteps(steps: readonly PlannedStep[], indent: string): string[] {
  const deeper = `${indent}  `;
  return steps.flatMap((step) => {
    switch (step.kind) {
      case 'phase':
        return [`${indent}phase`, ...step.launches.map((kernel) => printKernel(kernel, deeper))];
      case 'loop':
        return [
          `${indent}loop ${step.id}: ${step.length} steps${step.reverse ? ' backwards' : ''}`,
          ...printSteps(step.steps, deeper),
        ];
      case 'branch':
        return [
          `${indent}if @${step.predicate}`,
          ...printSteps(step.whenTrue, deeper),
          `${indent}else`,
          ...printSteps(step.whenFalse, deeper),
        ];
    }
  });
}

const printKernel = ({ nest, buffers }: Kernel, indent: string): string =>
  `${indent}(${buffers.map(({ buffer }, i) => `b${i}=@${buffer}`).join(' ')}) ${printNest(nest).replaceAll('\n', `\n${indent}`)}`;
