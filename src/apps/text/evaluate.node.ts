import { readTexts, textStreams } from '../../data/index.js';
import { type SummaryRow, summary, summaryRows } from '../../nn/index.js';
import type { Host, RunFolder } from '../../train/index.js';
import { bits, lossText, validationLoss } from './measure.js';
import { textNetwork } from './network.js';
import { loadStatefulNetwork, readRun } from './run.node.js';

/** Measures the network of a run on the part of its text that was kept for validation. */
export async function evaluateText(run: RunFolder, _: unknown, host: Host): Promise<unknown> {
  const saved = await readRun(run);
  const { settings, vocabulary, files } = saved;
  const { text } = await readTexts(files);
  const { validation } = textStreams(vocabulary.encode(text, files.join(', ')), {
    name: files.join(', '),
    ...settings,
  });
  const loss = await validationLoss(await loadStatefulNetwork(run, saved), validation, settings.batchSize);
  host.print(`Validation: ${lossText(loss)}`);
  const characters = validation.length * settings.sequenceLength;
  return { run: run.path, loss, bitsPerCharacter: bits(loss), perplexity: Math.exp(loss), characters };
}

/** Prints the layers of a run's network, and returns them for `--json`. What it builds is the run's: without one, nothing. */
export async function summarizeText(
  host: Pick<Host, 'print'>,
  run?: RunFolder,
): Promise<readonly SummaryRow[] | undefined> {
  if (!run) return undefined;
  const { settings, vocabulary } = await readRun(run);
  const { sequenceLength } = settings;
  const model = textNetwork(settings, { vocabulary: vocabulary.size, sequenceLength });
  host.print(summary(model));
  return summaryRows(model);
}
