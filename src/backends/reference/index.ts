/**
 * reference: runs a graph by its primitives' own definitions, plain loops in float64.
 * The oracle that every other device is compared with, and an explanation of what each primitive means.
 * Slow, exact, and without a compiler.
 */
import {
  bytesPerElement,
  type Device,
  type Executable,
  type Graph,
  interpret,
  type ReferenceArray,
  Storage,
  sizeOf,
  type TensorType,
  viewAs,
} from '../../core/index.js';

const read = ({ shape, dtype }: TensorType, storage: Storage): ReferenceArray => ({
  shape,
  dtype,
  data: Float64Array.from(viewAs(dtype, storage.atRest(), 0, sizeOf(shape))),
});

function write({ shape, dtype, data }: ReferenceArray): Storage {
  const bytes = new ArrayBuffer(sizeOf(shape) * bytesPerElement[dtype]);
  viewAs(dtype, bytes).set(data);
  return Storage.of(bytes);
}

class ReferenceExecutable implements Executable {
  /** Nodes are a few objects each; programs of no size at all would never leave the cache. */
  readonly byteLength: number;
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.byteLength = 1024 + 512 * graph.nodes.length;
  }

  run(inputs: readonly Storage[]): Storage[] {
    return interpret(
      this.#graph,
      this.#graph.inputs.map((node) => read(node, inputs[node.params.index]!)),
    ).map(write);
  }

  release(): void {}
}

export const reference = (): Device => ({
  name: 'reference',
  target: 'reference-float64',
  threads: 1,
  compile: (graph) => new ReferenceExecutable(graph),
  memory: () => ({ resident: 0, arena: 0, peak: 0 }),
});
