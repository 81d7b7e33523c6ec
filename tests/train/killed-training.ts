/** A training in a process of its own, to be killed: goes on from the checkpoint where there is one. */
import { existsSync } from 'node:fs';
import { checkpointEvery, fit, readCheckpoint } from '../../src/train/index.js';
import { clusters, smallNetwork, smallOptions } from './small.js';

const path = process.argv[2]!;
const report = { name: 'report', onStep: ({ step }: { step: number }) => void process.stdout.write(`${step}\n`) };
await fit(smallNetwork(), clusters(60), {
  ...smallOptions([report, checkpointEvery({ path, steps: 1 })]),
  validation: clusters(16),
  ...(existsSync(path) ? { resume: await readCheckpoint(path) } : {}),
});
