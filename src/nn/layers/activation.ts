import type { Shape, Tensor } from '../../core/index.js';
import { type ActivationFunction, type ActivationLike, activationOf } from '../activations.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { Layer } from '../layer.js';
import type { Signature } from '../signature.js';

/** y = activation(x), in the same shape. */
export class Activation extends Layer {
  readonly activation: ActivationFunction;

  constructor(activation: ActivationLike) {
    super();
    this.activation = activationOf(activation);
  }

  override get kind(): string {
    return 'activation';
  }

  override get passesMask(): boolean {
    return true;
  }

  forward(x: Tensor): Tensor {
    return this.activation(x);
  }

  override flattenedFrom({ flattenedFrom }: Signature): Shape | undefined {
    return flattenedFrom;
  }
}

/** @example activation('relu') */
export const activation = (name: ActivationLike, options: NameOption = {}): Blueprint =>
  blueprint(() => new Activation(name), options);
