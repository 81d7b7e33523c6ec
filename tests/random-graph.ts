/**
 * Random programs that any way of running graphs can be tried with: small graphs over all primitives, with inputs, donations
 * and, for each output, how far float32 may be from the float64 reference (0 where nothing is rounded).
 */
import {
  bytesPerElement,
  type Device,
  formatShape,
  type Graph,
  interpret,
  printGraph,
  type ReferenceArray,
  Storage,
  sameShape,
  sizeOf,
  type TensorType,
  viewAs,
} from '../src/core/index.js';
import { conv, dot, window } from './random/contractions.js';
import { call, cond, scan } from './random/control.js';
import { binary, cast, compare, logic, mark, relu, select, unary } from './random/elementwise.js';
import { Generator, Random, type Value } from './random/generator.js';
import { index, move, reduce } from './random/movement.js';

export interface RandomCase {
  readonly seed: number;
  readonly graph: Graph;
  /** For each output, the input whose place it may take. */
  readonly donations: readonly (number | undefined)[];
  readonly inputs: readonly ReferenceArray[];
  readonly expected: readonly ReferenceArray[];
  /** Error allowed for each output, absolute. */
  readonly errors: readonly number[];
}

const makers: readonly (readonly [weight: number, make: (g: Generator, depth: number) => void])[] = [
  [5, unary],
  [7, binary],
  [2, compare],
  [1, logic],
  [2, select],
  [1, relu],
  [2, cast],
  [1, mark],
  [8, move],
  [4, reduce],
  [3, index],
  [3, dot],
  [3, conv],
  [2, window],
  [1, (g, depth) => depth < 2 && scan(g, (body) => fill(body, 4, depth + 1))],
  [1, (g, depth) => depth < 2 && cond(g, (body) => fill(body, 3, depth + 1))],
  [1, (g, depth) => depth < 2 && call(g, (body) => fill(body, 3, depth + 1))],
];
const totalWeight = makers.reduce((sum, [weight]) => sum + weight, 0);

function fill(g: Generator, count: number, depth: number): void {
  for (let i = 0; i < count; i++) {
    let left = g.random.uniform() * totalWeight;
    const chosen = makers.find(([weight]) => {
      left -= weight;
      return left < 0;
    })!;
    chosen[1](g, depth);
  }
}

/** The same case for the same seed, whatever ran before. */
export function randomCase(seed: number): RandomCase {
  const random = new Random(Math.imul(seed + 1, 0x9e3779b1));
  const g = new Generator(random);
  g.want(g.shape(), 'float32');
  fill(g, random.integer(3, 22), 0);
  const read = new Set(g.builder.nodes.flatMap(({ inputs }) => inputs));
  const isLast = ({ node }: Value): boolean => !read.has(node) && node.op !== 'input';
  const outputs: Value[] = Array.from(
    { length: random.integer(1, 4) },
    () => (random.chance(0.8) && g.some(isLast)) || g.some(() => true)!,
  );
  const graph = g.builder.graph(outputs.map(({ node }) => node));
  const donations = graph.outputs.map(({ shape, dtype }) => {
    const fitting = graph.inputs.filter((input) => input.dtype === dtype && sameShape(input.shape, shape));
    return fitting.length > 0 && random.chance(0.7) ? random.pick(fitting).params.index : undefined;
  });
  const inputs = graph.inputs.map((type) => randomArray(type, random));
  return {
    seed,
    graph,
    donations,
    inputs,
    expected: interpret(graph, inputs),
    errors: outputs.map(({ error }) => error),
  };
}

/** Multiples of a quarter up to 2, small integers. */
function randomArray({ shape, dtype }: TensorType, random: Random): ReferenceArray {
  const draw = {
    float32: () => random.integer(-8, 8) / 4,
    int32: () => random.integer(-5, 9),
    uint8: () => random.integer(0, 9),
    bool: () => random.integer(0, 1),
  } as Record<string, () => number>;
  return { shape, dtype, data: Float64Array.from({ length: sizeOf(shape) }, draw[dtype]!) };
}

export function bytesOfArray({ dtype, data }: ReferenceArray): ArrayBuffer {
  const bytes = new ArrayBuffer(data.length * bytesPerElement[dtype]);
  viewAs(dtype, bytes).set(data);
  return bytes;
}

/** Runs a case, and throws with the graph where an output is not what it should be. */
export function checkRandomCase(
  { seed, graph, inputs, expected, errors }: RandomCase,
  run: (inputs: readonly ArrayBuffer[]) => readonly ArrayBuffer[],
): void {
  const wrong = (what: string): never => {
    throw new Error(`seed ${seed}: ${what}\n${printGraph(graph)}`);
  };
  let results: readonly ArrayBuffer[];
  try {
    results = run(inputs.map(bytesOfArray));
  } catch (error) {
    wrong(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return;
  }
  expected.forEach(({ shape, dtype, data }, i) => {
    const actual = viewAs(dtype, results[i]!);
    if (actual.length !== data.length) wrong(`output ${i} ${dtype}${formatShape(shape)} has ${actual.length} elements`);
    const allowed = errors[i]!;
    data.forEach((value, at) => {
      const got = actual[at]!;
      if (Object.is(got, value) || got === value) return;
      if (!(Math.abs(got - value) <= allowed))
        wrong(`output ${i} ${dtype}${formatShape(shape)}, element ${at}: ${got}, expected ${value} ± ${allowed}`);
    });
  });
}

/** Runs a case on a device. */
export function checkOnDevice(device: Device, randomCase: RandomCase): void {
  const program = device.compile(randomCase.graph, randomCase.donations);
  try {
    checkRandomCase(randomCase, (inputs) =>
      program.run(inputs.map((bytes) => Storage.of(bytes))).map((storage) => storage.atRest()),
    );
  } finally {
    program.release();
  }
}
