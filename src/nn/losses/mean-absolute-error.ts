import type { Tensor } from '../../core/index.js';
import { checkAlike } from './shapes.js';

/** Mean of |prediction − target| over all elements; both of one shape. */
export function meanAbsoluteError(predictions: Tensor, targets: Tensor): Tensor {
  checkAlike('meanAbsoluteError', predictions, targets);
  return predictions.sub(targets).abs().mean();
}
