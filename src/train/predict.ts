import { bytesPerElement, compile, fail, formatShape, type HostArray, sizeOf, Tensor, viewAs } from '../core/index.js';
import { inference, type Layer } from '../nn/index.js';
import { Breath } from './breathe.js';
import { scaled } from './train-step.js';

export interface PredictOptions {
  /** Examples a batch at most (128); rounded up to a power of two. */
  readonly batchSize?: number;
  /** What the inputs are multiplied by inside the program (1), as a data set's `scale` says. */
  readonly scale?: number;
}

type Forward = (x: Tensor) => Tensor;

/** Programs of each model, by shape and scale. */
const forwards = new WeakMap<Layer, Map<string, Forward>>();

/**
 * What a model makes of inputs, in inference mode, batch by batch. The last batch is padded with zeros to a power of two,
 * so that any number of examples needs few programs.
 *
 * @param inputs [examples, …]
 * @returns      [examples, …] on the host
 */
export async function predict(
  model: Layer,
  inputs: HostArray | Tensor,
  { batchSize = 128, scale = 1 }: PredictOptions = {},
): Promise<HostArray> {
  const x = inputs instanceof Tensor ? inputs.toHost() : inputs;
  const [examples] = x.shape;
  if (examples === undefined || examples === 0) {
    fail(`predict: the inputs are ${formatShape(x.shape)}`, 'Give at least one example along the first axis.');
  }
  const most = powerOfTwo(batchSize);
  const breath = new Breath();
  let results: HostArray | undefined;
  for (let from = 0; from < examples; from += most) {
    const count = Math.min(most, examples - from);
    const batch = padded(x, from, count);
    const y = forwardOf(model, batch, scale)(Tensor.fromHost(batch));
    results ??= emptyLike(y, examples);
    const width = sizeOf(y.shape.slice(1));
    results.data.set((await y.data()).subarray(0, count * width), from * width);
    await breath.take();
  }
  return results!;
}

const powerOfTwo = (count: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, count)));

/** The rows from `from`, and zeros up to the next power of two. */
function padded({ dtype, shape, data }: HostArray, from: number, count: number): HostArray {
  const rest = shape.slice(1);
  const width = sizeOf(rest);
  const rows = powerOfTwo(count);
  const part = data.subarray(from * width, (from + count) * width);
  const padding = viewAs(dtype, new ArrayBuffer(rows * width * bytesPerElement[dtype]));
  padding.set(part);
  return { dtype, shape: [rows, ...rest], data: padding };
}

function emptyLike({ dtype, shape }: Tensor, examples: number): HostArray {
  const whole = [examples, ...shape.slice(1)];
  return { dtype, shape: whole, data: viewAs(dtype, new ArrayBuffer(sizeOf(whole) * bytesPerElement[dtype])) };
}

function forwardOf(model: Layer, { dtype, shape }: HostArray, scale: number): Forward {
  const known = forwards.get(model) ?? new Map<string, Forward>();
  forwards.set(model, known);
  const key = `${dtype} ${formatShape(shape)} ${scale}`;
  // one compiled function a shape: that there are several is no mistake to be warned of
  const forward = known.get(key) ?? compile((x: Tensor) => model.forward(scaled(x, scale), inference));
  known.set(key, forward);
  return forward;
}
