import { asTensor, fail, KilnError, type Tensor } from '../core/index.js';

/** One of three ways to keep gradients small. They differ, so exactly one is named. */
export type Clip =
  /** Each number into [−value, value]. */
  | { readonly value: number }
  /** Each gradient whose Euclidean norm is greater, scaled to this norm. */
  | { readonly norm: number }
  /** All gradients by one factor, where their common norm is greater. @see Pascanu et al. 2013, arXiv:1211.5063 */
  | { readonly globalNorm: number };

export type Gradients = Readonly<Record<string, Tensor>>;

export interface Clipped {
  readonly gradients: Gradients;
  /** The common norm before clipping, where it had to be computed. */
  readonly globalNorm?: Tensor;
}

/** For use inside a compiled step. */
export function clipGradients(gradients: Gradients, clip: Clip): Clipped {
  if ('value' in clip) {
    const limit = checkLimit('value', clip.value);
    return { gradients: change(gradients, (gradient) => gradient.maximum(-limit).minimum(limit)) };
  }
  if ('norm' in clip) {
    const limit = checkLimit('norm', clip.norm);
    return { gradients: change(gradients, (gradient) => gradient.mul(factor(squares(gradient).sqrt(), limit))) };
  }
  const limit = checkLimit('globalNorm', clip.globalNorm);
  const globalNorm = Object.values(gradients)
    .map(squares)
    .reduce((sum, each) => sum.add(each), asTensor(0))
    .sqrt();
  const scale = factor(globalNorm, limit);
  return { gradients: change(gradients, (gradient) => gradient.mul(scale)), globalNorm };
}

const change = (gradients: Gradients, f: (gradient: Tensor) => Tensor): Gradients =>
  Object.fromEntries(Object.entries(gradients).map(([path, gradient]) => [path, f(gradient)]));

const squares = (gradient: Tensor): Tensor => gradient.mul(gradient).sum();

/** limit / norm where the norm is greater, else exactly 1: gradients within the limit keep their bits. */
const factor = (norm: Tensor, limit: number): Tensor => norm.greater(limit).select(asTensor(limit).div(norm), 1);

function checkLimit(name: string, limit: number): number {
  if (!(limit > 0)) fail(`fit: clip: ${name} is ${limit}`, 'Give a number above 0.', KilnError);
  return limit;
}
