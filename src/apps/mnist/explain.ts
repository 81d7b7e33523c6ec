import { compile, Tensor } from '../../core/index.js';
import { Dataset } from '../../data/index.js';
import { adam, crossEntropy, inference, initialize } from '../../nn/index.js';
import { fit, type RunFolder } from '../../train/index.js';
import type { Explainable, ExplainOptions } from '../explainable.js';
import { mnistNetwork } from './network.js';

/** A forward pass or a training step as `train` has it, on made-up digits. */
export async function explainMnist(
  { batchSize: asked, training, seed }: ExplainOptions,
  run?: RunFolder,
): Promise<Explainable> {
  const trained = (await run?.readDescription())?.options['batchSize'];
  const batchSize = asked ?? (typeof trained === 'number' ? trained : 32);
  const model = mnistNetwork();
  initialize(model, { seed });
  const images = {
    dtype: 'uint8',
    shape: [batchSize, 28, 28, 1],
    data: Uint8Array.from({ length: batchSize * 784 }, (_, i) => (i * 37) % 256),
  } as const;
  const labels = {
    dtype: 'uint8',
    shape: [batchSize],
    data: Uint8Array.from({ length: batchSize }, (_, i) => i % 10),
  } as const;
  const digits = `${batchSize} ${batchSize === 1 ? 'digit' : 'digits'}`;
  const scale = 1 / 255;
  if (training) {
    const data = new Dataset({ name: 'made-up digits', fields: { images, labels }, scale: { images: scale } });
    const step = (): Promise<unknown> =>
      fit(model, data, { loss: crossEntropy, optimizer: adam(), batchSize, shuffle: false });
    return { what: `mnist, a training step of ${digits}`, run: step };
  }
  const forward = compile((x: Tensor) => model.forward(x.cast('float32').mul(scale), inference));
  return { what: `mnist, the forward pass of ${digits}`, run: async () => forward(Tensor.fromHost(images)) };
}
