import { bytesPerElement } from '../core/index.js';
import { type Affine, coefficient } from './affine.js';
import { type Access, type Expression, loadsOf, operandsOf, walk } from './expression.js';
import type { LoopNest } from './nest.js';

/** How a loop nest is run: which axis the lanes lie on, and which loops are jobs for the threads. Order: axes, reductions, the lane axis last. */
export interface LoopSchedule {
  readonly kind: 'loop';
  /** Without it every point is computed by itself. */
  readonly lane: { readonly axis: string; readonly over: 'axes' | 'reductions' } | undefined;
  /** Vectors side by side on the lane axis; when it is reduced, as many sums are kept apart. */
  readonly vectors: number;
  /** Where float sums are long: the reduced axis that is cut into blocks, whose sums are added up apart. */
  readonly sums: { readonly axis: string; readonly block: number } | undefined;
  /** Axes that are cut into jobs, in blocks. */
  readonly jobs: readonly { readonly axis: string; readonly block: number }[];
}

/**
 * Additions to one float sum before it is put away. A million uniform numbers, added one after another, are wrong by about
 * 1e-5 of their sum; in blocks of this, by 1e-7.
 */
const longestSum = 1024;

/** Points of work (loads, stores and operations) that are worth a job of their own. */
const jobWork = 40_000;
const mostJobs = 64;

export function scheduleLoop(nest: LoopNest, lanes: number): LoopSchedule {
  const lane = chooseLane(nest, lanes);
  const expressions = walk([...nest.accumulators.map(({ value }) => value), ...nest.stores.map(({ value }) => value)]);
  const operations = expressions.filter(({ kind }) => kind !== 'constant').length + nest.stores.length;
  const laneSize = lane ? sizeOfAxis(nest, lane.axis) : 1;
  // sums side by side are an order of adding: it does not depend on what is fused into the reduction
  const most = operations <= 8 || lane?.over === 'reductions' ? 4 : operations <= 20 ? 2 : 1;
  const vectors = lane ? Math.max(1, Math.min(most, Math.floor(laneSize / lanes))) : 1;
  return {
    kind: 'loop',
    lane,
    vectors,
    sums: cutSums(nest, lane, lanes * vectors),
    jobs: chooseJobs(nest, lane, operations, lanes * vectors),
  };
}

const allAxes = (nest: LoopNest) => [...nest.axes, ...nest.reductions, ...(nest.ordered ? [nest.ordered] : [])];
const sizeOfAxis = (nest: LoopNest, name: string): number => allAxes(nest).find((axis) => axis.name === name)!.size;

/** Cost of an access for a vector of neighbours on an axis, in loads. */
function vectorCost({ address, dtype }: Access, axis: string, lanes: number): number {
  const stride = coefficient(address, axis);
  if (stride === 0) return 1;
  return stride === 1 ? (bytesPerElement[dtype] === 1 ? 2 : 1) : lanes + 1;
}

/** Whether all lanes on `axis` would share what must be shared: guards and data-dependent indices. */
function allowsLanes(roots: readonly Expression[], axis: string): boolean {
  const varies = (affine: Affine): boolean => coefficient(affine, axis) !== 0;
  const dependsOnAxis = (root: Expression): boolean =>
    walk([root]).some(
      (expression) =>
        (expression.kind === 'index' && varies(expression.index)) ||
        (expression.kind === 'load' && varies(expression.access.address)),
    );
  return walk(roots).every((expression) => {
    if (expression.kind === 'guard') return expression.bounds.every(({ index }) => !varies(index));
    if (expression.kind === 'load') return operandsOf(expression).every((index) => !dependsOnAxis(index));
    return true;
  });
}

function chooseLane(nest: LoopNest, lanes: number): LoopSchedule['lane'] {
  const gathered = nest.accumulators.map(({ value }) => value);
  const stored = nest.stores.flatMap(({ value, access }) => [value, ...access.dynamic.map((index) => index.value)]);
  const storeRoots = nest.stores.map(({ access }): Expression => ({ kind: 'load', type: 'i32', access }));
  const steps = nest.reductions.reduce((product, { size }) => product * size, 1) * (nest.ordered?.size ?? 1);
  const perElement = (size: number, vector: number, scalar: number): number =>
    (Math.floor(size / lanes) * vector + (size % lanes) * scalar) / size;
  const inner = loadsOf(gathered);
  const outer = [...loadsOf(stored), ...nest.stores.map(({ access }) => access)];
  const arithmetic = walk([...gathered, ...stored]).length;
  const scalarCost = inner.length * steps + outer.length + arithmetic * (gathered.length > 0 ? steps : 1);
  let best: LoopSchedule['lane'];
  let bestCost = scalarCost;
  for (const { name, size } of nest.axes) {
    if (size < lanes || !allowsLanes([...gathered, ...stored, ...storeRoots], name)) continue;
    if (
      nest.stores.some(
        ({ mode, access }) =>
          mode === 'add' && (coefficient(access.address, name) !== 1 || bytesPerElement[access.dtype] === 1),
      )
    )
      continue;
    const sum = (accesses: readonly Access[]): number =>
      accesses.reduce((total, access) => total + vectorCost(access, name, lanes), 0);
    const vector = sum(inner) * steps + sum(outer) + arithmetic * (gathered.length > 0 ? steps : 1);
    const cost = perElement(size, vector, scalarCost);
    if (cost < bestCost) [best, bestCost] = [{ axis: name, over: 'axes' }, cost];
  }
  const canReduce =
    !nest.ordered && nest.accumulators.every(({ combine }) => combine !== 'argmax' && combine !== 'argmin');
  for (const { name, size } of canReduce ? nest.reductions : []) {
    if (size < 2 * lanes || !allowsLanes(gathered, name)) continue;
    const vector = inner.reduce((total, access) => total + vectorCost(access, name, lanes), 0) + arithmetic;
    const cost = perElement(size, vector, inner.length + arithmetic) * steps + outer.length + 8;
    if (cost < bestCost) [best, bestCost] = [{ axis: name, over: 'reductions' }, cost];
  }
  return best;
}

/** Cuts the reduced axis with which a sum, counted from the innermost loop, becomes too long. */
function cutSums(
  { accumulators, reductions }: LoopNest,
  lane: LoopSchedule['lane'],
  group: number,
): LoopSchedule['sums'] {
  if (!accumulators.some(({ combine, type }) => combine === 'sum' && type === 'f32')) return undefined;
  const isLane = ({ name }: { readonly name: string }): boolean => lane?.over === 'reductions' && name === lane.axis;
  const inwards = [...reductions.filter(isLane), ...reductions.filter((axis) => !isLane(axis)).reverse()];
  let additions = 1;
  for (const axis of inwards) {
    const step = isLane(axis) ? group : 1;
    const block = Math.max(1, Math.floor(longestSum / additions)) * step;
    if (axis.size > 2 * block) return { axis: axis.name, block };
    additions *= Math.ceil(axis.size / step);
  }
  return undefined;
}

/** Outer axes first, until there are enough jobs; the lane axis only when it is the last to be had. */
function chooseJobs(
  nest: LoopNest,
  lane: LoopSchedule['lane'],
  operations: number,
  group: number,
): LoopSchedule['jobs'] {
  const points = allAxes(nest).reduce((product, { size }) => product * size, 1);
  let wanted = Math.min(mostJobs, Math.floor((points * operations) / jobWork / (lane ? 2 : 1)));
  const jobs: { axis: string; block: number }[] = [];
  const order = [...nest.axes].sort((a, b) => Number(a.name === lane?.axis) - Number(b.name === lane?.axis));
  for (const { name, size } of order) {
    if (wanted <= 1) break;
    const unit = name === lane?.axis ? group : 1;
    const block = Math.max(unit, Math.ceil(size / wanted / unit) * unit);
    const count = Math.ceil(size / block);
    if (count <= 1) continue;
    jobs.push({ axis: name, block });
    wanted = Math.floor(wanted / count);
  }
  return jobs;
}

export const countJobs = (nest: LoopNest, { jobs }: LoopSchedule): number =>
  jobs.reduce((product, { axis, block }) => product * Math.ceil(sizeOfAxis(nest, axis) / block), 1);

export const printLoopSchedule = ({ lane, vectors, sums, jobs }: LoopSchedule): string =>
  `${lane ? `lanes on ${lane.axis} (${lane.over}) ×${vectors}` : 'scalar'}${sums ? ` +${sums.axis}/${sums.block}` : ''}${jobs.map(({ axis, block }) => ` *${axis}/${block}`).join('')}`;
