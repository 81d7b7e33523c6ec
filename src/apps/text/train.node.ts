/** Trains a network on text, or goes on where a run stopped; leaves a run folder with checkpoint and report. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { device, fail, KilnError } from '../../core/index.js';
import { Loader, readTexts, type TextStreams, textStreams, Vocabulary } from '../../data/index.js';
import {
  crossEntropy,
  type Optimizer,
  resetStates,
  rmsProp,
  type Sequential,
  stepwise,
  summary,
} from '../../nn/index.js';
import {
  type Callback,
  checkpointEvery,
  createRun,
  fit,
  openRun,
  type RunFolder,
  readCheckpoint,
  recordLearningRate,
  recordMetrics,
  reportProgress,
  type TrainingState,
} from '../../train/index.js';
import { bits, freshStreams, lossText, validationLoss } from './measure.js';
import { architecture, textNetwork } from './network.js';
import { type TextSettings, type TrainHost, type TrainTextOptions, textDefaults } from './options.js';
import { writeReport } from './report.node.js';
import { app, checkpointFile, readRun, type SavedRun } from './run.node.js';
import { anyCharacter, Sampler } from './sampler.js';

/** What `--json` prints. */
export interface TrainResult {
  readonly run: string;
  readonly steps: number;
  readonly interrupted: boolean;
  /** Mean cross-entropy of the validation text in nats a character. */
  readonly validationLoss?: number;
  readonly bitsPerCharacter?: number;
  readonly checkpoint: string;
  readonly report?: string;
}

/**
 * char-rnn's training: the text is read as parallel streams, gradients go back through a batch's characters, the state goes on to the
 * next batch.
 *
 * @throws KilnError if a file cannot be read or written, is no text or too short, or a resumed run's options differ
 * @see karpathy/char-rnn, train.lua
 */
export async function trainText(options: TrainTextOptions, host: TrainHost): Promise<TrainResult> {
  const resumed = options.resume === undefined ? undefined : await resumeRun(options.resume, options, host);
  const settings = resumed?.settings ?? settingsOf(options);
  const files = resumed && options.files.length === 0 ? resumed.files : options.files;
  if (files.length === 0)
    fail('kiln train text: FILE is missing', 'For example: kiln train text shakespeare.txt', KilnError);
  const { text, hashes } = await readTexts(files);
  const { epochs, batchSize, sequenceLength, seed, validation } = settings;
  const vocabulary = Vocabulary.of(text);
  const name = files.length === 1 ? basename(files[0]!) : `${files.length} files`;
  const numbers = vocabulary.encode(text);
  const streams = textStreams(numbers, { name, batchSize, sequenceLength, validation });
  if (resumed) checkData(resumed, hashes);
  const run = resumed?.run ?? (await createRun({ app, out: options.out }));
  await describeRun(run, { settings, files, hashes, vocabulary, state: resumed?.state }, host);

  const model = textNetwork(settings, { vocabulary: vocabulary.size, batchSize, sequenceLength });
  host.print(summary(model));
  const steps = streams.train.length / batchSize;
  host.note(
    `Training on ${numbers.length} characters of ${vocabulary.size} kinds, ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} of ` +
      `${steps} steps, in ${run.path}${resumed?.state ? `, from step ${resumed.state.progress.step}` : ''}`,
  );
  const history = await fit(model, new Loader(streams.train, { batchSize, shuffle: false }), {
    loss: crossEntropy,
    metrics: {},
    optimizer: optimizerOf(settings, steps),
    clip: { value: settings.clip },
    epochs,
    seed,
    validation: freshStreams(model, streams.validation, batchSize),
    callbacks: callbacksOf(run, { model, vocabulary, seed }, host),
    signal: host.signal,
    ...(resumed?.state ? { resume: resumed.state } : {}),
  });
  const checkpoint = run.file(checkpointFile);
  if (history.interrupted) {
    host.print(`Interrupted after step ${history.steps}. Go on with: kiln train text --resume ${run.path}`);
    return { run: run.path, steps: history.steps, interrupted: true, checkpoint };
  }
  const loss = await measured(model, streams, history.epochs.at(-1)?.values['validationLoss'], batchSize);
  const report = await writeReport(run, { settings, vocabulary, text, name, loss, seed });
  host.print(`Validation: ${lossText(loss)}`);
  host.print(`Report:     ${report}\nCheckpoint: ${checkpoint}\nNext:       kiln generate ${run.path}`);
  return {
    run: run.path,
    steps: history.steps,
    interrupted: false,
    validationLoss: loss,
    bitsPerCharacter: bits(loss),
    checkpoint,
    report,
  };
}

/** A run that is resumed after its last epoch has trained nothing now. */
const measured = async (
  model: Sequential,
  { validation }: TextStreams,
  known: number | undefined,
  batchSize: number,
): Promise<number> => known ?? validationLoss(model, validation, batchSize);

const optimizerOf = (settings: TextSettings, stepsAnEpoch: number): Optimizer => {
  const { learningRate, learningRateDecay: factor, decayAfter, decayRate } = settings;
  return rmsProp({
    // the first decay comes at the end of epoch `decayAfter`
    learningRate: stepwise({
      learningRate,
      factor,
      every: stepsAnEpoch,
      after: Math.max(0, decayAfter - 1) * stepsAnEpoch,
    }),
    rho: decayRate,
    // as Torch's rmsprop has it
    epsilon: 1e-8,
  });
};

/** A command line hands in more than this: what decides the numbers is what run.json holds. */
const settingsOf = (options: TextSettings): TextSettings =>
  Object.fromEntries(
    Object.keys(textDefaults).map((name) => [name, options[name as keyof TextSettings]]),
  ) as unknown as TextSettings;

interface ResumedRun extends SavedRun {
  readonly run: RunFolder;
  /** `undefined` where it was killed before its first checkpoint: then it begins anew. */
  readonly state: TrainingState | undefined;
}

async function resumeRun(path: string, options: TrainTextOptions, { given }: TrainHost): Promise<ResumedRun> {
  const run = await openRun(path, { command: 'kiln train text --resume' });
  const saved = await readRun(run);
  // all of them decide what is computed; epochs only how much of it
  for (const name of Object.keys(textDefaults) as (keyof TextSettings)[]) {
    if (name === 'epochs' || !given.has(name) || options[name] === saved.settings[name]) continue;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    fail(
      `kiln train text: ${flag} is ${options[name]}, the run ${run.path} has ${saved.settings[name]}`,
      `A run goes on with what it began with: leave ${flag} out, or start a new run.`,
      KilnError,
    );
  }
  const state = existsSync(run.file(checkpointFile)) ? await readCheckpoint(run.file(checkpointFile)) : undefined;
  await run.truncateMetrics(state?.progress.step ?? 0);
  const settings = given.has('epochs') ? { ...saved.settings, epochs: options.epochs } : saved.settings;
  return { ...saved, run, settings, state };
}

/** By content: the files may lie elsewhere now. */
function checkData({ run, dataHashes }: ResumedRun, hashes: Readonly<Record<string, string>>): void {
  const sorted = (of: Readonly<Record<string, string>>): string => Object.values(of).sort().join();
  if (sorted(dataHashes) === sorted(hashes)) return;
  fail(
    `kiln train text: the files are not those that the run ${run.path} began with`,
    'run.json lists them and their SHA-256. Bring them back, or start a new run.',
    KilnError,
  );
}

interface RunFacts {
  readonly settings: TextSettings;
  readonly files: readonly string[];
  readonly hashes: Readonly<Record<string, string>>;
  readonly vocabulary: Vocabulary;
  readonly state: TrainingState | undefined;
}

async function describeRun(run: RunFolder, facts: RunFacts, host: TrainHost): Promise<void> {
  const { seed, ...options } = facts.settings;
  const { name, target, threads } = device();
  const before = facts.state?.progress.target;
  if (before !== undefined && before !== target)
    host.note(`The run began on ${before}, this is ${target}: from here on the last bits may differ.`);
  await run.writeDescription({
    app,
    options,
    seed,
    files: facts.files,
    vocabulary: facts.vocabulary.symbols.join(''),
    versions: { kiln: host.version, node: process.versions.node },
    target: { device: name, target, threads },
    dataHashes: facts.hashes,
  });
}

interface Trained {
  readonly model: Sequential;
  readonly vocabulary: Vocabulary;
  readonly seed: number;
}

/** Metrics before the checkpoint: what a resumed run cuts off is what came after it. */
const callbacksOf = (run: RunFolder, trained: Trained, host: TrainHost): Callback[] => [
  beginStreams(trained.model),
  reportProgress(host),
  showSample(trained, host),
  recordLearningRate(),
  recordMetrics(run),
  checkpointEvery({
    path: run.file(checkpointFile),
    metadata: { architecture },
    before: () => run.syncMetrics(),
  }),
];

/** Each epoch reads the streams from their beginning; a resumed one goes on with the states of its checkpoint. */
const beginStreams = (model: Sequential): Callback => ({
  name: 'beginStreams',
  onEpochBegin: ({ stepInEpoch }) => {
    if (stepInEpoch === 0) resetStates(model);
  },
});

/** Prints what the network writes by now. It has states of its own: the training's stay. */
function showSample({ model, vocabulary, seed }: Trained, host: TrainHost): Callback {
  const sampler = new Sampler(model);
  return {
    name: 'showSample',
    onEpochEnd: async ({ epoch, values }) => {
      const loss = values['validationLoss'];
      const prime = [anyCharacter(vocabulary.size, (seed + epoch) >>> 0)];
      const [numbers] = await sampler.take([{ temperature: 0.8, prime }], sampleLength, seed + epoch);
      const head = loss === undefined ? '' : `, validation ${lossText(loss)}`;
      host.print(`── epoch ${epoch}${head}\n${vocabulary.decode(numbers!)}\n──`);
    },
  };
}

const sampleLength = 300;
