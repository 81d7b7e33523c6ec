import { coefficient } from './affine.js';
import { arrange, axisStride, isContiguous, mainLoad, ownComponent, sizesOf, usesAxis } from './arrange.js';
import { blocksOf, type LaneMode, tileRegisters } from './contraction-schedule.js';
import type { Axis, ContractionNest, Operand } from './nest.js';
import type { Target } from './target.js';

interface RowTile {
  readonly axis: string;
  readonly tile: number;
}

/** What one tile computes: rows × columns sums that stay in registers, and where the lanes lie. */
export interface TileChoice {
  readonly swap: boolean;
  /** The nest with its operands in their places. */
  readonly arranged: ContractionNest;
  readonly mode: LaneMode;
  readonly column: RowTile;
  readonly depth: string | undefined;
  /** Row axes with their tiles: up to two, outer first; tiles of 1 are left out. */
  readonly rows: readonly RowTile[];
  /** Estimate for the whole nest without packing. */
  readonly cycles: number;
}

/** Entering and leaving a tile, besides what each of its sums costs there; sums across lanes cost more. */
const entryCycles = 24;
const sumCycles = { right: 2, both: 2, reduce: 5 };
/** Per byte that a step reads; per page that its rows lie on. */
const byteCycles = 0.01;
const pageCycles = 0.04;
/** Per element, for an operand that must be transposed while it is packed. */
const transposeCycles = 1.2;

/**
 * The tile that leaves least undone: remainders of every axis count as tiles of their own size. Looks at how the operands' main
 * loads lie in memory, never at what else is fused into the nest: the order of the sums follows from the choice.
 */
export function chooseTile(nest: ContractionNest, target: Target): TileChoice | undefined {
  let best: TileChoice | undefined;
  for (const swap of [false, true]) {
    for (const layout of layoutsOf(nest, swap)) {
      const choice = bestTile(nest, layout, target, best?.cycles ?? Number.POSITIVE_INFINITY);
      if (choice) best = choice;
    }
  }
  return best;
}

type Layout = Pick<TileChoice, 'swap' | 'arranged' | 'mode' | 'depth'> & { readonly column: Axis };

/** Every way to lay lanes and columns on the axes of a nest. */
function layoutsOf(nest: ContractionNest, swap: boolean): Layout[] {
  const arranged = arrange(nest, swap);
  const { left, right } = arranged;
  const isStored = ({ name }: Axis): boolean => coefficient(nest.stores[0]!.access.address, name) === 1;
  return nest.axes.flatMap((column): Layout[] => {
    if (!usesAxis(right, column.name)) return [];
    const shared = { swap, arranged, column };
    if (usesAxis(left, column.name)) {
      const isBoth = isStored(column) && [left, right].every((operand) => isLaneAxis(operand, column.name));
      return isBoth && !swap ? [{ ...shared, mode: 'both', depth: undefined }] : [];
    }
    const depths = nest.reductions.filter(({ name }) => [left, right].every((operand) => isLaneAxis(operand, name)));
    const access = mainLoad(right);
    const isForward = access !== undefined && axisStride(right, access, column.name) >= 0;
    const layouts: Layout[] = (isForward ? depths : []).map(({ name }) => ({ ...shared, mode: 'reduce', depth: name }));
    if (isStored(column) && allowsVectors(right, column.name))
      layouts.push({ ...shared, mode: 'right', depth: undefined });
    return layouts;
  });
}

/** Whether lanes may lie on an axis: it alone runs through its component, without zeros outside, and is contiguous. */
function isLaneAxis(operand: Operand, axis: string): boolean {
  const own = ownComponent(operand, axis);
  return own !== undefined && own.extent === undefined && isContiguous(operand, axis);
}

/** Whether vectors of neighbours on an axis can be read: from panels; else from a packed box, in which they must be contiguous. */
function allowsVectors(operand: Operand, axis: string): boolean {
  const own = ownComponent(operand, axis);
  return (own !== undefined && own.extent === undefined) || isContiguous(operand, axis);
}

function bestTile(
  nest: ContractionNest,
  { swap, arranged, mode, column, depth }: Layout,
  target: Target,
  limit: number,
): TileChoice | undefined {
  const { left, right } = arranged;
  const sizes = sizesOf([...nest.axes, ...nest.reductions]);
  const steps = nest.reductions.reduce(
    (product, { name, size }) => product * (name === depth ? Math.ceil(size / target.lanes) : size),
    1,
  );
  const rowAxes = nest.axes.filter(({ name }) => usesAxis(left, name) && !usesAxis(right, name));
  const points = nest.axes.reduce((product, { size }) => product * size, 1);
  const rowPoints = rowAxes.reduce((product, { size }) => product * size, 1);
  const isTransposed = mode === 'right' && mainLoad(right) !== undefined && !isContiguous(right, column.name);
  const fixed = isTransposed ? (points / rowPoints) * steps * transposeCycles : 0;
  const unit = mode === 'reduce' ? 1 : target.lanes;
  let best: TileChoice | undefined;
  let least = limit;
  for (const rows of rowTiles(rowAxes, target)) {
    const count = rows.reduce((product, { tile }) => product * tile, 1);
    const outside = points / column.size / rows.reduce((product, { axis }) => product * sizes.get(axis)!, 1);
    const apart = pageCycles * (pagesOf(left, rows) - 1);
    for (let vectors = 1; tileRegisters(mode, count, vectors, target) <= target.registers; vectors++) {
      if (vectors > 1 && (vectors - 1) * unit >= column.size) break;
      const tile = vectors * unit;
      let cycles = fixed;
      for (const row of rowBlocks(rows, sizes)) {
        for (const block of blocksOf(column.size, tile, false)) {
          const across = Math.ceil(block.size / unit);
          const one = steps * (stepCycles(mode, row.size, across, target) + apart) + entryCycles;
          cycles += outside * row.count * block.count * (one + row.size * across * sumCycles[mode]);
        }
      }
      if (cycles >= least) continue;
      least = cycles;
      const tiled = rows.filter((row) => row.tile > 1);
      best = { swap, arranged, mode, column: { axis: column.name, tile }, depth, rows: tiled, cycles };
    }
  }
  return best;
}

/** Row axes with tiles that might fit: one axis alone, or a rectangle of two. Inner axes first: of equals they lie closer together. */
function rowTiles(axes: readonly Axis[], { registers }: Target): RowTile[][] {
  const single = ({ name, size }: Axis): RowTile[] =>
    Array.from({ length: Math.min(size, registers) }, (_, i) => ({ axis: name, tile: i + 1 }));
  const choices: RowTile[][] = [[]];
  axes.toReversed().forEach((inner, i, reversed) => {
    choices.push(...single(inner).map((row) => [row]));
    for (const outer of reversed.slice(i + 1)) {
      for (const a of single(outer).slice(1))
        for (const b of single(inner).slice(1)) if (a.tile * b.tile < registers) choices.push([a, b]);
    }
  });
  return choices;
}

/** Pages on which the rows of a tile lie, as far as the operand's main load tells. */
function pagesOf(left: Operand, rows: readonly RowTile[]): number {
  const access = mainLoad(left);
  if (!access) return 1;
  const places = rows.reduce<number[]>(
    (all, { axis, tile }) =>
      all.flatMap((at) => Array.from({ length: tile }, (_, i) => at + i * axisStride(left, access, axis))),
    [0],
  );
  return new Set(places.map((at) => Math.floor(at / 1024))).size;
}

/** Sizes of the row tiles, remainders included, and how many there are of each. */
function rowBlocks(
  rows: readonly RowTile[],
  sizes: ReadonlyMap<string, number>,
): readonly { readonly size: number; readonly count: number }[] {
  let blocks = [{ size: 1, count: 1 }];
  for (const { axis, tile } of rows) {
    const inner = blocksOf(sizes.get(axis)!, tile, true);
    blocks = blocks.flatMap((outer) =>
      inner.map(({ size, count }) => ({ size: outer.size * size, count: outer.count * count })),
    );
  }
  return blocks;
}

/** One step of a tile: multiply-adds, loads, or the wait for the sums of the step before, whichever takes longest; and moving bytes. */
function stepCycles(mode: LaneMode, rows: number, vectors: number, { multiplyAdds, latency, lanes }: Target): number {
  const sums = rows * vectors;
  const loads = vectors + (mode === 'both' ? sums : rows);
  const bytes = 4 * (vectors * lanes + (mode === 'right' ? rows : (loads - vectors) * lanes));
  return Math.max(sums / multiplyAdds, loads / 2, latency) + byteCycles * bytes;
}
