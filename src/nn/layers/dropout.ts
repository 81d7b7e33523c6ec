import {
  arange,
  bernoulli,
  fail,
  KilnError,
  type Parameter,
  type Shape,
  streamOf,
  type Tensor,
} from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { type Context, inference } from '../context.js';
import { Layer } from '../layer.js';
import type { Signature } from '../signature.js';

/**
 * In training sets each element to 0 with probability `rate` and divides the others by 1 − rate, so that the mean stays
 * (inverted dropout); else gives x. [...] -> the same shape.
 *
 * What is dropped follows from seed, path and step alone: the step stands in the layer's `key` and grows by one each time.
 *
 * @see Srivastava et al. 2014, JMLR 15:1929; scaled at training instead of at test
 */
export class Dropout extends Layer {
  readonly rate: number;
  /** int32 [3]: seed, step, 0. */
  readonly key: Parameter;

  constructor(rate: number) {
    super();
    if (!(rate >= 0 && rate < 1))
      fail(`dropout: rate ${rate}`, 'The rate is the probability to drop an element: at least 0, below 1.', KilnError);
    this.rate = rate;
    this.key = this.parameter('key', [3], (_, { seed }) => [seed | 0, 0, 0], { dtype: 'int32', trainable: false });
  }

  override get kind(): string {
    return 'dropout';
  }

  override get passesMask(): boolean {
    return true;
  }

  forward(x: Tensor, { mode }: Context = inference): Tensor {
    if (mode === 'inference' || this.rate === 0) return x;
    const keep = bernoulli(this.key, x.shape, { probability: 1 - this.rate, stream: streamOf(this.key.name) });
    this.key.assign(this.key.value.add(arange(3).equal(1)));
    return keep.select(x.mul(1 / (1 - this.rate)), 0);
  }

  override flattenedFrom({ flattenedFrom }: Signature): Shape | undefined {
    return flattenedFrom;
  }
}

/** @example dropout(0.5) */
export const dropout = (rate: number, options: NameOption = {}): Blueprint =>
  blueprint(() => new Dropout(rate), options);
