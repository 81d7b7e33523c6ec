import { interpretPlan, interpretProgram } from '../../src/compiler/interpret-program.js';
import { lower } from '../../src/compiler/lower.js';
import { planProgram, printPlan } from '../../src/compiler/plan.js';
import { launchesOf, printSteps } from '../../src/compiler/program.js';
import { rules, simplify } from '../../src/compiler/simplify.js';
import { verifyKernel } from '../../src/compiler/verify.js';
import { type Graph, printGraph, verifyGraph } from '../../src/core/index.js';
import { Random } from '../random/generator.js';
import { checkRandomCase, type RandomCase } from '../random-graph.js';

/** Which passes run. */
export interface Switches {
  readonly fusion: boolean;
  readonly simplification: ReadonlySet<string>;
}

const everyRule = new Set(rules.map(({ name }) => name));

/** Everything on, everything off, and a random subset. */
export function switchesFor(seed: number): Switches[] {
  const random = new Random(seed);
  const some = new Set([...everyRule].filter(() => random.chance(0.5)));
  return [
    { fusion: true, simplification: everyRule },
    { fusion: false, simplification: new Set() },
    { fusion: random.chance(0.7), simplification: some },
  ];
}

export const describeSwitches = ({ fusion, simplification }: Switches): string =>
  `fusion ${fusion ? 'on' : 'off'}, rules: ${[...simplification].join(', ') || 'none'}`;

/** Lowers a case with several sets of passes, runs it as lowered and as planned, and compares with the reference. */
export function checkLowering(given: RandomCase): void {
  for (const switches of switchesFor(given.seed)) {
    const isOn = (rule: string): boolean => switches.simplification.has(rule);
    let shown = (): string => '';
    try {
      const graph: Graph = simplify(given.graph, isOn);
      verifyGraph(graph, 'simplify');
      const program = lower(graph, given.donations, { fusion: switches.fusion, simplification: isOn });
      shown = () => printSteps(program.steps);
      for (const kernel of launchesOf(program.steps)) verifyKernel(kernel, program.buffers);
      checkRandomCase(given, (inputs) => interpretProgram(program, inputs));
      const plan = planProgram(program);
      shown = () => printPlan(plan);
      checkRandomCase(given, (inputs) => interpretPlan(plan, inputs, { backwards: true, accumulate: 'float32' }));
    } catch (error) {
      const { message, stack } = error as Error;
      throw new Error(
        `${message.startsWith('seed') ? message : `seed ${given.seed}: ${stack}\n${printGraph(given.graph)}`}\n${describeSwitches(switches)}\n${shown()}`,
      );
    }
  }
}
