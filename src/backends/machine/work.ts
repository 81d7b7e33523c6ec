import {
  type Access,
  type Affine,
  type Buffer,
  type Expression,
  type Kernel,
  loadsOf,
  type Nest,
  type PlannedStep,
  rangeOf,
  walk,
} from '../../compiler/index.js';
import { bytesPerElement } from '../../core/index.js';

/** What steps have to do, by their nests. */
export interface Work {
  /** Operations on numbers, in random bits on whole ones: a multiply-add counts two, whatever is done lane by lane one. */
  readonly flops: number;
  /** What must be read and written at least: each element that a kernel touches once, an updated one twice. */
  readonly bytes: number;
}

/** A loop's steps count as often as they run; of a branch's sides the larger counts. */
export function workOfSteps(steps: readonly PlannedStep[], buffers: readonly Buffer[]): Work {
  let [flops, bytes] = [0, 0];
  const add = (work: Work, times = 1): void => {
    flops += times * work.flops;
    bytes += times * work.bytes;
  };
  for (const step of steps) {
    switch (step.kind) {
      case 'phase':
        for (const kernel of step.launches) add({ flops: flopsOf(kernel.nest), bytes: bytesOf(kernel, buffers) });
        break;
      case 'loop':
        add(workOfSteps(step.steps, buffers), step.length);
        break;
      case 'branch': {
        const [a, b] = [workOfSteps(step.whenTrue, buffers), workOfSteps(step.whenFalse, buffers)];
        add(a.flops + a.bytes > b.flops + b.bytes ? a : b);
      }
    }
  }
  return { flops, bytes };
}

const product = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum * size, 1);
const pointsOf = (axes: readonly { readonly size: number }[]): number => product(axes.map(({ size }) => size));

/** Additions, multiplications and the like below the roots; what only moves bits or chooses is none. */
const operationsIn = (roots: readonly Expression[]): number =>
  walk(roots).filter((each) => each.kind === 'operation' && each.op !== 'floatBits' && each.op !== 'intBits').length;

function flopsOf(nest: Nest): number {
  const ordered = nest.kind === 'loop' && nest.ordered ? nest.ordered.size : 1;
  const results = pointsOf(nest.axes) * ordered;
  const gathered = results * pointsOf(nest.reductions);
  const stored = results * operationsIn(nest.stores.map(({ value }) => value));
  if (nest.kind === 'contraction') {
    const prologues = [nest.left, nest.right].map(
      ({ components, value }) => operationsIn([value]) * product([...sizesOf(nest, components).values()]),
    );
    return 2 * gathered + stored + prologues[0]! + prologues[1]!;
  }
  const combined = nest.accumulators.length;
  return gathered * (operationsIn(nest.accumulators.map(({ value }) => value)) + combined) + stored;
}

/** How many values each index takes: axes by their name, and components where there are some. */
function sizesOf(
  nest: Nest,
  components: readonly { readonly name: string; readonly index: Affine; readonly extent: number | undefined }[],
): Map<string, number> {
  const axes = axisSizes(nest);
  return new Map(
    components.map(({ name, index, extent }) => {
      const [low, high] = rangeOf(index, axes);
      const points = product(Object.keys(index.terms).map((axis) => axes.get(axis) ?? 1));
      return [name, Math.min(extent ?? Number.POSITIVE_INFINITY, points, high - low + 1)];
    }),
  );
}

function axisSizes(nest: Nest): Map<string, number> {
  const ordered = nest.kind === 'loop' && nest.ordered ? [nest.ordered] : [];
  return new Map([...nest.axes, ...nest.reductions, ...ordered].map(({ name, size }) => [name, size]));
}

function bytesOf({ nest, buffers: uses }: Kernel, buffers: readonly Buffer[]): number {
  const touched = new Map<number, number>();
  const touch = ({ buffer, address, dynamic }: Access, sizes: ReadonlyMap<string, number>): void => {
    const { elements } = buffers[uses[buffer]!.buffer]!;
    const axes = Object.keys(address.terms).map((name) => sizes.get(name) ?? 1);
    // an index that is known only when the program runs may go anywhere, but takes one value at each point
    const wandering = dynamic.length > 0 ? product([...sizes.values()]) : product(axes);
    touched.set(buffer, Math.max(touched.get(buffer) ?? 0, Math.min(elements, wandering)));
  };
  const axes = axisSizes(nest);
  const values = nest.stores.flatMap(({ value, access }) => [value, ...access.dynamic.map((index) => index.value)]);
  if (nest.kind === 'contraction') {
    for (const { components, value } of [nest.left, nest.right])
      for (const access of loadsOf([value])) touch(access, sizesOf(nest, components));
  } else {
    values.push(...nest.accumulators.map(({ value }) => value));
  }
  for (const access of [...loadsOf(values), ...nest.stores.map((store) => store.access)]) touch(access, axes);
  let bytes = 0;
  for (const [buffer, elements] of touched) {
    const { dtype } = buffers[uses[buffer]!.buffer]!;
    bytes += (uses[buffer]!.access === 'readWrite' ? 2 : 1) * elements * bytesPerElement[dtype];
  }
  return bytes;
}
