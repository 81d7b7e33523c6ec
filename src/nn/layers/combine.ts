import { concat, fail, formatShape, KilnError, type Tensor } from '../../core/index.js';
import type { NameOption } from '../blueprint.js';
import { Layer } from '../layer.js';
import { Symbolic } from '../symbolic.js';

/** A function of several tensors as a layer without parameters: where branches of a functional graph meet. */
export class Combine extends Layer<readonly Tensor[]> {
  readonly #kind: string;
  readonly #combine: (...tensors: Tensor[]) => Tensor;

  constructor(kind: string, combine: (...tensors: Tensor[]) => Tensor) {
    super();
    this.#kind = kind;
    this.#combine = combine;
  }

  override get kind(): string {
    return this.#kind;
  }

  forward(tensors: readonly Tensor[]): Tensor {
    return this.#combine(...tensors);
  }
}

function combined(
  kind: string,
  places: readonly Symbolic[],
  f: (...tensors: Tensor[]) => Tensor,
  name?: string,
): Symbolic {
  if (places.length < 2)
    fail(
      `${kind}: got ${places.length} ${places.length === 1 ? 'branch' : 'branches'}`,
      'Give at least two.',
      KilnError,
    );
  return Symbolic.ofMany(new Combine(kind, f), [...places], name);
}

/**
 * Any function of several branches.
 *
 * @example const distance = combine([a, b], (a, b) => a.sub(b).abs());
 */
export const combine = (
  places: readonly Symbolic[],
  f: (...tensors: Tensor[]) => Tensor,
  { name }: NameOption = {},
): Symbolic => combined('combine', places, f, name);

const alike = (kind: string, places: readonly Symbolic[]): readonly Symbolic[] => {
  const other = places.find(({ shape }) => formatShape(shape) !== formatShape(places[0]!.shape));
  if (other)
    fail(
      `${kind}: branches differ: ${formatShape(places[0]!.shape)} and ${formatShape(other.shape)}`,
      'Bring them to one shape, for instance with a convolution of size 1.',
    );
  return places;
};

/** The sum of branches of one shape. */
export const add = (...places: readonly Symbolic[]): Symbolic =>
  combined('add', alike('add', places), (...tensors) => tensors.reduce((sum, each) => sum.add(each)));

/** The product of branches of one shape, element by element. */
export const multiply = (...places: readonly Symbolic[]): Symbolic =>
  combined('multiply', alike('multiply', places), (...tensors) => tensors.reduce((product, each) => product.mul(each)));

/** Branches one after another along an axis of the batch's tensors (−1, the channels). */
export const concatenate = (
  places: readonly Symbolic[],
  { axis = -1, name }: { readonly axis?: number } & NameOption = {},
): Symbolic => combined('concatenate', places, (...tensors) => concat(tensors, { axis }), name);
