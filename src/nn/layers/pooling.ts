import type { PerAxis, PoolOptions, Tensor } from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { Layer } from '../layer.js';
import { channelsOf } from './images.js';

type PoolLayerOptions = Omit<PoolOptions, 'window'>;

/** The greatest of each window: [batch, height, width, channels] -> [batch, …, channels]. Geometry as Tensor.maxPool2d. */
export class MaxPool2D extends Layer {
  readonly options: PoolOptions;

  constructor(window: PerAxis = 2, options: PoolLayerOptions = {}) {
    super();
    this.options = { window, ...options };
  }

  override get kind(): string {
    return 'max_pooling2d';
  }

  forward(x: Tensor): Tensor {
    return x.maxPool2d(this.options);
  }
}

/** The mean of each window: [batch, height, width, channels] -> [batch, …, channels]. Geometry as Tensor.averagePool2d. */
export class AveragePool2D extends Layer {
  readonly options: PoolOptions;

  constructor(window: PerAxis = 2, options: PoolLayerOptions = {}) {
    super();
    this.options = { window, ...options };
  }

  override get kind(): string {
    return 'average_pooling2d';
  }

  forward(x: Tensor): Tensor {
    return x.averagePool2d(this.options);
  }
}

/** The mean over height and width: [batch, height, width, channels] -> [batch, channels]. */
export class GlobalAveragePool2D extends Layer {
  override get kind(): string {
    return 'global_average_pooling2d';
  }

  forward(x: Tensor): Tensor {
    return x.globalAveragePool2d();
  }
}

/** @example maxPool2d(3, { strides: 2 }) */
export const maxPool2d = (window: PerAxis = 2, { name, ...options }: PoolLayerOptions & NameOption = {}): Blueprint =>
  blueprint(
    (incoming) => {
      channelsOf('maxPool2d', incoming);
      return new MaxPool2D(window, options);
    },
    { name },
  );

export const averagePool2d = (
  window: PerAxis = 2,
  { name, ...options }: PoolLayerOptions & NameOption = {},
): Blueprint =>
  blueprint(
    (incoming) => {
      channelsOf('averagePool2d', incoming);
      return new AveragePool2D(window, options);
    },
    { name },
  );

export const globalAveragePool2d = (options: NameOption = {}): Blueprint =>
  blueprint((incoming) => {
    channelsOf('globalAveragePool2d', incoming);
    return new GlobalAveragePool2D();
  }, options);
