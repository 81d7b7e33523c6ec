import type { Optimizer } from './optimizer.js';
import { type LearningRate, optimizerOf } from './rule.js';

export interface SgdOptions {
  /** A number or a schedule (0.01). */
  readonly learningRate?: LearningRate;
  /** How much of the velocity stays at each step (0). */
  readonly momentum?: number;
  /** Looks one step of the velocity ahead (false). */
  readonly nesterov?: boolean;
  /** Times the parameter, is added to its gradient: L2 (0). */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent: v = momentum · v + g; p = p − rate · v, with Nesterov p − rate · (g + momentum · v).
 *
 * The rate stands outside the velocity, as in PyTorch; Keras and Caffe put it inside, which differs when the rate changes.
 *
 * @see Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning"
 */
export function sgd({
  learningRate = 0.01,
  momentum = 0,
  nesterov = false,
  weightDecay = 0,
}: SgdOptions = {}): Optimizer {
  if (momentum === 0) {
    return optimizerOf({
      name: 'sgd',
      learningRate,
      slots: {},
      scalars: (rate) => rate,
      change: (value, gradient, _, rate) => ({
        value: value.sub((weightDecay === 0 ? gradient : gradient.add(value.mul(weightDecay))).mul(rate)),
      }),
    });
  }
  return optimizerOf({
    name: 'sgd',
    learningRate,
    slots: { velocity: 0 },
    scalars: (rate) => rate,
    change: (value, gradient, slots, rate) => {
      const slope = weightDecay === 0 ? gradient : gradient.add(value.mul(weightDecay));
      const velocity = slots.velocity.mul(momentum).add(slope);
      const step = nesterov ? velocity.mul(momentum).add(slope) : velocity;
      return { value: value.sub(step.mul(rate)), velocity };
    },
  });
}
