import type { ConvTransposeOptions, Parameter, PerAxis, Tensor } from '../../core/index.js';
import { type ActivationFunction, activationOf } from '../activations.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { Layer } from '../layer.js';
import { type ConvLayerOptions, pair } from './conv2d.js';
import { channelsOf } from './images.js';

export type Conv2DTransposeOptions = ConvLayerOptions & ConvTransposeOptions;

/**
 * Transposed convolution, which enlarges pictures: x: [batch, height, width, channels] -> [batch, …, filters].
 * Geometry as Tensor.conv2dTranspose.
 */
export class Conv2DTranspose extends Layer {
  /** [kernelHeight, kernelWidth, filters / groups, channels] */
  readonly kernel: Parameter;
  readonly bias: Parameter | undefined;
  readonly activation: ActivationFunction;
  readonly #geometry: ConvTransposeOptions;

  constructor(channels: number, filters: number, kernelSize: PerAxis, options: Conv2DTransposeOptions = {}) {
    super();
    const {
      activation = 'linear',
      useBias = true,
      kernelInitializer = 'glorotUniform',
      biasInitializer = 'zeros',
      ...geometry
    } = options;
    const shape = [...pair(kernelSize), filters / (geometry.groups ?? 1), channels];
    this.kernel = this.parameter('kernel', shape, kernelInitializer, { role: { is: 'conv kernel' } });
    this.bias = useBias ? this.parameter('bias', [filters], biasInitializer) : undefined;
    this.activation = activationOf(activation);
    this.#geometry = geometry;
  }

  override get kind(): string {
    return 'conv2d_transpose';
  }

  forward(x: Tensor): Tensor {
    const y = x.conv2dTranspose(this.kernel, this.#geometry);
    return this.activation(this.bias ? y.add(this.bias) : y);
  }
}

/** A Conv2DTranspose layer for the channels that come in. */
export const conv2dTranspose = (
  filters: number,
  kernelSize: PerAxis,
  { name, ...options }: Conv2DTransposeOptions & NameOption = {},
): Blueprint =>
  blueprint((incoming) => new Conv2DTranspose(channelsOf('conv2dTranspose', incoming), filters, kernelSize, options), {
    name,
  });
