import type { Tensor } from '../../core/index.js';
import { checkAlike } from './shapes.js';

/** Mean of (prediction − target)² over all elements; both of one shape. */
export function meanSquaredError(predictions: Tensor, targets: Tensor): Tensor {
  checkAlike('meanSquaredError', predictions, targets);
  return predictions.sub(targets).square().mean();
}
