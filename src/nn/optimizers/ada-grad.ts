import type { Optimizer } from './optimizer.js';
import { type LearningRate, optimizerOf } from './rule.js';

export interface AdaGradOptions {
  /** A number or a schedule (1e-3). */
  readonly learningRate?: LearningRate;
  /** What the sum of squares begins with (0.1). */
  readonly initialAccumulator?: number;
  /** Added to the root (1e-7). */
  readonly epsilon?: number;
}

/**
 * AdaGrad: s = s + g²; p = p − rate · g / (√s + ε).
 *
 * @see Duchi, Hazan & Singer 2011, JMLR 12:2121, section 1.2 with a diagonal matrix
 */
export const adaGrad = ({
  learningRate = 1e-3,
  initialAccumulator = 0.1,
  epsilon = 1e-7,
}: AdaGradOptions = {}): Optimizer =>
  optimizerOf({
    name: 'adaGrad',
    learningRate,
    slots: { sum: initialAccumulator },
    scalars: (rate) => rate,
    change: (value, gradient, slots, rate) => {
      const sum = slots.sum.add(gradient.square());
      return { value: value.sub(gradient.mul(rate).div(sum.sqrt().add(epsilon))), sum };
    },
  });
