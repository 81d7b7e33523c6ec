import { type SummaryRow, summary, summaryRows } from '../../nn/index.js';
import type { Host } from '../../train/index.js';
import { mnistNetwork } from './network.js';

/** Prints the layers of the network, and returns them for `--json`. */
export async function summarizeMnist(host: Pick<Host, 'print'>): Promise<readonly SummaryRow[]> {
  const model = mnistNetwork();
  host.print(summary(model));
  return summaryRows(model);
}
