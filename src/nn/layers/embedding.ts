import type { Parameter, Tensor } from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { type InitializerLike, initializers } from '../initializers.js';
import { Layer } from '../layer.js';

export interface EmbeddingOptions {
  /** Uniform between −0.05 and 0.05. */
  readonly embeddingsInitializer?: InitializerLike;
}

/** A vector for each of `inputs` words or classes: integers [...] -> [..., units]. */
export class Embedding extends Layer {
  /** [inputs, units] */
  readonly embeddings: Parameter;

  constructor(inputs: number, units: number, options: EmbeddingOptions = {}) {
    super();
    const { embeddingsInitializer = initializers.uniform() } = options;
    this.embeddings = this.parameter('embeddings', [inputs, units], embeddingsInitializer);
  }

  override get kind(): string {
    return 'embedding';
  }

  forward(x: Tensor): Tensor {
    return this.embeddings.value.take(x);
  }
}

/** @example sequential({ input: [20], dtype: 'int32' }, [embedding(10_000, 64), …]) */
export const embedding = (inputs: number, units: number, options: EmbeddingOptions & NameOption = {}): Blueprint =>
  blueprint(() => new Embedding(inputs, units, options), options);
