import { coefficient } from './affine.js';
import { arrange, axisStride, plainLoad, sizesOf, usesAxis } from './arrange.js';
import { blocksOf, tileRegisters } from './contraction-schedule.js';
import { loadsOf } from './expression.js';
import type { ContractionNest, Operand } from './nest.js';
import type { Target } from './target.js';

/** Which operand the lanes read, and what one tile computes: rows × vectors sums, held in registers. */
export interface TileChoice {
  readonly swap: boolean;
  /** The nest with its operands in their places. */
  readonly arranged: ContractionNest;
  readonly lane: string;
  readonly vectors: number;
  /** Row axes with their tiles: up to two, outer first; tiles of 1 are left out. */
  readonly rows: readonly { readonly axis: string; readonly tile: number }[];
  /** Estimate for the whole nest without packing. */
  readonly cycles: number;
}

/** Entering and leaving a tile, besides what each of its sums costs there. */
const entryCycles = 24;
const sumCycles = 2;
/** Per byte that a step reads; per page that its rows lie on. */
const byteCycles = 0.01;
const pageCycles = 0.04;
/** Per element, for an operand that must be transposed while it is packed. */
const transposeCycles = 1.2;

/** The tile that leaves least undone: remainders of every axis count as tiles of their own size. */
export function chooseTile(nest: ContractionNest, target: Target): TileChoice | undefined {
  const sizes = sizesOf([...nest.axes, ...nest.reductions]);
  const steps = nest.reductions.reduce((product, { size }) => product * size, 1);
  let best: TileChoice | undefined;
  for (const swap of [false, true]) {
    const arranged = arrange(nest, swap);
    const { left, right } = arranged;
    for (const { name: lane, size } of nest.axes) {
      if (coefficient(nest.stores[0]!.access.address, lane) !== 1) continue;
      if (usesAxis(left, lane) || !usesAxis(right, lane)) continue;
      const rowAxes = nest.axes.filter(({ name }) => usesAxis(left, name) && !usesAxis(right, name));
      const points = nest.axes.reduce((product, axis) => product * axis.size, 1);
      const access = plainLoad(right);
      const isTransposed = access !== undefined && axisStride(right, access, lane) !== 1;
      const rowPoints = rowAxes.reduce((product, axis) => product * axis.size, 1);
      // one row reads each element of the right once: transposing it costs more than all sums
      if (isTransposed && rowPoints === 1) continue;
      const fixed = isTransposed ? (points / rowPoints) * steps * transposeCycles : 0;
      for (const rows of rowTiles(rowAxes, target)) {
        const count = rows.reduce((product, { tile }) => product * tile, 1);
        const apart = pageCycles * (pagesOf(left, rows) - 1);
        for (let vectors = 1; tileRegisters(count, vectors, target) <= target.registers; vectors++) {
          if (vectors > 1 && (vectors - 1) * target.lanes >= size) break;
          const outside = points / size / rows.reduce((product, { axis }) => product * sizes.get(axis)!, 1);
          const cycles = fixed + outside * tilesCycles(rows, vectors, lane, sizes, steps, apart, target);
          if (!best || cycles < best.cycles)
            best = { swap, arranged, lane, vectors, rows: rows.filter(({ tile }) => tile > 1), cycles };
        }
      }
    }
  }
  return best;
}

/** Pairs of row axes with tiles that might fit: one axis alone, or a rectangle of two. */
function rowTiles(
  axes: readonly { readonly name: string; readonly size: number }[],
  target: Target,
): { axis: string; tile: number }[][] {
  const most = target.registers;
  const single = (axis: { readonly name: string; readonly size: number }): { axis: string; tile: number }[] =>
    Array.from({ length: Math.min(axis.size, most) }, (_, i) => ({ axis: axis.name, tile: i + 1 }));
  const choices: { axis: string; tile: number }[][] = [[], ...axes.flatMap((axis) => single(axis).map((row) => [row]))];
  axes.forEach((outer, i) => {
    for (const inner of axes.slice(i + 1)) {
      for (const a of single(outer)) {
        if (a.tile === 1) continue;
        for (const b of single(inner)) if (b.tile > 1 && a.tile * b.tile < most) choices.push([a, b]);
      }
    }
  });
  return choices;
}

/** Pages on which the rows of a tile lie, as far as one load of the operand tells. */
function pagesOf(left: Operand, rows: readonly { readonly axis: string; readonly tile: number }[]): number {
  const [access] = loadsOf([left.value]);
  if (!access) return 1;
  const pages = rows.reduce<number[]>(
    (all, { axis, tile }) =>
      all.flatMap((at) => Array.from({ length: tile }, (_, i) => at + i * axisStride(left, access, axis))),
    [0],
  );
  return new Set(pages.map((at) => Math.floor(at / 1024))).size;
}

/** One step of a tile: multiply-adds, loads, or the wait for the sums of the step before, whichever takes longest; and moving bytes. */
const stepCycles = (rows: number, vectors: number, { multiplyAdds, latency, lanes }: Target): number =>
  Math.max((rows * vectors) / multiplyAdds, (rows + vectors) / 2, latency) + byteCycles * 4 * (rows + vectors * lanes);

function tilesCycles(
  rows: readonly { readonly axis: string; readonly tile: number }[],
  vectors: number,
  lane: string,
  sizes: ReadonlyMap<string, number>,
  steps: number,
  extraCycles: number,
  target: Target,
): number {
  const rowBlocks = rows.reduce<{ size: number; count: number }[]>(
    (all, { axis, tile }) =>
      all.flatMap((outer) =>
        blocksOf(sizes.get(axis)!, tile, true).map(({ size, count }) => ({
          size: outer.size * size,
          count: outer.count * count,
        })),
      ),
    [{ size: 1, count: 1 }],
  );
  let sum = 0;
  for (const row of rowBlocks) {
    for (const column of blocksOf(sizes.get(lane)!, vectors * target.lanes, false)) {
      const across = Math.ceil(column.size / target.lanes);
      const sums = row.size * across;
      sum +=
        row.count *
        column.count *
        (steps * (stepCycles(row.size, across, target) + extraCycles) + entryCycles + sums * sumCycles);
    }
  }
  return sum;
}
