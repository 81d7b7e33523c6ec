import { fail, formatShape, type Shape, sizeOf, type Tensor } from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { Layer } from '../layer.js';

/** Each sample under another shape, of which one size may be −1: [batch, …] -> [batch, ...target]. */
export class Reshape extends Layer {
  readonly target: Shape;

  constructor(target: Shape) {
    super();
    this.target = target;
  }

  override get kind(): string {
    return 'reshape';
  }

  forward(x: Tensor): Tensor {
    const sample = x.shape.slice(1);
    const known = sizeOf(this.target.filter((size) => size !== -1));
    const unknowns = this.target.filter((size) => size === -1).length;
    const fits =
      unknowns === 0 ? known === sizeOf(sample) : unknowns === 1 && known > 0 && sizeOf(sample) % known === 0;
    if (!fits)
      fail(
        `reshape: a sample of ${formatShape(sample)} as ${formatShape(this.target)} (${sizeOf(sample)} elements, ${known})`,
        'The number of elements stays; one size may be -1. The batch is not part of the target.',
      );
    return x.reshape([x.shape[0]!, ...this.target.map((size) => (size === -1 ? sizeOf(sample) / known : size))]);
  }
}

/** @example reshape([7, 7, 128]) */
export const reshape = (target: Shape, options: NameOption = {}): Blueprint =>
  blueprint(() => new Reshape(target), options);
