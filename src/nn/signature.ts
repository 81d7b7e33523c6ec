import { type DType, fail, formatShape, type Shape, Tensor, type TensorType, Trace, withTrace } from '../core/index.js';
import { inference } from './context.js';
import type { Layer } from './layer.js';

/** What flows into a layer: the shape of one sample, without the batch. */
export interface Signature {
  readonly shape: Shape;
  readonly dtype: DType;
  /** The [height, width, channels] whose flattening gave this order of elements, if one did. */
  readonly flattenedFrom?: Shape | undefined;
}

/** Any size but 1, which a squeeze would take away; that of layers that keep something of each sample. */
const probeBatchOf = (layer: Layer<never>): number => layer.batchSize ?? 2;

/** A traced batch of samples, of which only shape and dtype count. */
const probe = (trace: Trace, batch: number, { shape, dtype }: Signature, index: number): Tensor =>
  trace.argument({ shape: [batch, ...shape], dtype } satisfies TensorType, index);

/** What `layer` makes of such an input, found by tracing it: nothing runs, no parameter needs a value. */
export function outputSignature(layer: Layer, incoming: Signature): Signature {
  const trace = new Trace();
  const output: unknown = withTrace(trace, () =>
    layer.forward(probe(trace, probeBatchOf(layer), incoming, 0), inference),
  );
  return signatureOf(layer, output, layer.flattenedFrom(incoming));
}

/** The same for layers of several inputs. */
export function outputSignatureOfMany(
  layer: Layer<never>,
  incoming: (probeOf: (signature: Signature) => Tensor) => unknown,
): Signature {
  const trace = new Trace();
  let next = 0;
  const output: unknown = withTrace(trace, () =>
    layer.forward(incoming((signature) => probe(trace, probeBatchOf(layer), signature, next++)) as never, inference),
  );
  return signatureOf(layer, output, undefined);
}

function signatureOf(layer: Layer<never>, output: unknown, flattenedFrom: Shape | undefined): Signature {
  const where = layer.path || layer.kind;
  const probeBatch = probeBatchOf(layer);
  if (!(output instanceof Tensor))
    fail(`${where}: forward returned ${typeof output}`, 'A layer in a model returns one tensor.');
  if (output.shape[0] !== probeBatch)
    fail(
      `${where}: forward turned a batch of ${probeBatch} into ${formatShape(output.shape)}`,
      'The first axis is the batch and must stay.',
    );
  return { shape: output.shape.slice(1), dtype: output.dtype, flattenedFrom };
}
