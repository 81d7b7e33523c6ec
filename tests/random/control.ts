import { type DType, type Graph, type Node, type Shape, sizeOf } from '../../src/core/index.js';
import { dtypes, Generator, type Value } from './generator.js';

/** What a loop carries keeps to this, step after step. */
const carried = { bound: 1, error: 1e-4, quantum: 0 };

interface Slot {
  readonly shape: Shape;
  readonly dtype: DType;
}

type Fill = (body: Generator) => void;

const slot = (g: Generator): Slot => ({ shape: g.shape(2), dtype: g.random.pick(dtypes) });

/** A value of the slot's type that keeps to `carried`. */
function tamed(g: Generator, { shape, dtype }: Slot): Value {
  const value = g.want(shape, dtype);
  if (dtype !== 'float32') return value;
  const node = g.add('tanh', [g.limited(value, 4)], {}) as Node;
  return { node, bound: 1, error: value.error * Math.min(1, 4 / value.bound) + 1e-6, quantum: 0 };
}

const parts = (g: Generator, several: Node): Node[] =>
  several.types.map((_, index) => g.builder.add('part', [several], { index }) as Node);

export function scan(g: Generator, fill: Fill): void {
  const { random } = g;
  const length = random.chance(0.1) ? 0 : random.integer(1, 4);
  const slots = Array.from({ length: random.integer(0, 2) }, () => slot(g));
  const initial = slots.map((own) => tamed(g, own));
  const sequences = Array.from({ length: random.integer(slots.length === 0 ? 1 : 0, 2) }, () => {
    const { shape, dtype } = slot(g);
    return g.want([length, ...shape], dtype);
  });
  const captures = Array.from({ length: random.integer(0, 2) }, () => g.some(() => true) ?? g.want([2], 'float32'));
  const body = new Generator(random, false);
  const states = initial.map(({ node }) =>
    node.dtype === 'float32' ? body.input(node, carried.bound, carried.error, 0) : body.input(node, 2 ** 31, 0, 1),
  );
  for (const { node, ...known } of sequences)
    body.input({ shape: node.shape.slice(1), dtype: node.dtype }, known.bound, known.error, known.quantum);
  for (const { node, ...known } of captures) body.input(node, known.bound, known.error, known.quantum);
  fill(body);
  const next = slots.map((own, i) => {
    const value = tamed(body, own);
    return value.error > carried.error ? states[i]! : value;
  });
  const stacked = Array.from(
    { length: random.integer(slots.length === 0 ? 1 : 0, 2) },
    () => body.some(({ node }) => sizeOf(node.shape) < 80) ?? body.someConstant('float32', [2]),
  );
  const graph: Graph = body.builder.graph([...next, ...stacked].map(({ node }) => node));
  const node = g.add('scan', [...initial, ...sequences, ...captures], {
    body: graph,
    length,
    carries: slots.length,
    sequences: sequences.length,
    reverse: random.chance(0.4),
  }) as Node;
  const results = parts(g, node);
  results.forEach((part, i) => {
    if (random.chance(0.2)) return;
    const value = i < slots.length ? { node: part, ...carried } : { ...stacked[i - slots.length]!, node: part };
    g.keep(part.dtype === 'float32' ? value : { node: part, bound: 2 ** 31, error: 0, quantum: 1 });
  });
}

export function cond(g: Generator, fill: Fill): void {
  const { random } = g;
  const predicate = g.want([], 'bool');
  const captures = Array.from({ length: random.integer(1, 3) }, () => g.some(() => true) ?? g.want([2], 'float32'));
  const slots = Array.from({ length: random.integer(1, 2) }, () => (random.chance(0.5) ? captures[0]!.node : slot(g)));
  const branch = (): { graph: Graph; outputs: Value[] } => {
    const body = new Generator(random, false);
    for (const { node, ...known } of captures) body.input(node, known.bound, known.error, known.quantum);
    if (random.chance(0.8)) fill(body);
    const outputs = slots.map(({ shape, dtype }) => body.want(shape, dtype));
    return { graph: body.builder.graph(outputs.map(({ node }) => node)), outputs };
  };
  const [whenTrue, whenFalse] = [branch(), branch()];
  const node = g.add('cond', [predicate, ...captures], {
    whenTrue: whenTrue.graph,
    whenFalse: whenFalse.graph,
  }) as Node;
  parts(g, node).forEach((part, i) => {
    g.keep(g.moved(part, whenTrue.outputs[i]!, whenFalse.outputs[i]!));
  });
}

export function call(g: Generator, fill: Fill): void {
  const { random } = g;
  const captures = Array.from({ length: random.integer(1, 3) }, () => g.some(() => true) ?? g.want([2], 'float32'));
  const body = new Generator(random, false);
  for (const { node, ...known } of captures) body.input(node, known.bound, known.error, known.quantum);
  fill(body);
  const outputs = Array.from({ length: random.integer(1, 2) }, () => body.some(() => true)!);
  const node = g.add('call', captures, { body: body.builder.graph(outputs.map((output) => output.node)) }) as Node;
  parts(g, node).forEach((part, i) => {
    g.keep({ ...outputs[i]!, node: part });
  });
}
