import {
  type ComputeDType,
  checkShape,
  fail,
  formatShape,
  KilnError,
  leavesOf,
  mapTree,
  type Shape,
  Tensor,
} from '../core/index.js';
import type { NameOption } from './blueprint.js';
import type { Context } from './context.js';
import { initializeParts } from './initialize.js';
import { type AnyLayer, Layer } from './layer.js';
import type { Signature } from './signature.js';
import { Names, type Step, type Stepwise } from './steps.js';
import { Symbolic, type TensorsOf } from './symbolic.js';

/**
 * Where a functional graph begins: one sample of `shape`.
 *
 * @example
 * const x = input([32, 32, 3]);
 * const a = conv2d(16, 3, { padding: 'same', activation: 'relu' })(x);
 * const y = add(a, conv2d(16, 3, { padding: 'same' })(a));
 * const model = graph(x, dense(10)(flatten()(y)));
 */
export function input(
  shape: Shape,
  { dtype = 'float32', name }: { readonly dtype?: ComputeDType } & NameOption = {},
): Symbolic {
  checkShape('input', shape);
  return Symbolic.input({ shape, dtype }, name);
}

/** Applies a layer that knows its sizes; applied twice, it shares its parameters. Layers of several inputs take a tree of places. */
export function connect<const I>(layer: Layer<TensorsOf<I>, Tensor>, incoming: I): Symbolic {
  return incoming instanceof Symbolic
    ? Symbolic.of(layer as unknown as Layer, incoming)
    : Symbolic.ofMany(layer as unknown as Layer<never>, incoming);
}

/** A network with branches, skips, several inputs or outputs. */
export class Model<I = Symbolic, O = Symbolic> extends Layer<TensorsOf<I>, TensorsOf<O>> implements Stepwise {
  readonly inputs: Readonly<Record<string, Signature>>;
  readonly steps: readonly Step[];
  readonly #places: readonly Symbolic[];
  readonly #from: I;
  readonly #to: O;

  constructor(from: I, to: O) {
    super();
    this.#from = from;
    this.#to = to;
    const given = leavesOf(from) as Symbolic[];
    this.#places = placesBetween(given, leavesOf(to) as Symbolic[]);
    const all = [...given, ...this.#places];
    const names = new Names(all.map(({ layerName }) => layerName));
    const nameOf = new Map<Symbolic, string>();
    const layerNames = new Map<AnyLayer, string>();
    for (const place of all) {
      const { layer, layerName } = place;
      const name =
        (layer && layerNames.get(layer)) ??
        layerName ??
        (!layer && given.length === 1 ? 'input' : names.next(layer?.kind ?? 'input'));
      if (layer && !layerNames.has(layer)) this.layer(name, layer);
      if (layer) layerNames.set(layer, name);
      nameOf.set(place, name);
    }
    this.inputs = Object.fromEntries(given.map((place) => [nameOf.get(place)!, place.signature]));
    this.steps = this.#places.map((place) => ({
      name: nameOf.get(place)!,
      layer: place.layer!,
      output: place.signature,
      incoming: (leavesOf(place.incoming) as Symbolic[]).map((each) => nameOf.get(each)!),
    }));
  }

  override get kind(): string {
    return 'model';
  }

  forward(x: TensorsOf<I>, context?: Context): TensorsOf<O> {
    const values = new Map<Symbolic, Tensor>();
    const given = leavesOf(x);
    const places = leavesOf(this.#from) as Symbolic[];
    places.forEach((place, i) => {
      const tensor = given[i];
      if (!(tensor instanceof Tensor) || given.length !== places.length)
        fail(
          `${this.path || this.kind}: takes ${places.length} ${places.length === 1 ? 'tensor' : 'tensors'}: got ${given.length}`,
          'Give the tensors in the same structure as the inputs of graph().',
          KilnError,
        );
      values.set(place, tensor);
    });
    const tensorAt = (place: unknown): Tensor => values.get(place as Symbolic)!;
    for (const place of this.#places) {
      values.set(place, place.layer!.forward(mapTree(place.incoming, tensorAt) as never, context) as Tensor);
    }
    return mapTree(this.#to, tensorAt) as TensorsOf<O>;
  }
}

/** The places that the outputs need, after those they depend on. */
function placesBetween(inputs: readonly Symbolic[], outputs: readonly Symbolic[]): Symbolic[] {
  const found = new Set<Symbolic>();
  const visit = (place: Symbolic): void => {
    if (found.has(place) || inputs.includes(place)) return;
    if (!place.layer)
      fail(
        `graph: the outputs depend on an input ${formatShape(place.shape)} that is not among the inputs`,
        'Name every input() that is used: graph([a, b], y).',
        KilnError,
      );
    found.add(place);
    for (const each of leavesOf(place.incoming)) visit(each as Symbolic);
  };
  for (const output of outputs) {
    if (!((output as unknown) instanceof Symbolic))
      fail(`graph: an output is a ${typeof output}`, 'Outputs are what layers give when they are applied.', KilnError);
    visit(output);
  }
  return [...found].sort((a, b) => a.order - b.order);
}

/**
 * A model from its inputs to its outputs, each one place or a tree of places; `forward` takes and gives tensors in the same trees.
 *
 * @param options seed: where first values are drawn from (0)
 * @example const model = graph([image, question], answer); model.forward([pictures, words], training);
 */
export function graph<const I, const O>(
  inputs: I,
  outputs: O,
  { seed = 0 }: { readonly seed?: number } = {},
): Model<I, O> {
  const model = new Model(inputs, outputs);
  initializeParts(model as unknown as AnyLayer, seed);
  return model;
}
