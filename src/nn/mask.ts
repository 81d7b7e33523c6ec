/** Which steps of a sequence count: travels beside a tensor from the layer that knows it to those that ask. */
import { Tensor } from '../core/index.js';

const masks = new WeakMap<Tensor, Tensor>();

/** The mask of a sequence, bool [batch, steps], true where a step counts; `undefined` where all do. */
export const maskOf = (sequence: Tensor): Tensor | undefined => masks.get(sequence);

/** The sequence, of which only the steps count where `mask` is true. */
export function withMask(sequence: Tensor, mask: Tensor | undefined): Tensor {
  if (mask) masks.set(sequence, mask);
  return sequence;
}

/** Gives what a layer made of a sequence the mask of that sequence, where it has none of its own. */
export function passMask(from: unknown, to: unknown): void {
  if (!(from instanceof Tensor) || !(to instanceof Tensor) || masks.has(to)) return;
  withMask(to, masks.get(from));
}
