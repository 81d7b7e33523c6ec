import type { ConvOptions, Parameter, PerAxis, Tensor } from '../../core/index.js';
import { type ActivationFunction, type ActivationLike, activationOf } from '../activations.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import type { InitializerLike } from '../initializers.js';
import { Layer } from '../layer.js';
import { channelsOf } from './images.js';

export interface ConvLayerOptions extends ConvOptions {
  /** A function, or its name ('linear'). */
  readonly activation?: ActivationLike;
  /** Whether a bias is added to each filter (true). */
  readonly useBias?: boolean;
  /** 'glorotUniform'. */
  readonly kernelInitializer?: InitializerLike;
  /** 'zeros'. */
  readonly biasInitializer?: InitializerLike;
}

/** One size for height and width. */
export const pair = (size: PerAxis): readonly number[] => (typeof size === 'number' ? [size, size] : size);

/**
 * Convolution over pictures: y = activation(x * kernel + bias). x: [batch, height, width, channels] -> [batch, …, filters].
 * Geometry as Tensor.conv2d.
 */
export class Conv2D extends Layer {
  /** [kernelHeight, kernelWidth, channels / groups, filters] */
  readonly kernel: Parameter;
  readonly bias: Parameter | undefined;
  readonly activation: ActivationFunction;
  readonly #geometry: ConvOptions;

  constructor(channels: number, filters: number, kernelSize: PerAxis, options: ConvLayerOptions = {}) {
    super();
    const {
      activation = 'linear',
      useBias = true,
      kernelInitializer = 'glorotUniform',
      biasInitializer = 'zeros',
      ...geometry
    } = options;
    const shape = [...pair(kernelSize), channels / (geometry.groups ?? 1), filters];
    this.kernel = this.parameter('kernel', shape, kernelInitializer, { role: { is: 'conv kernel' } });
    this.bias = useBias ? this.parameter('bias', [filters], biasInitializer) : undefined;
    this.activation = activationOf(activation);
    this.#geometry = geometry;
  }

  override get kind(): string {
    return 'conv2d';
  }

  forward(x: Tensor): Tensor {
    const y = x.conv2d(this.kernel, this.#geometry);
    return this.activation(this.bias ? y.add(this.bias) : y);
  }
}

/**
 * A Conv2D layer for the channels that come in.
 *
 * @example conv2d(32, 3, { activation: 'relu', padding: 'same' })
 */
export const conv2d = (
  filters: number,
  kernelSize: PerAxis,
  { name, ...options }: ConvLayerOptions & NameOption = {},
): Blueprint =>
  blueprint((incoming) => new Conv2D(channelsOf('conv2d', incoming), filters, kernelSize, options), { name });
