import { fail, formatShape, type Parameter, type Shape, type Tensor } from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { type Context, inference } from '../context.js';
import { Layer } from '../layer.js';
import type { Signature } from '../signature.js';

export interface BatchNormOptions {
  /** Added to the variance (1e-3). */
  readonly epsilon?: number;
  /** How much of the moving statistics stays at each training step (0.99); PyTorch's momentum is 1 minus this. */
  readonly momentum?: number;
  /** Whether the result is multiplied by a trained gamma (true). */
  readonly scale?: boolean;
  /** Whether a trained beta is added (true). */
  readonly center?: boolean;
  /** The [height, width, channels] that the inputs were flattened from; the builder finds it out. For other weight layouts. */
  readonly flattenedFrom?: Shape | undefined;
}

/**
 * y = (x − mean) / √(variance + ε) · gamma + beta for each channel. [batch, …, channels] -> the same shape.
 *
 * In training mean and (biased) variance are those of the batch over all axes but the last, and move the moving statistics;
 * else they are the moving statistics.
 *
 * @see Ioffe & Szegedy 2015, arXiv:1502.03167, algorithms 1 and 2; the moving variance is the biased one, as in Keras
 */
export class BatchNorm extends Layer {
  readonly gamma: Parameter | undefined;
  readonly beta: Parameter | undefined;
  readonly movingMean: Parameter;
  readonly movingVariance: Parameter;
  readonly epsilon: number;
  readonly momentum: number;

  constructor(channels: number, options: BatchNormOptions = {}) {
    super();
    const { epsilon = 1e-3, momentum = 0.99, scale = true, center = true, flattenedFrom } = options;
    const role = { is: 'vector', flattenedFrom } as const;
    this.gamma = scale ? this.parameter('gamma', [channels], 'ones', { role }) : undefined;
    this.beta = center ? this.parameter('beta', [channels], 'zeros', { role }) : undefined;
    this.movingMean = this.parameter('moving_mean', [channels], 'zeros', { trainable: false, role });
    this.movingVariance = this.parameter('moving_variance', [channels], 'ones', { trainable: false, role });
    this.epsilon = epsilon;
    this.momentum = momentum;
  }

  override get kind(): string {
    return 'batch_normalization';
  }

  override get passesMask(): boolean {
    return true;
  }

  forward(x: Tensor, { mode }: Context = inference): Tensor {
    const [mean, variance] =
      mode === 'training' ? this.#batchStatistics(x) : [this.movingMean.value, this.movingVariance.value];
    const factor = variance.add(this.epsilon).rsqrt();
    const y = x.sub(mean).mul(this.gamma ? factor.mul(this.gamma) : factor);
    return this.beta ? y.add(this.beta) : y;
  }

  #batchStatistics(x: Tensor): [mean: Tensor, variance: Tensor] {
    const channels = this.movingMean.shape[0]!;
    if (x.shape.at(-1) !== channels)
      fail(
        `batchNorm: input ${formatShape(x.shape)} has ${x.shape.at(-1)} channels, the layer ${channels}`,
        `Build the layer for ${x.shape.at(-1)} channels.`,
      );
    const axis = x.shape.slice(0, -1).map((_, i) => i);
    const mean = x.mean({ axis });
    const variance = x.variance({ axis });
    this.#move(this.movingMean, mean);
    this.#move(this.movingVariance, variance);
    return [mean, variance];
  }

  #move(moving: Parameter, current: Tensor): void {
    moving.assign(moving.value.add(current.sub(moving).mul(1 - this.momentum)));
  }

  override flattenedFrom({ flattenedFrom }: Signature): Shape | undefined {
    return flattenedFrom;
  }
}

/** A BatchNorm layer for the channels that come in. */
export const batchNorm = ({ name, ...options }: BatchNormOptions & NameOption = {}): Blueprint =>
  blueprint(({ shape, flattenedFrom }) => new BatchNorm(shape.at(-1) ?? 1, { flattenedFrom, ...options }), { name });
