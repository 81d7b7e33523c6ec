/** All that a training is between two steps, as tensors and JSON: what a checkpoint holds. */
import { fail, formatShape, type HostArray, KilnError, type Parameter, sameShape } from '../core/index.js';
import type { AveragesState } from './averages.js';
import type { Position } from './batches.js';
import type { EpochRecord } from './callbacks/callback.js';

export interface TrainingState {
  /** `model/…` (random keys among them), `optimizer/…`, `callbacks/<name>/…` */
  readonly tensors: ReadonlyMap<string, HostArray>;
  readonly progress: TrainingProgress;
  /** The file it came from, for messages. */
  readonly source?: string;
}

/** Plain JSON. */
export interface TrainingProgress {
  /** Steps done since the run began. */
  readonly step: number;
  readonly stepInEpoch: number;
  readonly position: Position;
  /** Of the epoch under way. */
  readonly averages: AveragesState;
  /** Of the epochs that are over. */
  readonly history: readonly EpochRecord[];
  readonly callbacks: Readonly<Record<string, unknown>>;
  /** The target that computed it: another one's bits may differ from here on. */
  readonly target: string;
}

export type NamedParameters = Readonly<Record<string, Parameter>>;

/** The parameters under names of their own in a file. */
export const withPrefix = (prefix: string, parameters: NamedParameters): Record<string, Parameter> =>
  Object.fromEntries(Object.entries(parameters).map(([path, parameter]) => [`${prefix}${path}`, parameter]));

export const valuesOf = (parameters: NamedParameters): Map<string, HostArray> =>
  new Map(Object.entries(parameters).map(([path, parameter]) => [path, parameter.value.toHost()]));

/**
 * Gives each parameter the tensor of its name; checks them all before it changes one.
 *
 * @param source what the tensors come from, for the error
 * @throws KilnError that names the first difference
 */
export function assignValues(
  parameters: NamedParameters,
  tensors: ReadonlyMap<string, HostArray>,
  source: string,
): void {
  for (const [path, parameter] of Object.entries(parameters)) {
    const array = tensors.get(path);
    if (!array) failOnOther(source, `${path} ${formatShape(parameter.shape)} is not there`);
    if (sameShape(array.shape, parameter.shape) && array.dtype === parameter.dtype) continue;
    failOnOther(
      source,
      `${path} is ${array.dtype} ${formatShape(array.shape)}, the model's ${parameter.dtype} ${formatShape(parameter.shape)}`,
    );
  }
  for (const [path, { shape }] of tensors) {
    if (!(path in parameters)) failOnOther(source, `${path} ${formatShape(shape)} is not in the model`);
  }
  for (const [path, parameter] of Object.entries(parameters)) parameter.set(tensors.get(path)!);
}

function failOnOther(source: string, difference: string): never {
  fail(
    `${source}: is of another model: ${difference}`,
    'Build the model as it was when the file was written. `kiln summary FILE.safetensors` lists what the file holds.',
    KilnError,
  );
}
