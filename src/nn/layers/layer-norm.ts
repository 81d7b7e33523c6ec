import type { Parameter, Shape, Tensor } from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { Layer } from '../layer.js';
import type { Signature } from '../signature.js';

export interface LayerNormOptions {
  /** Added to the variance (1e-3). */
  readonly epsilon?: number;
  /** Whether the result is multiplied by a trained gamma (true). */
  readonly scale?: boolean;
  /** Whether a trained beta is added (true). */
  readonly center?: boolean;
  /** The [height, width, channels] that the inputs were flattened from; the builder finds it out. For other weight layouts. */
  readonly flattenedFrom?: Shape | undefined;
}

/**
 * y = (x − mean) / √(variance + ε) · gamma + beta, mean and (biased) variance those of each row. [..., features] -> the same shape.
 * A row is the last axis, or as many last axes as `features` has sizes.
 *
 * @see Ba, Kiros & Hinton 2016, arXiv:1607.06450, equation 4
 */
export class LayerNorm extends Layer {
  readonly gamma: Parameter | undefined;
  readonly beta: Parameter | undefined;
  readonly epsilon: number;
  readonly #axes: readonly number[];

  constructor(features: number | Shape, options: LayerNormOptions = {}) {
    super();
    const sizes = typeof features === 'number' ? [features] : features;
    this.#axes = sizes.map((_, axis) => axis - sizes.length);
    const { epsilon = 1e-3, scale = true, center = true, flattenedFrom } = options;
    const role = { is: 'vector', flattenedFrom } as const;
    this.gamma = scale ? this.parameter('gamma', sizes, 'ones', { role }) : undefined;
    this.beta = center ? this.parameter('beta', sizes, 'zeros', { role }) : undefined;
    this.epsilon = epsilon;
  }

  override get kind(): string {
    return 'layer_normalization';
  }

  override get passesMask(): boolean {
    return true;
  }

  forward(x: Tensor): Tensor {
    const row = { axis: this.#axes, keepDims: true };
    const distances = x.sub(x.mean(row));
    const variance = distances.square().mean(row);
    const normal = distances.mul(variance.add(this.epsilon).rsqrt());
    const scaled = this.gamma ? normal.mul(this.gamma) : normal;
    return this.beta ? scaled.add(this.beta) : scaled;
  }

  override flattenedFrom({ flattenedFrom }: Signature): Shape | undefined {
    return flattenedFrom;
  }
}

/**
 * A LayerNorm layer for the features that come in.
 *
 * @param options rank: how many last axes are one row (1)
 */
export const layerNorm = ({
  name,
  rank = 1,
  ...options
}: LayerNormOptions & { readonly rank?: number } & NameOption = {}): Blueprint =>
  blueprint(({ shape, flattenedFrom }) => new LayerNorm(shape.slice(-rank), { flattenedFrom, ...options }), { name });
