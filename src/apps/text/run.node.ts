/** A run's settings, vocabulary and network, as its folder has them. */
import { fail, KilnError } from '../../core/index.js';
import { Vocabulary } from '../../data/index.js';
import type { Sequential } from '../../nn/index.js';
import { type RunDescription, type RunFolder, readCheckpoint } from '../../train/index.js';
import { textNetwork } from './network.js';
import { type TextSettings, textDefaults } from './options.js';

export const app = 'text';
export const checkpointFile = 'checkpoint.safetensors';

export interface SavedRun {
  readonly settings: TextSettings;
  readonly vocabulary: Vocabulary;
  /** The text's files, as they were given. */
  readonly files: readonly string[];
  readonly dataHashes: Readonly<Record<string, string>>;
}

export async function readRun(run: RunFolder): Promise<SavedRun> {
  const description = await run.readDescription();
  const settings = parseSettings(description);
  const { vocabulary, files, dataHashes } = description as Partial<Record<keyof SavedRun, unknown>>;
  if (description.app !== app || !settings || typeof vocabulary !== 'string' || !isTexts(files)) {
    return fail(
      `${run.file('run.json')}: is no run of text with its options, vocabulary and files`,
      'It was edited, or is of another application. Start a new run.',
      KilnError,
    );
  }
  const hashes = (dataHashes ?? {}) as SavedRun['dataHashes'];
  return { settings, vocabulary: new Vocabulary([...vocabulary]), files, dataHashes: hashes };
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

function parseSettings({ options, seed }: RunDescription): TextSettings | undefined {
  const entries = Object.entries(textDefaults).map(([name, standard]) => {
    const value = name === 'seed' ? seed : options[name];
    return [name, typeof value === typeof standard ? value : undefined] as const;
  });
  if (entries.some(([, value]) => value === undefined)) return undefined;
  return Object.fromEntries(entries) as unknown as TextSettings;
}

/** The trained network without carried states, for texts of its own. */
export async function loadNetwork(run: RunFolder, { settings, vocabulary }: SavedRun): Promise<Sequential> {
  const { sequenceLength } = settings;
  return withWeights(run, textNetwork(settings, { vocabulary: vocabulary.size, sequenceLength }));
}

/** The network as it was trained, for batches of its own size. */
export async function loadStatefulNetwork(run: RunFolder, { settings, vocabulary }: SavedRun): Promise<Sequential> {
  const { sequenceLength, batchSize } = settings;
  return withWeights(run, textNetwork(settings, { vocabulary: vocabulary.size, sequenceLength, batchSize }));
}

async function withWeights(run: RunFolder, model: Sequential): Promise<Sequential> {
  const path = run.file(checkpointFile);
  const { tensors } = await readCheckpoint(path);
  for (const [name, parameter] of Object.entries(model.parameters())) {
    const array = tensors.get(`model/${name}`);
    if (!array)
      fail(`${path}: has no ${name}`, 'It is the checkpoint of another network than run.json describes.', KilnError);
    parameter.set(array);
  }
  return model;
}
