import type { Tensor } from '../../core/index.js';
import type { Optimizer } from './optimizer.js';
import { type LearningRate, optimizerOf } from './rule.js';

export interface AdamOptions {
  /** A number or a schedule (1e-3). */
  readonly learningRate?: LearningRate;
  /** How much of the mean gradient stays at each step (0.9). */
  readonly beta1?: number;
  /** How much of the mean squared gradient stays at each step (0.999). */
  readonly beta2?: number;
  /** Added to the root of the mean squared gradient (1e-7). */
  readonly epsilon?: number;
}

export interface AdamWOptions extends AdamOptions {
  /** Fraction of the rate by which parameters shrink at each step (0.004). */
  readonly weightDecay?: number;
}

/**
 * Adam: m = β₁m + (1 − β₁)g; v = β₂v + (1 − β₂)g²; p = p − rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε).
 *
 * @see Kingma & Ba 2015, arXiv:1412.6980, algorithm 1 in the order of section 2's last paragraph
 */
export const adam = (options: AdamOptions = {}): Optimizer => adamWith('adam', 0, options);

/**
 * Adam, before whose step each parameter shrinks by rate · weightDecay; the decay does not pass through the moments.
 *
 * @see Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2
 */
export const adamW = ({ weightDecay = 0.004, ...options }: AdamWOptions = {}): Optimizer =>
  adamWith('adamW', weightDecay, options);

function adamWith(
  name: string,
  weightDecay: number,
  { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }: AdamOptions,
): Optimizer {
  return optimizerOf({
    name,
    learningRate,
    slots: { moment1: 0, moment2: 0 },
    scalars: (rate, step) => ({
      rate: rate.mul(grown(beta2, step).sqrt()).div(grown(beta1, step)),
      decay: rate.mul(weightDecay),
    }),
    change: (value, gradient, slots, { rate, decay }) => {
      const moment1 = slots.moment1.add(gradient.sub(slots.moment1).mul(1 - beta1));
      const moment2 = slots.moment2.add(
        gradient
          .square()
          .sub(slots.moment2)
          .mul(1 - beta2),
      );
      // ε sits outside the root and is not bias-corrected: the paper's ε̂ (section 2), as Keras has it; algorithm 1's ε
      // gives other first steps
      const step = moment1.mul(rate).div(moment2.sqrt().add(epsilon));
      const shrunk = weightDecay === 0 ? value : value.sub(value.mul(decay));
      return { value: shrunk.sub(step), moment1, moment2 };
    },
  });
}

/** 1 − βᵗ. Not through a power: 0.999 in float32 is off by 1.3e-8, and 1 − 0.999 would keep four digits. */
const grown = (beta: number, step: Tensor): Tensor => step.mul(Math.log(beta)).expm1().neg();
