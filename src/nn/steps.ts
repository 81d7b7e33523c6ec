import type { AnyLayer } from './layer.js';
import type { ParameterEntry } from './parameter-entry.js';
import type { Signature } from './signature.js';

/** One layer of a model as it was put together: what `summary` shows. */
export interface Step {
  readonly name: string;
  readonly layer: AnyLayer;
  /** Of one sample, without the batch. */
  readonly output: Signature;
  /** Names of the steps and inputs that it takes. */
  readonly incoming: readonly string[];
}

/** A model that knows how it was put together. */
export interface Stepwise {
  /** Inputs by name. */
  readonly inputs: Readonly<Record<string, Signature>>;
  readonly steps: readonly Step[];
}

export const isStepwise = (model: object): model is Stepwise => 'steps' in model && 'inputs' in model;

/** Counts default names: `dense_1`, `dense_2`, `flatten_1`; those that were given are left out. */
export class Names {
  readonly #taken: Set<string>;
  readonly #counts = new Map<string, number>();

  constructor(given: readonly (string | undefined)[]) {
    this.#taken = new Set(given.filter((name) => name !== undefined));
  }

  next(kind: string): string {
    let index = this.#counts.get(kind) ?? 0;
    let name: string;
    do name = `${kind}_${++index}`;
    while (this.#taken.has(name));
    this.#counts.set(kind, index);
    return name;
  }
}

/** Numbers that a layer holds as weights; random keys and carried states are none. */
export const isWeight = ({ parameter, role }: ParameterEntry): boolean =>
  parameter.dtype === 'float32' && role?.is !== 'state';
