import { mnist } from '../../data/index.js';
import { type Host, load, type RunFolder } from '../../train/index.js';
import { mnistNetwork } from './network.js';
import { resultsText, testResults } from './results.js';
import { checkpointFile } from './train.node.js';

export interface EvaluateMnistOptions {
  readonly testLimit?: number | undefined;
}

/** Tests the network of a run on MNIST's test digits, prints the confusion matrix, and returns what `--json` prints. */
export async function evaluateMnist(run: RunFolder, { testLimit }: EvaluateMnistOptions, host: Host): Promise<unknown> {
  const model = mnistNetwork();
  await load(model, run.file(checkpointFile));
  const { test } = await mnist({ limit: 0, ...(testLimit === undefined ? {} : { testLimit }) });
  const results = await testResults(model, test);
  host.print(resultsText(results));
  const { loss, accuracy, examples, confusion, perClass } = results;
  return { run: run.path, loss, accuracy, examples, confusion, perClass };
}
