import { fail, KilnError, nearest, type Tensor } from '../core/index.js';

export type ActivationFunction = (x: Tensor) => Tensor;

/** An activation, or the name of one. */
export type ActivationLike = ActivationFunction | ActivationName;

/** Activations by the names that layers take; softmax and logSoftmax go over the last axis. */
export const activations = {
  linear: (x) => x,
  relu: (x) => x.relu(),
  relu6: (x) => x.relu().minimum(6),
  leakyRelu: (x) => x.leakyRelu(),
  elu: (x) => x.elu(),
  selu: (x) => x.selu(),
  gelu: (x) => x.gelu(),
  silu: (x) => x.silu(),
  sigmoid: (x) => x.sigmoid(),
  hardSigmoid: (x) => x.hardSigmoid(),
  tanh: (x) => x.tanh(),
  softplus: (x) => x.softplus(),
  softsign: (x) => x.softsign(),
  exponential: (x) => x.exp(),
  softmax: (x) => x.softmax(),
  logSoftmax: (x) => x.logSoftmax(),
} as const satisfies Record<string, ActivationFunction>;

export type ActivationName = keyof typeof activations;

export function activationOf(activation: ActivationLike): ActivationFunction {
  if (typeof activation === 'function') return activation;
  const found: ActivationFunction | undefined = Object.hasOwn(activations, activation)
    ? activations[activation]
    : undefined;
  if (!found) {
    const near = nearest(activation, Object.keys(activations));
    fail(
      `activation: there is no ${JSON.stringify(activation)}`,
      near ? `Did you mean '${near}'?` : `There are ${Object.keys(activations).join(', ')}.`,
      KilnError,
    );
  }
  return found;
}
