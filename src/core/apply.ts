import { type Executable, program } from './device.js';
import { fail, InternalError, KilnError } from './errors.js';
import { type Graph, GraphBuilder, hasParts, type Node, type TensorType } from './graph.js';
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

interface OneOp {
  readonly executable: Executable;
  readonly types: readonly TensorType[];
}

function runOne<K extends PrimitiveName>(op: K, inputs: readonly Tensor[], params: ParamsOf<K>): Tensor[] {
  const { executable, types } = oneOp(op, inputs, params);
  const storages = executable.run(inputs.map(storageOf));
  return types.map((type, i) => {
    const storage = storages[i]!;
    storage.isShared = true;
    return Tensor.ofStorage(type, storage);
  });
}

/** The program of one operation. Looked up on every eager operation, so the graph is made only to fill the cache of programs. */
function oneOp<K extends PrimitiveName>(op: K, inputs: readonly Tensor[], params: ParamsOf<K>): OneOp {
  const builder = new GraphBuilder();
  const node = builder.add(
    op,
    inputs.map((input) => builder.input(input)),
    params,
  ) as Node;
  const outputs = !hasParts(node)
    ? [node]
    : node.types.map((_, index) => builder.add('part', [node], { index }) as Node);
  return {
    executable: program(
      builder.graph(outputs),
      outputs.map(() => undefined),
    ),
    types: outputs,
  };
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
