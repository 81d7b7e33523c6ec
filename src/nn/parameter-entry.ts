import type { ComputeDType, Parameter, Shape } from '../core/index.js';
import type { Initializer } from './initializers.js';

/** Inputs and outputs of one unit: what initialisers scale by. */
export interface Fans {
  readonly in: number;
  readonly out: number;
}

/** What a parameter is, so that `getWeights` can give it as other packages lay it out. */
export type WeightRole =
  | { readonly is: 'dense kernel' | 'vector'; readonly flattenedFrom?: Shape | undefined }
  | { readonly is: 'conv kernel' | 'depthwise kernel' }
  /** Carried from batch to batch; no weight. */
  | { readonly is: 'state' };

export interface ParameterSettings {
  /** float32 unless told. */
  readonly dtype?: ComputeDType;
  /** Whether optimisers change it (true). */
  readonly trainable?: boolean;
  /** Inputs and outputs of one unit, where the shape does not say them as it does for dense and convolution kernels. */
  readonly fans?: Fans;
  readonly role?: WeightRole;
}

/** A registered parameter. */
export interface ParameterEntry extends Pick<ParameterSettings, 'fans' | 'role'> {
  readonly path: string;
  readonly parameter: Parameter;
  readonly initializer: Initializer;
}
