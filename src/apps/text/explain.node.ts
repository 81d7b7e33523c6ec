import { compile, type HostArray, Tensor } from '../../core/index.js';
import { crossEntropy, inference, initialize, rmsProp } from '../../nn/index.js';
import { fit, type RunFolder } from '../../train/index.js';
import type { Explainable, ExplainOptions } from '../explainable.js';
import { textNetwork } from './network.js';
import { textDefaults } from './options.js';
import { readRun } from './run.node.js';

/** Characters that a network without a run knows: as many as char-rnn's Shakespeare has. */
const usualVocabulary = 65;

/** A forward pass over a batch's characters, or a training step as `train` has it, on made-up text. */
export async function explainText(
  { batchSize: asked, training, seed }: ExplainOptions,
  run?: RunFolder,
): Promise<Explainable> {
  const saved = run && (await readRun(run));
  const settings = saved?.settings ?? textDefaults;
  const vocabulary = saved?.vocabulary.size ?? usualVocabulary;
  const { sequenceLength, learningRate, decayRate: rho, clip } = settings;
  const batchSize = asked ?? settings.batchSize;
  const model = textNetwork(settings, { vocabulary, sequenceLength, batchSize });
  initialize(model, { seed });
  const numbers = (first: number): HostArray => ({
    dtype: 'int32',
    shape: [batchSize, sequenceLength],
    data: Int32Array.from({ length: batchSize * sequenceLength }, (_, i) => ((i + first) * 7) % vocabulary),
  });
  const [inputs, targets] = [numbers(0), numbers(1)];
  const characters = `${batchSize} × ${sequenceLength} characters`;
  if (training) {
    const options = { loss: crossEntropy, metrics: {}, optimizer: rmsProp({ learningRate, rho, epsilon: 1e-8 }) };
    const step = (): Promise<unknown> =>
      fit(model, [{ fields: { inputs, targets } }], { ...options, clip: { value: clip } });
    return { what: `text, a training step of ${characters}`, run: step };
  }
  const forward = compile((x: Tensor) => model.forward(x, inference));
  return { what: `text, the forward pass of ${characters}`, run: async () => forward(Tensor.fromHost(inputs)) };
}
