/** A problem and a network so small that the reference device trains them in a second, with all that has state in them. */

import { reference } from '../../src/backends/reference/index.js';
import { device, registerDevice, useDevice } from '../../src/core/index.js';
import { Dataset } from '../../src/data/index.js';
import {
  adam,
  batchNorm,
  crossEntropy,
  dense,
  dropout,
  initialize,
  type Layer,
  sequential,
} from '../../src/nn/index.js';
import type { Callback, FitOptions } from '../../src/train/index.js';

registerDevice('reference', reference);
useDevice('reference');
device();

/** Bytes in three classes, told by which of the first three of six columns is greatest. Without a generator: `i` decides. */
export function clusters(examples: number, name = 'clusters'): Dataset {
  const width = 6;
  const pixels = Uint8Array.from({ length: examples * width }, (_, i) => (i * 7919 + ((i * i) % 251) * 31) % 140);
  const labels = Int32Array.from({ length: examples }, (_, i) => (i * 5 + (i >> 2)) % 3);
  labels.forEach((label, i) => {
    pixels[i * width + label]! = 200;
  });
  return new Dataset({
    name,
    fields: {
      images: { dtype: 'uint8', shape: [examples, width], data: pixels },
      labels: { dtype: 'int32', shape: [examples], data: labels },
    },
    classes: ['a', 'b', 'c'],
    scale: { images: 1 / 255 },
  });
}

export function smallNetwork(seed = 1): Layer {
  const model = sequential({ input: [6] }, [dense(8, { activation: 'relu' }), batchNorm(), dropout(0.25), dense(3)]);
  initialize(model, { seed });
  return model;
}

export const smallOptions = (callbacks: readonly Callback[] = []): FitOptions => ({
  loss: crossEntropy,
  optimizer: adam({ learningRate: 0.01 }),
  epochs: 3,
  batchSize: 8,
  seed: 5,
  callbacks,
});

/** All values of a model, in the order of its parameters. */
export const valuesIn = (model: Layer): number[] =>
  Object.values(model.parameters()).flatMap(({ value }) => [...value.dataSync()]);
