import type { Parameter, Tensor } from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { type InitializerLike, initializers } from '../initializers.js';
import { Layer } from '../layer.js';
import { withMask } from '../mask.js';

export interface EmbeddingOptions {
  /** Uniform between −0.05 and 0.05. */
  readonly embeddingsInitializer?: InitializerLike;
  /** Whether 0 stands for no word, so that recurrent layers that follow skip it (false). */
  readonly maskZero?: boolean;
}

/** A vector for each of `inputs` words or classes: integers [...] -> [..., units]. */
export class Embedding extends Layer {
  /** [inputs, units] */
  readonly embeddings: Parameter;
  readonly maskZero: boolean;

  constructor(inputs: number, units: number, options: EmbeddingOptions = {}) {
    super();
    const { embeddingsInitializer = initializers.uniform(), maskZero = false } = options;
    this.embeddings = this.parameter('embeddings', [inputs, units], embeddingsInitializer);
    this.maskZero = maskZero;
  }

  override get kind(): string {
    return 'embedding';
  }

  forward(x: Tensor): Tensor {
    return withMask(this.embeddings.value.take(x), this.maskZero ? x.notEqual(0) : undefined);
  }
}

/** @example sequential({ input: [20], dtype: 'int32' }, [embedding(10_000, 64), …]) */
export const embedding = (inputs: number, units: number, options: EmbeddingOptions & NameOption = {}): Blueprint =>
  blueprint(() => new Embedding(inputs, units, options), options);
