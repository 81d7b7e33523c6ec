import type { BufferUse, Nest, ProgramPlan } from '../../compiler/index.js';
import type { Storage } from '../../core/index.js';
import type { MachineProgram } from './compile.js';
import { emptyStep, kernelsOf } from './driver.js';
import { type Work, workOfSteps } from './work.js';

/** What one step of a program is, and how long it took. Loops and branches are one step each. */
export interface StepProfile extends Work {
  /** Names of its kernels' functions. */
  readonly functions: readonly string[];
  /** Its nests, and how each is run. */
  readonly kernel: string;
  readonly schedule: string;
  /** Path of the layer it came from. */
  readonly label: string;
  readonly kind: Nest['kind'] | 'scan' | 'branch';
  /** Whether it writes a parameter's place. */
  readonly updates: boolean;
  /** Pieces that threads draw; of a loop those of one of its steps. */
  readonly jobs: number;
  /** Median, without what handing a program to the threads takes. */
  readonly milliseconds: number;
}

export interface Profile {
  readonly steps: readonly StepProfile[];
  /** Handing a program to the threads and waiting for them: what a whole program takes once. */
  readonly launchMilliseconds: number;
  /** The machine's instructions, where the backend shows them. */
  readonly listing: string;
  /** Of the graph, after the last round. */
  readonly outputs: Storage[];
}

export interface ProfileOptions {
  /** How often all steps are run (20); what is updated in place is updated so often. */
  readonly rounds?: number;
  /** A clock in milliseconds (performance.now). */
  readonly now?: () => number;
}

export interface StepTimes {
  readonly steps: readonly number[];
  readonly launch: number;
}

/** Runs all steps in their order, round by round, so that each finds in the caches what the one before left there. */
export function timeSteps(
  { plan }: MachineProgram,
  runStep: (step: number) => void,
  { rounds = 20, now = () => performance.now() }: ProfileOptions,
): StepTimes {
  const timed = (step: number): number => {
    const begin = now();
    runStep(step);
    return now() - begin;
  };
  const times: number[][] = plan.steps.map(() => []);
  const launches: number[] = [];
  for (let round = 0; round < rounds; round++) {
    times.forEach((of, step) => {
      of.push(timed(step));
    });
    launches.push(timed(emptyStep));
  }
  return { steps: times.map(median), launch: median(launches) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export function profileOf(
  { plan, texts }: MachineProgram,
  times: StepTimes,
): Pick<Profile, 'steps' | 'launchMilliseconds'> {
  const steps = plan.steps.map((step, i): StepProfile => {
    const kernels = [...kernelsOf([step])];
    const made = kernels.map((kernel) => texts.get(kernel)!);
    return {
      functions: [...new Set(made.map(({ name }) => name))],
      kernel: made.map(({ nest }) => nest).join('\n'),
      schedule: made.map(({ schedule }) => schedule).join('\n'),
      // a loop's body that computes gradients begins with what it needs of the forward pass
      label: kernels.findLast(({ label }) => label !== '')?.label ?? '',
      kind: step.kind === 'phase' ? kernels[0]!.nest.kind : step.kind === 'loop' ? 'scan' : 'branch',
      updates: kernels.some(({ buffers }) => buffers.some((use) => isUpdate(use, plan))),
      jobs: made.reduce((sum, { jobs }) => sum + jobs, 0),
      ...workOfSteps([step], plan.buffers),
      milliseconds: Math.max(0, times.steps[i]! - times.launch),
    };
  });
  return { steps, launchMilliseconds: times.launch };
}

/** Whether it writes an input anew: a parameter, or an optimiser's state. */
function isUpdate({ buffer, access }: BufferUse, { buffers }: ProgramPlan): boolean {
  const { role } = buffers[buffer]!;
  return access !== 'read' && role.kind === 'output' && role.donor !== undefined;
}
