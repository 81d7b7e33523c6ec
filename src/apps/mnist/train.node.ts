/** Trains the network on MNIST, or goes on where a run stopped; leaves a run folder with checkpoint and report. */
import { existsSync } from 'node:fs';
import { device, fail, KilnError } from '../../core/index.js';
import { type Mnist, mnist } from '../../data/index.js';
import { adam, crossEntropy, initialize, summary } from '../../nn/index.js';
import {
  type Callback,
  checkpointEvery,
  createRun,
  fit,
  openRun,
  type RunDescription,
  type RunFolder,
  readCheckpoint,
  recordMetrics,
  reportProgress,
  type TrainingState,
} from '../../train/index.js';
import { architecture, mnistNetwork } from './network.js';
import type { TrainHost, TrainMnistOptions } from './options.js';
import { writeReport } from './report.node.js';
import { resultsText, testResults } from './results.js';

export const checkpointFile = 'checkpoint.safetensors';

/** What `--json` prints. */
export interface TrainResult {
  readonly run: string;
  readonly steps: number;
  readonly interrupted: boolean;
  readonly loss?: number;
  readonly accuracy?: number;
  /** counts[predicted][true] */
  readonly confusion?: readonly (readonly number[])[];
  readonly checkpoint: string;
  readonly report?: string;
}

/**
 * @throws KilnError if there are no data, a file cannot be written, the loss is not finite, or a resumed run's options differ
 */
export async function trainMnist(options: TrainMnistOptions, host: TrainHost): Promise<TrainResult> {
  const { resume, out } = options;
  const resumed = resume === undefined ? undefined : await resumeRun(resume, options, host);
  const settings = resumed?.settings ?? settingsOf(options);
  const state = resumed?.state;
  const { epochs, batchSize, learningRate, seed, limit, testLimit } = settings;
  const data = await mnist({
    ...(limit === undefined ? {} : { limit }),
    ...(testLimit === undefined ? {} : { testLimit }),
  });
  const { train, test } = data;
  const run = resumed?.run ?? (await createRun({ app: 'mnist', out }));
  await describeRun(run, { settings, data, isResumed: resumed !== undefined, target: state?.progress.target }, host);

  const model = mnistNetwork();
  initialize(model, { seed });
  host.print(summary(model));
  const steps = Math.ceil(train.length / batchSize);
  host.note(
    `Training on ${train.length} digits, ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} of ${steps} steps, in ${run.path}` +
      (state ? `, from step ${state.progress.step}` : ''),
  );
  const history = await fit(model, train, {
    loss: crossEntropy,
    optimizer: adam({ learningRate }),
    epochs,
    batchSize,
    seed,
    validation: test,
    callbacks: callbacksOf(run, host),
    signal: host.signal,
    ...(state ? { resume: state } : {}),
  });
  const checkpoint = run.file(checkpointFile);
  if (history.interrupted) {
    host.print(`Interrupted after step ${history.steps}. Go on with: kiln train mnist --resume ${run.path}`);
    return { run: run.path, steps: history.steps, interrupted: true, checkpoint };
  }
  const results = await testResults(model, test);
  const report = await writeReport(run, { model, test, results, settings: { ...settings } });
  const { loss, accuracy, confusion } = results;
  host.print(resultsText(results));
  host.print(`Report:     ${report}\nCheckpoint: ${checkpoint}\nNext:       kiln predict ${run.path} digit.png`);
  return { run: run.path, steps: history.steps, interrupted: false, loss, accuracy, confusion, checkpoint, report };
}

type Settings = Omit<TrainMnistOptions, 'resume' | 'out'>;

/** A command line hands in more than this: what decides the numbers is what run.json holds. */
const settingsOf = ({ epochs, batchSize, learningRate, seed, limit, testLimit }: TrainMnistOptions): Settings => ({
  epochs,
  batchSize,
  learningRate,
  seed,
  limit,
  testLimit,
});

interface ResumedRun {
  readonly run: RunFolder;
  readonly settings: Settings;
  /** `undefined` where it was killed before its first checkpoint: then it begins anew. */
  readonly state: TrainingState | undefined;
}

/** Options that decide what is computed: a run goes on with those it began with. */
const lasting = ['batchSize', 'learningRate', 'seed', 'limit', 'testLimit'] as const;

async function resumeRun(path: string, options: TrainMnistOptions, { given }: TrainHost): Promise<ResumedRun> {
  const run = await openRun(path, { command: 'kiln train --resume' });
  const description = await run.readDescription();
  const saved = parseSettings(description, run);
  for (const name of lasting) {
    if (!given.has(name) || options[name] === saved[name]) continue;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    fail(
      `kiln train: ${flag} is ${options[name]}, the run ${run.path} has ${saved[name] ?? 'none'}`,
      `A run goes on with what it began with: leave ${flag} out, or start a new run.`,
      KilnError,
    );
  }
  const state = existsSync(run.file(checkpointFile)) ? await readCheckpoint(run.file(checkpointFile)) : undefined;
  await run.truncateMetrics(state?.progress.step ?? 0);
  return { run, settings: given.has('epochs') ? { ...saved, epochs: options.epochs } : saved, state };
}

function parseSettings({ app, options, seed }: RunDescription, run: RunFolder): Settings {
  const { epochs, batchSize, learningRate, limit, testLimit } = options;
  const isLimit = (value: unknown): value is number | undefined => value === undefined || typeof value === 'number';
  if (
    app !== 'mnist' ||
    typeof epochs !== 'number' ||
    typeof batchSize !== 'number' ||
    typeof learningRate !== 'number' ||
    !isLimit(limit) ||
    !isLimit(testLimit)
  ) {
    return fail(
      `${run.file('run.json')}: is no run of mnist with epochs, batchSize and learningRate`,
      'It was edited, or is of another application. Start a new run.',
      KilnError,
    );
  }
  return { epochs, batchSize, learningRate, seed, limit, testLimit };
}

interface RunFacts {
  readonly settings: Settings;
  readonly data: Mnist;
  readonly isResumed: boolean;
  /** What computed the checkpoint. */
  readonly target: string | undefined;
}

/** Writes run.json; of a resumed run it checks that the data are the same, and says when the machine is another. */
async function describeRun(run: RunFolder, facts: RunFacts, host: TrainHost): Promise<void> {
  const { seed, ...options } = facts.settings;
  const { hashes } = facts.data;
  const { name, target, threads } = device();
  if (facts.isResumed) {
    const { dataHashes } = await run.readDescription();
    const sorted = (of: Readonly<Record<string, string>>): string => Object.values(of).sort().join();
    if (sorted(dataHashes) !== sorted(hashes)) {
      fail(
        `kiln train: the data are not those that the run ${run.path} began with`,
        'run.json lists the files and their SHA-256. Bring them back, or start a new run.',
        KilnError,
      );
    }
    if (facts.target !== undefined && facts.target !== target) {
      host.note(`The run began on ${facts.target}, this is ${target}: from here on the last bits may differ.`);
    }
  }
  await run.writeDescription({
    app: 'mnist',
    options,
    seed,
    versions: { kiln: host.version, node: process.versions.node },
    target: { device: name, target, threads },
    dataHashes: hashes,
  });
}

/** Metrics before the checkpoint: what a resumed run cuts off is what came after it. */
const callbacksOf = (run: RunFolder, host: TrainHost): Callback[] => [
  reportProgress(host),
  recordMetrics(run),
  checkpointEvery({
    path: run.file(checkpointFile),
    metadata: { architecture },
    before: () => run.syncMetrics(),
  }),
];
