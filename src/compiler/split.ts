import { type Affine, addAffine, coefficient, constantAffine, scaleAffine, substitute, variable } from './affine.js';
import { componentSpan, isContiguous, sizesOf } from './arrange.js';
import { type Expression, loadsOf } from './expression.js';
import type { Axis, ContractionNest, LoopNest, Nest, Operand, Store } from './nest.js';
import { mapAffines, normalize } from './normalize.js';
import type { Target } from './target.js';

/** A nest whose reduction is done in parts that do not wait for one another. */
export interface SplitReduction {
  /** Kernels that may run at the same time; each writes partial results of its own. */
  readonly parts: readonly Nest[];
  /** Gathers the partial results in their order and does what the nest did with the whole. */
  readonly combine: LoopNest;
  /** Number of the buffer between them, the first that the nest does not use; its dtype is that of `partialType`. */
  readonly partialBuffer: number;
  readonly partialElements: number;
  readonly partialType: 'float32' | 'int32';
}

/** Threads of a large machine, which parts of a nest should keep busy. */
const wantedParts = 16;
const partMicroseconds = 50;
/** Cycles to write and read again one partial sum, and to pack one element once more for another job. */
const partialCycles = 1;
const repeatCycles = 0.5;
/** Elements of two lines of a cache. */
const lineElements = 32;
/** Elements that a plain sum may gather one after another before its rounding errors count. */
const longestSum = 4096;
const mostPlainParts = 64;
/** Points beyond which a plain reduction is shared well enough without. */
const mostPlainPoints = 4096;

/**
 * Splits a reduction whose results are too few to be shared by many threads, or shared only by packing operands again and again.
 * Depends on the bare nest and the target only, so that fusing something into it changes no bit of the sums.
 */
export function splitReduction(nest: Nest, target: Target): SplitReduction | undefined {
  if (nest.stores.some(({ mode }) => mode === 'add')) return undefined;
  const wanted = nest.kind === 'contraction' ? contractionParts(nest, target) : plainParts(nest);
  const cut = wanted > 1 ? chooseCut(nest.reductions, wanted) : undefined;
  return cut && split(nest, cut);
}

const product = (axes: readonly Axis[]): number => axes.reduce((total, { size }) => total * size, 1);

function contractionParts(nest: ContractionNest, target: Target): number {
  const points = product(nest.axes);
  const cycles = (points * product(nest.reductions)) / (target.lanes * target.multiplyAdds);
  const parts = Math.min(wantedParts, Math.floor(cycles / target.cyclesPerMicrosecond / partMicroseconds));
  const cost = (parts + 1) * points * partialCycles;
  return parts > 1 && cost < Math.min(cycles / 4, repetition(nest, target)) ? parts : 1;
}

/** Cycles that sharing the output among many jobs costs: each packs its rows and columns again. Infinite where there are too few points. */
function repetition(nest: ContractionNest, target: Target): number {
  const { left, right, axes, reductions } = nest;
  const sizes = sizesOf([...axes, ...reductions]);
  const elements = ({ components }: Operand): number =>
    components.reduce((total, component) => total * componentSpan(component, (axis) => sizes.get(axis)!), 1);
  const uses = ({ components }: Operand, { name }: Axis): boolean =>
    components.some(({ index }) => coefficient(index, name) !== 0);
  const only = (one: Operand, other: Operand): number =>
    product(axes.filter((axis) => uses(one, axis) && !uses(other, axis)));
  // cuts of an axis along which memory is read must leave whole lines
  const batch = axes
    .filter((axis) => uses(left, axis) === uses(right, axis))
    .reduce((total, { name, size }) => total * (isContiguous(left, name) ? Math.ceil(size / lineElements) : size), 1);
  const [rows, columns] = [only(left, right), only(right, left)];
  let least = Number.POSITIVE_INFINITY;
  for (let across = 1; across * batch <= 2 * wantedParts; across *= 2) {
    const down = Math.max(1, Math.ceil(wantedParts / batch / across));
    // a job is some tiles at least
    if (down > 1 && down * 2 * target.lanes > rows) continue;
    if (across > 1 && across * 2 * target.lanes > columns) continue;
    least = Math.min(least, ((across - 1) * elements(left) + (down - 1) * elements(right)) * repeatCycles);
  }
  return batch >= wantedParts ? 0 : least;
}

function plainParts({ accumulators, reductions, axes, ordered }: LoopNest): number {
  const [only, second] = accumulators;
  if (!only || second || ordered || only.position || only.type === 'bool') return 1;
  if (product(axes) > mostPlainPoints) return 1;
  return Math.min(mostPlainParts, Math.ceil(product(reductions) / longestSum));
}

interface Cut {
  readonly axis: Axis;
  /** Positions of the axis in each part but the last. */
  readonly length: number;
  readonly parts: number;
}

/** The outermost axis that gives nearly as many parts as are wanted, else the one that gives most. */
function chooseCut(reductions: readonly Axis[], wanted: number): Cut | undefined {
  let best: Cut | undefined;
  for (const axis of reductions) {
    const length = Math.ceil(axis.size / Math.min(wanted, axis.size));
    const parts = Math.ceil(axis.size / length);
    if (parts > 2 * (best?.parts ?? 0.5)) best = { axis, length, parts };
  }
  return best;
}

function split(nest: Nest, { axis, length, parts }: Cut): SplitReduction {
  const points = product(nest.axes);
  const partialBuffer = 1 + Math.max(...accessedBuffers(nest));
  const partialType = nest.kind === 'loop' && nest.accumulators[0]!.type === 'i32' ? 'int32' : 'float32';
  const type = partialType === 'int32' ? 'i32' : 'f32';
  const part: Axis = { name: `${axis.name}part`, size: parts };
  const place = nest.axes.reduceRight<{ affine: Affine; stride: number }>(
    ({ affine, stride }, { name, size }) => ({
      affine: addAffine(affine, scaleAffine(variable(name), stride)),
      stride: stride * size,
    }),
    { affine: constantAffine(0), stride: 1 },
  ).affine;
  const access = (number: Affine) => ({
    buffer: partialBuffer,
    dtype: partialType as 'float32' | 'int32',
    address: addAffine(place, scaleAffine(number, points)),
    dynamic: [],
  });
  /** The parts from `first` on, `count` of them with `size` positions of the axis each. */
  const partsFrom = (first: number, count: number, size: number): Nest => {
    const number = addAffine(constantAffine(first), count > 1 ? variable(part.name) : constantAffine(0));
    const inside = size > 1 ? variable(axis.name) : constantAffine(0);
    const replaced = new Map([[axis.name, addAffine(scaleAffine(number, length), inside)]]);
    const stores: Store[] = [{ access: access(number), value: { kind: 'accumulator', type, number: 0 }, mode: 'set' }];
    const shape = {
      name: `${nest.name} parts`,
      axes: [...(count > 1 ? [{ name: part.name, size: count }] : []), ...nest.axes],
      reductions: nest.reductions.flatMap((other) =>
        other !== axis ? [other] : size > 1 ? [{ name: axis.name, size }] : [],
      ),
      stores,
    };
    return normalize(
      nest.kind === 'contraction'
        ? { ...nest, ...shape, ...movedOperands(nest, replaced) }
        : { ...nest, ...shape, ...movedSum(nest, replaced) },
    );
  };
  const whole = Math.floor(axis.size / length);
  const nests = [partsFrom(0, whole, length)];
  if (axis.size % length > 0) nests.push(partsFrom(whole, 1, axis.size % length));
  const value: Expression = { kind: 'load', type, access: access(variable(part.name)) };
  const combine = normalize({
    kind: 'loop',
    name: nest.name,
    axes: nest.axes,
    reductions: [part],
    ordered: undefined,
    accumulators: [{ combine: nest.kind === 'loop' ? nest.accumulators[0]!.combine : 'sum', type, value }],
    stores: nest.stores,
  }) as LoopNest;
  return { parts: nests, combine, partialBuffer, partialElements: parts * points, partialType };
}

function movedOperands({ left, right }: ContractionNest, replaced: ReadonlyMap<string, Affine>) {
  const moved = ({ components, value }: Operand): Operand => ({
    components: components.map((component) => ({ ...component, index: substitute(component.index, replaced) })),
    value,
  });
  return { left: moved(left), right: moved(right) };
}

function movedSum({ accumulators }: LoopNest, replaced: ReadonlyMap<string, Affine>) {
  const visit = mapAffines(
    (affine) => substitute(affine, replaced),
    () => false,
  );
  return { accumulators: accumulators.map((accumulator) => ({ ...accumulator, value: visit(accumulator.value) })) };
}

function accessedBuffers(nest: Nest): number[] {
  const roots =
    nest.kind === 'contraction' ? [nest.left.value, nest.right.value] : nest.accumulators.map(({ value }) => value);
  const stored = nest.stores.flatMap(({ value, access }) => [value, ...access.dynamic.map((index) => index.value)]);
  return [...loadsOf([...roots, ...stored]), ...nest.stores.map(({ access }) => access)].map(({ buffer }) => buffer);
}
