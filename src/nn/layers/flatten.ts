import { type Shape, sizeOf, type Tensor } from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { Layer } from '../layer.js';
import type { Signature } from '../signature.js';

/** All axes but the batch as one: [batch, …] -> [batch, product]. */
export class Flatten extends Layer {
  override get kind(): string {
    return 'flatten';
  }

  forward(x: Tensor): Tensor {
    return x.reshape([x.shape[0]!, sizeOf(x.shape.slice(1))]);
  }

  override flattenedFrom({ shape, flattenedFrom }: Signature): Shape | undefined {
    return shape.length > 1 ? shape : flattenedFrom;
  }
}

export const flatten = (options: NameOption = {}): Blueprint => blueprint(() => new Flatten(), options);
