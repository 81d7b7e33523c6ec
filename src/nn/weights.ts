import { fail, formatShape, type HostArray, KilnError, nearest, type Shape, sameShape } from '../core/index.js';
import { permuteAxes, reshaped } from './host-array.js';
import type { AnyLayer } from './layer.js';
import type { ParameterEntry, WeightRole } from './parameter-entry.js';
import { isWeight } from './steps.js';

/**
 * How weights lie in other packages:
 * - 'channelsLast' as Keras and TensorFlow, which is Kiln's own: convolutions [height, width, in, out], dense [in, out]
 * - 'channelsFirst' as Keras 1 with channels first, which lectures show: convolutions [out, in, height, width], dense [in, out]
 * - 'torch' and 'caffe': convolutions [out, in, height, width], dense [out, in]
 *
 * In all but the first, what follows a flattened picture counts its inputs channel by channel.
 */
export type WeightLayout = 'channelsLast' | 'channelsFirst' | 'torch' | 'caffe';

export interface WeightOptions {
  /** 'channelsLast' */
  readonly layout?: WeightLayout;
}

/** One step of a change of layout, and the way back. */
interface Move {
  readonly shape?: Shape;
  readonly permutation?: readonly number[];
}

/** From Kiln's layout to another, step by step. */
function movesTo(layout: WeightLayout, shape: Shape, role: WeightRole | undefined): Move[] {
  if (layout === 'channelsLast' || !role) return [];
  switch (role.is) {
    case 'conv kernel':
      return [{ permutation: [shape.length - 1, shape.length - 2, ...shape.slice(0, -2).keys()] }];
    case 'depthwise kernel': {
      // filters c·multiplier + q of one channel each, as grouped convolutions have them
      const [height, width, channels, multiplier] = shape as readonly [number, number, number, number];
      return [{ shape: [height, width, 1, channels * multiplier] }, { permutation: [3, 2, 0, 1] }];
    }
    case 'dense kernel':
      return [
        ...rowsByChannel(role.flattenedFrom, shape),
        ...(layout === 'channelsFirst' ? [] : [{ permutation: [1, 0] }]),
      ];
    case 'vector':
      return rowsByChannel(role.flattenedFrom, shape);
    case 'state':
      return [];
  }
}

/** First axis from (height, width, channel) order to (channel, height, width). */
function rowsByChannel(flattenedFrom: Shape | undefined, shape: Shape): Move[] {
  if (!flattenedFrom || flattenedFrom.length < 2) return [];
  const rank = flattenedFrom.length;
  const rest = shape.slice(1);
  const spatial = Array.from({ length: rank - 1 }, (_, axis) => axis);
  return [
    { shape: [...flattenedFrom, ...rest] },
    { permutation: [rank - 1, ...spatial, ...rest.map((_, i) => rank + i)] },
    { shape },
  ];
}

const move = (array: HostArray, { shape, permutation }: Move): HostArray =>
  permutation ? permuteAxes(array, permutation) : reshaped(array, shape!);

/** Weights of another layout in Kiln's. */
function moveBack(array: HostArray, own: Shape, moves: readonly Move[]): HostArray {
  // the shapes on the way there, whose ends the steps back need
  const shapes: Shape[] = [own];
  for (const { shape, permutation } of moves) shapes.push(shape ?? permutation!.map((axis) => shapes.at(-1)![axis]!));
  return moves.reduceRight((value, { permutation }, i) => {
    if (!permutation) return reshaped(value, shapes[i]!);
    return permuteAxes(
      value,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    );
  }, array);
}

const weightsOf = (model: AnyLayer): ParameterEntry[] => model.entries().filter(isWeight);

/**
 * The weights by path, trainable and not, laid out as another package has them. Random keys are no weights.
 *
 * @example getWeights(model, { layout: 'torch' })['dense_1/kernel'] // shape [128, 4608]
 */
export function getWeights(
  model: AnyLayer,
  { layout = 'channelsLast' }: WeightOptions = {},
): Record<string, HostArray> {
  return Object.fromEntries(
    weightsOf(model).map(({ path, parameter, role }) => [
      path,
      movesTo(layout, parameter.shape, role).reduce(move, parameter.value.toHost()),
    ]),
  );
}

/**
 * Sets all weights from what `getWeights` gives, or another package in its layout. Nothing is set unless all fit.
 *
 * @throws ShapeError, KilnError if one is missing, too many, or of another shape
 */
export function setWeights(
  model: AnyLayer,
  weights: Readonly<Record<string, HostArray>>,
  { layout = 'channelsLast' }: WeightOptions = {},
): void {
  const entries = weightsOf(model);
  const paths = entries.map(({ path }) => path);
  const strange = Object.keys(weights).find((path) => !paths.includes(path));
  const missing = paths.find((path) => !Object.hasOwn(weights, path));
  if (strange !== undefined) {
    const near = nearest(strange, paths);
    fail(
      `setWeights: the model has no weights ${strange}`,
      near ? `Did you mean ${near}?` : `It has ${paths.slice(0, 4).join(', ')}${paths.length > 4 ? ', …' : ''}.`,
      KilnError,
    );
  }
  if (missing !== undefined)
    fail(`setWeights: there are no weights for ${missing}`, `All ${paths.length} are set together.`, KilnError);
  const moved = entries.map(({ path, parameter, role }) => {
    const array = weights[path]!;
    const moves = movesTo(layout, parameter.shape, role);
    const expected = moves.reduce<Shape>(
      (shape, step) => step.shape ?? step.permutation!.map((axis) => shape[axis]!),
      parameter.shape,
    );
    if (!sameShape(array.shape, expected))
      fail(
        `setWeights: ${path} is ${formatShape(expected)} in layout ${layout}: got ${formatShape(array.shape)}`,
        `Is layout the one the weights were saved in? In Kiln's own it is ${formatShape(parameter.shape)}.`,
      );
    return [parameter, moveBack(array, parameter.shape, moves)] as const;
  });
  for (const [parameter, array] of moved) parameter.set(array);
}
