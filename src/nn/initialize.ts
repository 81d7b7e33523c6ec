import {
  bytesPerElement,
  fail,
  formatShape,
  type HostArray,
  HostRandom,
  sizeOf,
  streamOf,
  viewAs,
} from '../core/index.js';
import { fansOf } from './initializers.js';
import type { AnyLayer } from './layer.js';
import type { ParameterEntry } from './parameter-entry.js';

export interface InitializeOptions {
  /** Two models of one structure with the same seed begin alike (0). */
  readonly seed?: number;
  /** Leaves parameters that have a value already (false). */
  readonly keepExisting?: boolean;
}

/**
 * Gives each parameter its first value: drawn on the host in float64 from the seed and the parameter's path, so the same on
 * every device and whatever else is drawn. Values are drawn when they are first needed; what a file replaces never is.
 */
export function initialize(model: AnyLayer, { seed = 0, keepExisting = false }: InitializeOptions = {}): void {
  for (const entry of model.entries()) if (!keepExisting || !entry.parameter.hasValue) begin(entry, seed);
}

/**
 * The same for a model that was just put together of parts that may be models themselves: what was set or trained stays, what is
 * still as it began begins anew under its new path, or two parts of one structure would begin alike.
 */
export function initializeParts(model: AnyLayer, seed: number): void {
  for (const entry of model.entries()) if (!entry.parameter.hasValue || entry.parameter.isInitial) begin(entry, seed);
}

function begin(entry: ParameterEntry, seed: number): void {
  entry.parameter.initialize(() => firstValue(entry, seed));
}

function firstValue({ path, parameter, initializer, fans }: ParameterEntry, seed: number): HostArray {
  const { shape, dtype } = parameter;
  const random = new HostRandom(seed, streamOf(path));
  const values = initializer(shape, { random, seed, fans: fans ?? fansOf(shape) });
  if (values.length !== sizeOf(shape))
    fail(
      `${path}: the initializer gave ${values.length} values for ${formatShape(shape)} (${values.length} ≠ ${sizeOf(shape)})`,
      'An initializer returns a value for each element, row-major.',
    );
  const data = viewAs(dtype, new ArrayBuffer(values.length * bytesPerElement[dtype]));
  data.set(values);
  return { shape, dtype, data };
}
