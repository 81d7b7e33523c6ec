import type { ConvOptions, Parameter, PerAxis, Tensor } from '../../core/index.js';
import { type ActivationFunction, activationOf } from '../activations.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { Layer } from '../layer.js';
import { type ConvLayerOptions, pair } from './conv2d.js';
import { channelsOf } from './images.js';

export interface DepthwiseConv2DOptions extends Omit<ConvLayerOptions, 'groups'> {
  /** Kernels for each channel (1). */
  readonly depthMultiplier?: number;
}

/**
 * Each channel with kernels of its own: x: [batch, height, width, channels] -> [batch, …, channels · depthMultiplier].
 * Geometry as Tensor.depthwiseConv2d.
 */
export class DepthwiseConv2D extends Layer {
  /** [kernelHeight, kernelWidth, channels, depthMultiplier] */
  readonly kernel: Parameter;
  readonly bias: Parameter | undefined;
  readonly activation: ActivationFunction;
  readonly #geometry: Omit<ConvOptions, 'groups'>;

  constructor(channels: number, kernelSize: PerAxis, options: DepthwiseConv2DOptions = {}) {
    super();
    const {
      depthMultiplier = 1,
      activation = 'linear',
      useBias = true,
      kernelInitializer = 'glorotUniform',
      biasInitializer = 'zeros',
      ...geometry
    } = options;
    const shape = [...pair(kernelSize), channels, depthMultiplier];
    this.kernel = this.parameter('kernel', shape, kernelInitializer, { role: { is: 'depthwise kernel' } });
    this.bias = useBias ? this.parameter('bias', [channels * depthMultiplier], biasInitializer) : undefined;
    this.activation = activationOf(activation);
    this.#geometry = geometry;
  }

  override get kind(): string {
    return 'depthwise_conv2d';
  }

  forward(x: Tensor): Tensor {
    const y = x.depthwiseConv2d(this.kernel, this.#geometry);
    return this.activation(this.bias ? y.add(this.bias) : y);
  }
}

/** A DepthwiseConv2D layer for the channels that come in. */
export const depthwiseConv2d = (
  kernelSize: PerAxis,
  { name, ...options }: DepthwiseConv2DOptions & NameOption = {},
): Blueprint =>
  blueprint((incoming) => new DepthwiseConv2D(channelsOf('depthwiseConv2d', incoming), kernelSize, options), { name });
