import { fail, formatShape, sameShape, type Tensor } from '../../core/index.js';

/** Predictions and targets must agree: broadcasting [batch, 1] with [batch] would compare each with every other. */
export function checkAlike(where: string, predictions: Tensor, targets: Tensor): void {
  if (!sameShape(predictions.shape, targets.shape))
    fail(
      `${where}: predictions are ${formatShape(predictions.shape)}, targets ${formatShape(targets.shape)}`,
      predictions.size === targets.size
        ? `Reshape the targets: targets.reshape([${predictions.shape.join(', ')}]).`
        : 'They must have the same shape.',
    );
}
