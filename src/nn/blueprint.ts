import type { Layer } from './layer.js';
import type { Signature } from './signature.js';
import { Symbolic } from './symbolic.js';

/**
 * A layer whose input sizes are not known yet. `sequential` takes a list of them; applied to a place in a functional graph,
 * it gives the next place.
 */
export interface Blueprint {
  (x: Symbolic): Symbolic;
  /** The layer for such an input. */
  readonly build: (incoming: Signature) => Layer;
  /** The name it was given, instead of a counted one. */
  readonly layerName: string | undefined;
}

export interface NameOption {
  /** Name in the model (`conv2d_1`, counted for each kind of layer). */
  readonly name?: string | undefined;
}

/** The builder functions are made of this. */
export function blueprint(build: (incoming: Signature) => Layer, { name }: NameOption = {}): Blueprint {
  const applied = (x: Symbolic): Symbolic => Symbolic.of(build(x.signature), x, name);
  return Object.assign(applied, { build, layerName: name });
}
