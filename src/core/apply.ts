import { program } from './device.js';
import { fail, InternalError, KilnError } from './errors.js';
import { type Graph, GraphBuilder, hasParts, keyOf, type Node, type TensorType } from './graph.js';
import { Parameter } from './parameter.js';
import type { ParamsOf, PrimitiveName } from './primitives/index.js';
import { storageOf, Tensor } from './tensor/tensor.js';
import { currentTrace, Trace, withTrace } from './trace.js';

/** What operations take. Numbers and booleans adopt the dtype of what they meet. */
export type TensorLike = Tensor | Parameter | number | boolean;

/** Applies a primitive: to the trace that is under way, else at once as a program of one operation. */
export function apply<K extends PrimitiveName>(op: K, inputs: readonly Tensor[], params: ParamsOf<K>): Tensor {
  const trace = currentTrace();
  if (trace) return trace.add(op, inputs, params);
  return runOne(op, inputs, params)[0]!;
}

/** The same for primitives with several results. */
export function applyAll<K extends PrimitiveName>(op: K, inputs: readonly Tensor[], params: ParamsOf<K>): Tensor[] {
  const trace = currentTrace();
  if (trace) return trace.addAll(op, inputs, params);
  return runOne(op, inputs, params);
}

/** An operation's graph by itself. */
interface OneOp {
  readonly graph: Graph;
  readonly donations: readonly undefined[];
}

function runOne<K extends PrimitiveName>(op: K, inputs: readonly Tensor[], params: ParamsOf<K>): Tensor[] {
  const { graph, donations } = oneOp(op, inputs, params);
  const storages = program(graph, donations).run(inputs.map(storageOf));
  return graph.outputs.map((type, i) => {
    const storage = storages[i]!;
    storage.isShared = true;
    return Tensor.ofStorage(type, storage);
  });
}

/** Graphs of single operations, so that a loop of eager operations makes each of them once; the oldest go first. */
const oneOps = new Map<string, OneOp>();
const mostOneOps = 4096;

function oneOp<K extends PrimitiveName>(op: K, inputs: readonly Tensor[], params: ParamsOf<K>): OneOp {
  const key = `${op} ${inputs.map(({ dtype, shape }) => `${dtype}${shape.join()}`).join(' ')} ${keyOf(params)}`;
  let known = oneOps.get(key);
  if (!known) {
    const builder = new GraphBuilder();
    const operands = inputs.map((input) => builder.input(input));
    const node = builder.add(op, operands, params) as Node;
    const part = (_: TensorType, index: number): Node => builder.add('part', [node], { index }) as Node;
    const outputs = hasParts(node) ? node.types.map(part) : [node];
    known = { graph: builder.graph(outputs), donations: outputs.map(() => undefined) };
    if (oneOps.size >= mostOneOps)
      for (const oldest of [...oneOps.keys()].slice(0, mostOneOps / 4)) oneOps.delete(oldest);
    oneOps.set(key, known);
  }
  return known;
}

/** The tensor that `value` stands for; a number becomes a scalar of `dtype` (float32 unless told). */
export function asTensor(value: TensorLike, dtype: 'float32' | 'int32' | 'uint8' | 'bool' = 'float32'): Tensor {
  if (value instanceof Tensor) return value;
  if (value instanceof Parameter) return value.value;
  if (typeof value !== 'number' && typeof value !== 'boolean') {
    fail(
      `tensor: expected a tensor, a parameter or a number: got ${typeof value}`,
      'Make one with tensor(…).',
      KilnError,
    );
  }
  const trace = currentTrace();
  if (trace) return Tensor.ofNode(trace, trace.builder.add('constant', [], { value: Number(value), dtype }));
  const data =
    dtype === 'float32'
      ? Float32Array.of(Number(value))
      : dtype === 'int32'
        ? Int32Array.of(Number(value))
        : Uint8Array.of(Number(value));
  return Tensor.fromHost({ dtype, shape: [], data });
}

export interface Body {
  readonly graph: Graph;
  /** Tensors from outside that the body uses: inputs of its graph after the given ones. */
  readonly captures: readonly Tensor[];
}

/** Traces `f` as a graph of its own over inputs of the given types: the body of a loop, a branch, a checkpoint. */
export function traceBody(types: readonly TensorType[], f: (inputs: readonly Tensor[]) => readonly Tensor[]): Body {
  const trace = new Trace({ parent: currentTrace(), isBody: true });
  const inputs = types.map((type, index) => trace.argument(type, index));
  const graph = trace.graph(withTrace(trace, () => f(inputs)));
  const captures = trace.sources.slice(types.length).map((source) => {
    switch (source.kind) {
      case 'capture':
        return source.tensor;
      case 'parameter':
        return source.parameter.value;
      case 'argument':
        throw new InternalError('an argument was made after the body began');
    }
  });
  return { graph, captures };
}
