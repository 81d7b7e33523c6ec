import type { PerAxis, PoolOptions, Tensor } from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { Layer } from '../layer.js';
import { channelsOfVolume } from './volumes.js';

type PoolLayerOptions = Omit<PoolOptions, 'window'>;

/** The greatest of each window: [batch, depth, height, width, channels] -> [batch, …, channels]. Geometry as Tensor.maxPool3d. */
export class MaxPool3D extends Layer {
  readonly options: PoolOptions;

  constructor(window: PerAxis = 2, options: PoolLayerOptions = {}) {
    super();
    this.options = { window, ...options };
  }

  override get kind(): string {
    return 'max_pooling3d';
  }

  forward(x: Tensor): Tensor {
    return x.maxPool3d(this.options);
  }
}

/** The mean of each window: [batch, depth, height, width, channels] -> [batch, …, channels]. Geometry as Tensor.averagePool3d. */
export class AveragePool3D extends Layer {
  readonly options: PoolOptions;

  constructor(window: PerAxis = 2, options: PoolLayerOptions = {}) {
    super();
    this.options = { window, ...options };
  }

  override get kind(): string {
    return 'average_pooling3d';
  }

  forward(x: Tensor): Tensor {
    return x.averagePool3d(this.options);
  }
}

/** @example maxPool3d([1, 2, 2], { padding: 'same' }) */
export const maxPool3d = (window: PerAxis = 2, { name, ...options }: PoolLayerOptions & NameOption = {}): Blueprint =>
  blueprint(
    (incoming) => {
      channelsOfVolume('maxPool3d', incoming);
      return new MaxPool3D(window, options);
    },
    { name },
  );

export const averagePool3d = (
  window: PerAxis = 2,
  { name, ...options }: PoolLayerOptions & NameOption = {},
): Blueprint =>
  blueprint(
    (incoming) => {
      channelsOfVolume('averagePool3d', incoming);
      return new AveragePool3D(window, options);
    },
    { name },
  );
