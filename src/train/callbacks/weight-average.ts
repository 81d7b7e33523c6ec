import { compile, Parameter, tensor } from '../../core/index.js';
import { type Layer, trainableParameters } from '../../nn/index.js';
import type { Callback } from './callback.js';

export interface WeightAverage extends Callback {
  /** Runs `f` while the model has the averaged weights, and puts its own back. */
  during<T>(f: () => T | Promise<T>): Promise<T>;
}

/**
 * An exponential moving average of the weights, which often tests better than the last ones.
 *
 * average ← d·average + (1 − d)·weight, with d = min(decay, (1 + step) / (10 + step)): the first steps are forgotten soon.
 *
 * @param options decay (0.999)
 * @example const average = weightAverage(); await fit(…, { callbacks: [average] }); await average.during(() => evaluate(…));
 * @see Polyak & Juditsky 1992; the ramp is TensorFlow's ExponentialMovingAverage with num_updates
 */
export function weightAverage({ decay = 0.999 }: { readonly decay?: number } = {}): WeightAverage {
  let weights: Readonly<Record<string, Parameter>> = {};
  let averages: Readonly<Record<string, Parameter>> = {};
  const update = compile(function averageWeights(rate: ReturnType<typeof tensor>): void {
    for (const [path, average] of Object.entries(averages)) {
      average.assign(average.value.add(weights[path]!.value.sub(average.value).mul(rate)));
    }
  });
  const begin = (model: Layer): void => {
    weights = trainableParameters(model);
    averages = Object.fromEntries(
      Object.entries(weights).map(([path, { shape, value }]) => {
        const average = new Parameter(path, shape, { trainable: false });
        average.assign(value);
        return [path, average];
      }),
    );
  };
  return {
    name: 'weightAverage',
    onBegin: ({ model }) => begin(model),
    onStep: ({ step }) => update(tensor(1 - Math.min(decay, (1 + step) / (10 + step)))),
    parameters: () => averages,
    during: async (f) => {
      const own = Object.entries(weights).map(([path, weight]) => [weight, weight.value, averages[path]!] as const);
      for (const [weight, , average] of own) weight.assign(average.value);
      try {
        return await f();
      } finally {
        for (const [weight, value] of own) weight.assign(value);
      }
    },
  };
}
