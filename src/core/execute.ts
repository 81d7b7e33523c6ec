import { asTensor, type TensorLike } from './apply.js';
import { type Executable, program } from './device.js';
import { fail, KilnError } from './errors.js';
import type { Graph } from './graph.js';
import { Parameter } from './parameter.js';
import { formatShape } from './shape.js';
import { storageOf, Tensor } from './tensor/tensor.js';
import { currentTrace, type Source, Trace, withTrace } from './trace.js';
import { leavesOf, mapTree } from './tree.js';

/** A function as a graph, with where its inputs come from and where its outputs go. */
export interface Traced<R> {
  readonly graph: Graph;
  readonly sources: readonly Source[];
  /** The result's tree; its tensors are the first outputs of the graph, in the tree's order. */
  readonly result: R;
  /** Parameters that were assigned: the remaining outputs. */
  readonly assigned: readonly Parameter[];
  /** For each output, the input whose place it may take. */
  readonly donations: readonly (number | undefined)[];
}

/** Traces `f` with traced tensors in place of the tensors among `args`. */
export function traceFunction<R>(f: (trace: Trace, ...args: never[]) => R, args: readonly unknown[]): Traced<R> {
  const trace = new Trace();
  let next = 0;
  const traced = args.map((arg) =>
    mapTree(arg, (leaf) => (leaf instanceof Tensor ? trace.argument(leaf, next++) : leaf)),
  );
  const result = withTrace(trace, () => {
    const value = f(trace, ...(traced as never[]));
    return mapTree(value, (leaf) =>
      leaf instanceof Parameter || typeof leaf === 'number' ? asTensor(leaf as TensorLike) : leaf,
    ) as R;
  });
  const assignments = trace.assignments();
  const outputs = [
    ...leavesOf(result).filter((leaf): leaf is Tensor => leaf instanceof Tensor),
    ...assignments.map(([, tensor]) => tensor),
  ];
  const graph = trace.graph(outputs);
  const results = outputs.length - assignments.length;
  const donations = outputs.map((_, i) => {
    if (i < results) return undefined;
    const index = trace.sources.findIndex(
      (source) => source.kind === 'parameter' && source.parameter === assignments[i - results]![0],
    );
    return index < 0 ? undefined : index;
  });
  return { graph, sources: trace.sources, result, assigned: assignments.map(([parameter]) => parameter), donations };
}

/** Runs a traced function on the tensors that stand for its arguments. */
export function execute<R>(
  traced: Traced<R>,
  args: readonly Tensor[],
  executable: Executable = program(traced.graph, traced.donations),
): R {
  const { graph, sources, result, assigned } = traced;
  const inputs = sources.map((source) => {
    switch (source.kind) {
      case 'argument':
        return storageOf(args[source.index]!);
      case 'capture':
        return storageOf(source.tensor);
      case 'parameter':
        return storageOf(source.parameter.held());
    }
  });
  const storages = executable.run(inputs);
  const results = storages.length - assigned.length;
  // a storage that is handed out twice, or that came in, may be seen by somebody: it is not written in place again
  const seen = new Set(inputs);
  const tensors = storages.map((storage, i) => {
    if (i < results || seen.has(storage)) storage.isShared = true;
    seen.add(storage);
    return Tensor.ofStorage(graph.outputs[i]!, storage);
  });
  assigned.forEach((parameter, i) => {
    parameter.adopt(tensors[results + i]!);
  });
  let next = 0;
  return mapTree(result, (leaf) => (leaf instanceof Tensor ? tensors[next++] : leaf)) as R;
}

const describeLeaf = (leaf: unknown, path: string): string => {
  if (leaf instanceof Tensor) return `${path}:${leaf.dtype}${formatShape(leaf.shape)}`;
  if (typeof leaf === 'function')
    fail(
      `compile: argument ${path} is a function`,
      'Arguments are trees of tensors, numbers and strings; close over functions instead.',
      KilnError,
    );
  if (typeof leaf === 'object' && leaf !== null)
    fail(
      `compile: argument ${path} is a ${leaf.constructor?.name ?? 'object'}`,
      'Arguments are trees of tensors, numbers and strings; close over models and parameters instead.',
      KilnError,
    );
  return `${path}=${typeof leaf === 'string' ? JSON.stringify(leaf) : String(leaf)}`;
};

/**
 * The same function as one program for each set of shapes: its first call with them traces it, later calls run the program.
 *
 * Tensors among the arguments (trees of them) are inputs. Numbers, strings and booleans are part of the program: what changes
 * from step to step belongs into a tensor. Parameters that are assigned are updated in place.
 *
 * @throws KilnError if an argument is neither, or a traced tensor's data is read
 */
export function compile<A extends readonly unknown[], R>(f: (...args: A) => R): (...args: A) => R {
  const known = new Map<string, Traced<R>>();
  return (...args) => {
    if (currentTrace()) return f(...args);
    const tensors: Tensor[] = [];
    const described: string[] = [];
    mapTree(args, (leaf, path) => {
      const value = leaf instanceof Parameter ? leaf.value : leaf;
      if (value instanceof Tensor) tensors.push(value);
      described.push(describeLeaf(value, path));
    });
    const key = described.join('; ');
    let traced = known.get(key);
    if (!traced) {
      const values = args.map((arg) => mapTree(arg, (leaf) => (leaf instanceof Parameter ? leaf.value : leaf)));
      traced = traceFunction((_, ...inputs: never[]) => f(...(inputs as unknown as A)), values);
      if (known.size === 2) warnOfRetracing(f.name, [...known.keys(), key]);
      known.set(key, traced);
    }
    return execute(traced, tensors);
  };
}

/** Says once per function what keeps it from being compiled once. */
function warnOfRetracing(name: string, keys: readonly string[]): void {
  const lists = keys.map((key) => key.split('; '));
  const differing = lists[0]!.flatMap((_, i) => {
    const seen = [...new Set(lists.map((list) => list[i]))];
    return seen.length > 1 ? [seen.join(' | ')] : [];
  });
  console.warn(
    `compile: ${name || 'a function'} is compiled for the third time: ${differing.join('; ') || 'its arguments changed their structure'}\n` +
      '  Each new shape, number or string is a program of its own. Pad to fewer shapes, or pass numbers that change as tensors.',
  );
}
