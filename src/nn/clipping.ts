import { asTensor, type Tensor } from '../core/index.js';

/** Gradients by path, as `valueAndGrad` gives them. */
export type Gradients = Readonly<Record<string, Tensor>>;

const each = (gradients: Gradients, change: (gradient: Tensor) => Tensor): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(gradients).map(([path, gradient]) => [path, change(gradient)]));

const sumOfSquares = (gradient: Tensor): Tensor => gradient.square().sum();

/** What a gradient of that norm is multiplied by so that its norm is at most `limit`: 1 for smaller ones, also for 0. */
const factor = (norm: Tensor, limit: number): Tensor => asTensor(limit).div(norm.maximum(limit));

/** Each number between −limit and limit. */
export const clipByValue = (gradients: Gradients, limit: number): Record<string, Tensor> =>
  each(gradients, (gradient) => gradient.maximum(-limit).minimum(limit));

/** Each gradient shortened to the norm `limit` where it is longer. */
export const clipByNorm = (gradients: Gradients, limit: number): Record<string, Tensor> =>
  each(gradients, (gradient) => gradient.mul(factor(sumOfSquares(gradient).sqrt(), limit)));

/** The norm of all gradients together: √ Σ g². */
export const globalNorm = (gradients: Gradients): Tensor =>
  Object.values(gradients)
    .map(sumOfSquares)
    .reduce((sum, square) => sum.add(square), asTensor(0))
    .sqrt();

/**
 * All gradients shortened alike, so that their common norm is at most `limit` and their direction stays.
 *
 * @see Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063, algorithm 1
 */
export function clipByGlobalNorm(gradients: Gradients, limit: number): Record<string, Tensor> {
  const shrink = factor(globalNorm(gradients), limit);
  return each(gradients, (gradient) => gradient.mul(shrink));
}
