import assert from 'node:assert/strict';
import test from 'node:test';
import { interpretPlan } from '../../src/compiler/interpret-program.js';
import { lower } from '../../src/compiler/lower.js';
import { lifetimesOf } from '../../src/compiler/memory.js';
import { bytesOf } from '../../src/compiler/order.js';
import {
  type PlannedStep,
  type PlanOptions,
  type ProgramPlan,
  planProgram,
  printPlan,
} from '../../src/compiler/plan.js';
import { simplify } from '../../src/compiler/simplify.js';
import { type Graph, GraphBuilder, type Node } from '../../src/core/index.js';
import { checkRandomCase, randomCase } from '../random-graph.js';

function planOf(graph: Graph, donations: readonly (number | undefined)[] = [], options: PlanOptions = {}): ProgramPlan {
  const program = lower(
    simplify(graph),
    graph.outputs.map((_, i) => donations[i]),
    { fusion: true, simplification: () => true },
  );
  return planProgram(program, options);
}

/** A graph written down: `build` gets a builder and inputs of the shapes. */
function graphOf(
  shapes: readonly (readonly number[])[],
  build: (b: GraphBuilder, inputs: readonly Node[]) => readonly Node[],
): Graph {
  const builder = new GraphBuilder();
  const inputs = shapes.map((shape) => builder.input({ shape, dtype: 'float32' }) as Node);
  return builder.graph(build(builder, inputs));
}

const add = (b: GraphBuilder, x: Node, y: Node): Node => b.add('add', [x, y], {});
const running = (b: GraphBuilder, x: Node): Node => b.add('cumsum', [x], { axis: 0, reverse: false });
const matmul = (b: GraphBuilder, x: Node, y: Node): Node =>
  b.add('dot', [x, y], { leftContract: [1], rightContract: [0], leftBatch: [], rightBatch: [] });

const donorsOf = ({ buffers }: ProgramPlan): (number | undefined)[] =>
  buffers.flatMap(({ role }) => (role.kind === 'output' ? [role.donor] : []));
const phasesOf = ({ steps }: ProgramPlan): string[][] =>
  steps.flatMap((step) => (step.kind === 'phase' ? [step.launches.map(({ nest }) => nest.name)] : []));

test('an update at the same points is written in place', () => {
  const plan = planOf(
    graphOf([[8], [8]], (b, [x, g]) => [add(b, x!, g!)]),
    [0],
  );
  assert.deepEqual(donorsOf(plan), [0]);
});

test('a kernel that reads the donor elsewhere than it writes has a place of its own', () => {
  const plan = planOf(
    graphOf([[4, 4]], (b, [x]) => [add(b, x!, b.add('transpose', [x!], { permutation: [1, 0] }))]),
    [0],
  );
  assert.deepEqual(donorsOf(plan), [undefined]);
});

test('a product is not written over its own operand', () => {
  const plan = planOf(
    graphOf(
      [
        [4, 4],
        [4, 4],
      ],
      (b, [x, y]) => [matmul(b, x!, y!)],
    ),
    [0],
  );
  assert.deepEqual(donorsOf(plan), [undefined]);
});

test('readers of the old value come before the update, whatever the order was', () => {
  const graph = graphOf([[6], [6]], (b, [x, g]) => [
    add(b, x!, g!),
    b.add('reduceSum', [running(b, x!)], { axes: [0] }),
  ]);
  for (const reorder of [false, true]) {
    const plan = planOf(graph, [0], { reorder });
    assert.deepEqual(donorsOf(plan), [0, undefined]);
    const names = phasesOf(plan).flat();
    assert.ok(names.indexOf('cumsum') < names.indexOf('add'), printPlan(plan));
  }
});

test('a donor is kept where the update is needed to read it', () => {
  // y = x + g; z = running sum of x · y: x is read after y is there
  const graph = graphOf([[6], [6]], (b, [x, g]) => {
    const y = running(b, add(b, x!, g!));
    return [y, running(b, b.add('mul', [x!, y], {}))];
  });
  assert.deepEqual(donorsOf(planOf(graph, [0])), [undefined, undefined]);
});

test('a donor that is handed out, or donated twice, stays', () => {
  const handedOut = graphOf([[6], [6]], (b, [x, g]) => [add(b, x!, g!), x!]);
  assert.deepEqual(donorsOf(planOf(handedOut, [0])), [undefined]);
  const twice = graphOf([[6], [6]], (b, [x, g]) => [add(b, x!, g!), running(b, g!)]);
  assert.equal(donorsOf(planOf(twice, [0, 0])).filter((donor) => donor === 0).length, 1);
});

test('independent kernels are one phase', () => {
  const products = graphOf(
    [
      [4, 4],
      [4, 4],
    ],
    (b, [x, y]) => [matmul(b, x!, y!), matmul(b, y!, x!)],
  );
  assert.deepEqual(phasesOf(planOf(products)), [['dot', 'dot']]);
  const chain = graphOf([[4, 4]], (b, [x]) => [matmul(b, matmul(b, x!, x!), x!)]);
  assert.deepEqual(phasesOf(planOf(chain)), [['dot'], ['dot']]);
});

test('parts of one result are one phase: concatenations, strided gradients', () => {
  const joined = graphOf(
    [
      [3, 2],
      [3, 4],
    ],
    (b, [x, y]) => [b.add('concat', [x!, y!], { axis: 1 })],
  );
  assert.deepEqual(phasesOf(planOf(joined)), [['concat', 'concat']]);
  const params = {
    strides: [2, 2],
    padding: [
      [1, 1],
      [1, 1],
    ] as const,
    dilation: [1, 1],
    groups: 1,
    inputSizes: [8, 8],
  };
  const gradient = graphOf(
    [
      [2, 4, 4, 3],
      [3, 3, 2, 3],
    ],
    (b, [dy, kernel]) => [b.add('convInputGradient', [dy!, kernel!], params)],
  );
  assert.deepEqual(
    phasesOf(planOf(gradient)).map((launches) => launches.length),
    [4],
  );
});

test('a chain of results takes two places in turn', () => {
  const graph = graphOf([[16, 16]], (b, [x]) => {
    let y = x!;
    for (let i = 0; i < 8; i++) y = matmul(b, y, x!);
    return [b.add('reduceSum', [y], { axes: [0, 1] })];
  });
  assert.equal(planOf(graph).arenaBytes, 2 * 16 * 16 * 4);
});

test('steps are moved so that less memory is needed', () => {
  const graph = graphOf([[1000]], (b, [x]) => {
    const sums = Array.from({ length: 6 }, (_, i) => {
      const scaled = b.add(
        'mul',
        [x!, b.add('broadcast', [b.add('constant', [], { value: i + 2, dtype: 'float32' })], { shape: [1000] })],
        {},
      );
      const first = running(b, scaled);
      return b.add('reduceSum', [b.add('cumsum', [first], { axis: 0, reverse: true })], { axes: [0] }) as Node;
    });
    return [sums.reduce((a, c) => add(b, a, c))];
  });
  const [moved, unmoved] = [true, false].map((reorder) => planOf(graph, [], { reorder }).arenaBytes);
  assert.ok(moved! < unmoved! / 2, `${moved} bytes moved, ${unmoved} as lowered`);
});

function checkPlaces(plan: ProgramPlan): void {
  const lifetimes = [...lifetimesOf(plan.steps, plan.buffers)];
  for (const [id, life] of lifetimes) {
    const [start, end] = [plan.offsets.get(id)!, plan.offsets.get(id)! + bytesOf(plan.buffers[id]!)];
    assert.ok(start % 64 === 0 && end <= plan.arenaBytes);
    for (const [other, otherLife] of lifetimes) {
      if (other <= id || otherLife.first > life.last || life.first > otherLife.last) continue;
      const [from, to] = [plan.offsets.get(other)!, plan.offsets.get(other)! + bytesOf(plan.buffers[other]!)];
      assert.ok(to <= start || end <= from, `@${id} and @${other} overlap\n${printPlan(plan)}`);
    }
  }
}

/** Launches of one phase neither read nor write what another of them writes, but for different places of one result. */
function checkPhases(steps: readonly PlannedStep[]): void {
  for (const step of steps) {
    if (step.kind === 'loop') checkPhases(step.steps);
    else if (step.kind === 'branch') checkPhases([...step.whenTrue, ...step.whenFalse]);
    else {
      const written = step.launches.flatMap(({ buffers }) =>
        buffers.flatMap(({ buffer, access }) => (access === 'read' ? [] : [buffer])),
      );
      for (const { buffers } of step.launches)
        for (const { buffer, access } of buffers)
          if (access !== 'write') assert.ok(!written.includes(buffer) || access === 'readWrite');
    }
  }
}

test('random programs: live buffers lie apart, phases are independent, both orders give the same', () => {
  for (let seed = 5000; seed < 5150; seed++) {
    const given = randomCase(seed);
    for (const reorder of [true, false]) {
      const plan = planOf(given.graph, given.donations, { reorder });
      checkPlaces(plan);
      checkPhases(plan.steps);
      checkRandomCase(given, (inputs) => interpretPlan(plan, inputs, { backwards: reorder }));
    }
  }
});

test('a plan is printed with places, phases and loops', () => {
  const plan = planOf(
    graphOf([[3], [3]], (b, [x, g]) => [add(b, running(b, x!), g!)]),
    [1],
  );
  assert.equal(
    printPlan(plan),
    [
      'arena: 64 bytes',
      '@0 float32 × 3: input 0',
      '@1 float32 × 3: input 1',
      '@2 float32 × 3: arena 0 … 12',
      '@3 float32 × 3: output in place of input 1',
      'phase',
      '  (b0=@0 b1=@2) cumsum: for ',
      '    in order t<3',
      '    acc0 = sum over  of b0.float32[t]',
      '      b1.float32[t] = acc0',
      'phase',
      '  (b0=@3 b1=@2 b2=@1) add: for a0<3',
      '      b0.float32[a0] = add(b1.float32[a0], b2.float32[a0])',
      'return @3',
    ].join('\n'),
  );
});
