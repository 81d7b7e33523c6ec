import type { ConvOptions, Parameter, PerAxis, Tensor } from '../../core/index.js';
import { type ActivationFunction, activationOf } from '../activations.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { Layer } from '../layer.js';
import type { ConvLayerOptions } from './conv2d.js';
import { channelsOfVolume } from './volumes.js';

/**
 * Convolution over volumes or clips: y = activation(x * kernel + bias).
 * x: [batch, depth, height, width, channels] -> [batch, …, filters]. Geometry as Tensor.conv3d.
 */
export class Conv3D extends Layer {
  /** [kernelDepth, kernelHeight, kernelWidth, channels / groups, filters] */
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
    const sizes = typeof kernelSize === 'number' ? [kernelSize, kernelSize, kernelSize] : kernelSize;
    const shape = [...sizes, channels / (geometry.groups ?? 1), filters];
    this.kernel = this.parameter('kernel', shape, kernelInitializer, { role: { is: 'conv kernel' } });
    this.bias = useBias ? this.parameter('bias', [filters], biasInitializer) : undefined;
    this.activation = activationOf(activation);
    this.#geometry = geometry;
  }

  override get kind(): string {
    return 'conv3d';
  }

  forward(x: Tensor): Tensor {
    const y = x.conv3d(this.kernel, this.#geometry);
    return this.activation(this.bias ? y.add(this.bias) : y);
  }
}

/**
 * A Conv3D layer for the channels that come in.
 *
 * @example conv3d(16, [3, 5, 5], { activation: 'relu', padding: 'same' })
 */
export const conv3d = (
  filters: number,
  kernelSize: PerAxis,
  { name, ...options }: ConvLayerOptions & NameOption = {},
): Blueprint =>
  blueprint((incoming) => new Conv3D(channelsOfVolume('conv3d', incoming), filters, kernelSize, options), { name });
