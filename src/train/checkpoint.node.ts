/** Checkpoints as files: a TrainingState as safetensors, its JSON in the metadata. */
import { FormatError, fail, KilnError } from '../core/index.js';
import { encodeSafetensors, readSafetensors, writeFileAtomic } from '../formats/index.js';
import type { TrainingProgress, TrainingState } from './training-state.js';

const formatName = 'kiln checkpoint 1';

/**
 * Replaces the checkpoint as a whole: after a kill, a crash or a full disk there is the old one or the new one.
 *
 * @param metadata what else is to be found again, such as the architecture
 * @throws KilnError if it cannot be written, or holds a number that is not finite: the last good checkpoint stays
 */
export async function writeCheckpoint(
  path: string,
  { tensors, progress }: TrainingState,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const [name, { dtype, data }] of tensors) {
    if (dtype !== 'float32' || data.every(Number.isFinite)) continue;
    fail(
      `${path}: ${name} holds numbers that are not finite after step ${progress.step}`,
      'The last checkpoint is kept. Try a lower learning rate or clip: { globalNorm: 1 }.',
      KilnError,
    );
  }
  const content = { ...metadata, format: formatName, progress: JSON.stringify(progress) };
  await writeFileAtomic(path, encodeSafetensors(new Map(tensors), content));
}

/** @throws FormatError if it is no checkpoint; KilnError if it cannot be read */
export async function readCheckpoint(path: string): Promise<TrainingState> {
  const { tensors, metadata } = await readSafetensors(path);
  const { format, progress } = metadata;
  if (format !== formatName || progress === undefined) {
    fail(
      `${path}: is no checkpoint of a training (format: ${format ?? 'none'}, ${formatName} expected)`,
      'A file of weights goes through load(model, path). Checkpoints are written by checkpointEvery.',
      FormatError,
    );
  }
  return { tensors, progress: parseProgress(progress, path), source: path };
}

function parseProgress(text: string, path: string): TrainingProgress {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const progress = (typeof value === 'object' && value !== null ? value : {}) as Partial<TrainingProgress>;
  const { step, stepInEpoch, position, averages, history, callbacks } = progress;
  const isWhole =
    [step, stepInEpoch, position?.epoch, position?.batch, averages?.weight].every(Number.isSafeInteger) &&
    Array.isArray(history) &&
    typeof averages?.sums === 'object' &&
    typeof callbacks === 'object';
  if (!isWhole) {
    fail(
      `${path}: its progress is damaged: ${text.slice(0, 80)}`,
      'Take an earlier checkpoint, or begin anew.',
      FormatError,
    );
  }
  return progress as TrainingProgress;
}
