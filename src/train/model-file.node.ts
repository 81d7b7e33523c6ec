/** Models as files: parameters by path, and what they belong to in the metadata. */
import type { HostArray } from '../core/index.js';
import { encodeSafetensors, readSafetensors, writeFileAtomic } from '../formats/index.js';
import type { Layer } from '../nn/index.js';
import { assignValues, valuesOf } from './training-state.js';

export interface SaveOptions {
  /** Strings to be found in the file's header, such as the name of the architecture. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes all parameters of a model as safetensors, trainable or not, under their paths (`conv2d_1/kernel`).
 *
 * @throws KilnError if it cannot be written; a file that was there is untouched then
 * @example await save(model, 'mnist.safetensors');
 */
export async function save(model: Layer, path: string, { metadata = {} }: SaveOptions = {}): Promise<void> {
  await writeFileAtomic(path, encodeSafetensors(valuesOf(model.parameters()), { format: 'kiln model 1', ...metadata }));
}

/**
 * Gives a model the parameters of a file that `save` wrote, or of a checkpoint. The model must be built as it was then.
 *
 * @throws KilnError that names the first difference if it is of another model; FormatError if it is no safetensors file
 */
export async function load(model: Layer, path: string): Promise<void> {
  const { tensors } = await readSafetensors(path);
  assignValues(model.parameters(), modelTensors(tensors), path);
}

/** Those of the model among the tensors of a checkpoint; all tensors of a file of weights. */
function modelTensors(tensors: ReadonlyMap<string, HostArray>): ReadonlyMap<string, HostArray> {
  const prefix = 'model/';
  const own = [...tensors].filter(([name]) => name.startsWith(prefix));
  const isCheckpoint = own.length > 0 && [...tensors].some(([name]) => name.startsWith('optimizer/'));
  return isCheckpoint ? new Map(own.map(([name, array]) => [name.slice(prefix.length), array])) : tensors;
}
