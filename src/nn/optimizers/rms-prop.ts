import type { Tensor } from '../../core/index.js';
import type { Optimizer } from './optimizer.js';
import { type LearningRate, optimizerOf } from './rule.js';

export interface RmsPropOptions {
  /** A number or a schedule (1e-3). */
  readonly learningRate?: LearningRate;
  /** How much of the mean squared gradient stays at each step (0.9). */
  readonly rho?: number;
  /** How much of the velocity stays at each step (0). */
  readonly momentum?: number;
  /** Added to the root (1e-7). */
  readonly epsilon?: number;
}

/**
 * RMSProp: v = rho · v + (1 − rho)g²; b = momentum · b + g / (√v + ε); p = p − rate · b.
 *
 * ε stands outside the root, as in Torch and PyTorch; Keras and TensorFlow put it inside.
 *
 * @see Tieleman & Hinton 2012, lecture 6.5 of "Neural networks for machine learning"
 */
export function rmsProp({
  learningRate = 1e-3,
  rho = 0.9,
  momentum = 0,
  epsilon = 1e-7,
}: RmsPropOptions = {}): Optimizer {
  const name = 'rmsProp';
  const scalars = (rate: Tensor): Tensor => rate;
  const mean = (square: Tensor, gradient: Tensor): Tensor =>
    square.add(
      gradient
        .square()
        .sub(square)
        .mul(1 - rho),
    );
  if (momentum === 0) {
    return optimizerOf({
      name,
      learningRate,
      slots: { square: 0 },
      scalars,
      change: (value, gradient, slots, rate) => {
        const square = mean(slots.square, gradient);
        return { value: value.sub(gradient.mul(rate).div(square.sqrt().add(epsilon))), square };
      },
    });
  }
  return optimizerOf({
    name,
    learningRate,
    slots: { square: 0, velocity: 0 },
    scalars,
    change: (value, gradient, slots, rate) => {
      const square = mean(slots.square, gradient);
      const velocity = slots.velocity.mul(momentum).add(gradient.div(square.sqrt().add(epsilon)));
      return { value: value.sub(velocity.mul(rate)), square, velocity };
    },
  });
}
