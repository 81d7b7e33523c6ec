import { concat, fail, KilnError, type Tensor } from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { type Context, inference } from '../context.js';
import { Layer } from '../layer.js';
import { maskOf, withMask } from '../mask.js';
import type { Recurrent, RecurrentBlueprint, Sequence } from './recurrent.js';

/** How the two directions become one. */
export type MergeMode = 'concat' | 'sum' | 'mul' | 'ave';

export interface BidirectionalOptions {
  /** Side by side along the last axis, or their sum, product or mean ('concat'). */
  readonly mergeMode?: MergeMode;
}

const merges: Readonly<Record<MergeMode, (a: Tensor, b: Tensor) => Tensor>> = {
  concat: (a, b) => concat([a, b], { axis: -1 }),
  sum: (a, b) => a.add(b),
  mul: (a, b) => a.mul(b),
  ave: (a, b) => a.add(b).mul(0.5),
};

/**
 * Two recurrent layers, one from each end: [batch, steps, inputs] -> [batch, 2 · units], or [batch, steps, 2 · units] when both
 * return sequences; each step then has what both know of it.
 *
 * @see Schuster & Paliwal 1997, "Bidirectional recurrent neural networks"
 */
export class Bidirectional extends Layer<Sequence> {
  readonly forwardLayer: Recurrent;
  readonly backwardLayer: Recurrent;
  readonly mergeMode: MergeMode;

  constructor(forward: Recurrent, backward: Recurrent, { mergeMode = 'concat' }: BidirectionalOptions = {}) {
    super();
    if (forward.goBackwards || !backward.goBackwards || forward.returnSequences !== backward.returnSequences)
      fail(
        'bidirectional: the layers do not go together',
        'The second one goes backwards, the first does not, and both or none return sequences.',
        KilnError,
      );
    this.forwardLayer = this.layer('forward', forward);
    this.backwardLayer = this.layer('backward', backward);
    this.mergeMode = mergeMode;
  }

  override get kind(): string {
    return 'bidirectional';
  }

  forward(input: Sequence, context: Context = inference): Tensor {
    const [x, given] = Array.isArray(input) ? (input as [Tensor, Tensor]) : [input as Tensor, undefined];
    const mask = given ?? maskOf(x);
    const merge = merges[this.mergeMode];
    const [a, b] = [this.forwardLayer, this.backwardLayer].map((layer) => layer.run(x, { mask, context }));
    if (!this.forwardLayer.returnSequences) return merge(a!.last, b!.last);
    return withMask(merge(a!.outputs, b!.outputs), mask);
  }
}

/**
 * A recurrent layer in both directions.
 *
 * @example bidirectional(lstm(64, { returnSequences: true }))
 */
export const bidirectional = (layer: RecurrentBlueprint, options: BidirectionalOptions & NameOption = {}): Blueprint =>
  blueprint((incoming) => new Bidirectional(layer.build(incoming), layer.buildBackwards(incoming), options), options);
