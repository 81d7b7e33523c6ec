import type { Tensor } from '../../core/index.js';
import { checkAlike } from './shapes.js';

/**
 * Mean cross-entropy of independent yes-or-no answers, from logits: max(x, 0) − x·y + log(1 + e^−|x|), which never overflows.
 *
 * @param logits  any shape: what the last layer gives, without a sigmoid
 * @param targets the same shape: 0, 1 or probabilities
 */
export function binaryCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  checkAlike('binaryCrossEntropy', logits, targets);
  return logits.softplus().sub(logits.mul(targets)).mean();
}
