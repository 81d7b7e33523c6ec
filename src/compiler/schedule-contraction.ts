import {
  axisStride,
  componentSpan,
  isContiguous,
  isGuarded,
  ownComponent,
  plainLoad,
  sizesOf,
  usesAxis,
} from './arrange.js';
import { type ContractionSchedule, type Stage, stepOrder } from './contraction-schedule.js';
import { chooseTile, type TileChoice } from './contraction-tile.js';
import type { Axis, ContractionNest, Operand } from './nest.js';
import type { Target } from './target.js';

/** Jobs that threads of a large machine can share, and what one should last at least. */
const wantedJobs = 16;
const jobMicroseconds = 50;
const mostParts = 64;
/** Cycles per element of packing, and of reading an operand again where it lies. */
const packCycles = 0.5;
const rereadCycles = 0.1;
/** Cycles around a job: drawing it, cold caches. */
const jobCycles = 3000;

/**
 * Chooses tile, packing, blocks and jobs from sizes, strides and the target. `undefined` where no output axis can hold the
 * lanes: such nests run as plain loops.
 */
export function scheduleContraction(nest: ContractionNest, target: Target): ContractionSchedule | undefined {
  if (nest.reductions.some(({ size }) => size === 0) || nest.axes.some(({ size }) => size === 0)) return undefined;
  const tile = chooseTile(nest, target);
  return tile && new Scheduler(nest, tile, target).schedule();
}

class Scheduler {
  readonly #nest: ContractionNest;
  readonly #tile: TileChoice;
  readonly #target: Target;
  readonly #left: Operand;
  readonly #right: Operand;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #rowAxes: readonly Axis[];

  constructor(nest: ContractionNest, tile: TileChoice, target: Target) {
    this.#nest = nest;
    this.#tile = tile;
    this.#target = target;
    this.#left = tile.arranged.left;
    this.#right = tile.arranged.right;
    this.#sizes = sizesOf([...nest.axes, ...nest.reductions]);
    this.#rowAxes = nest.axes.filter(({ name }) => usesAxis(this.#left, name) && !usesAxis(this.#right, name));
  }

  #sizeOf(axis: string): number {
    return this.#sizes.get(axis)!;
  }

  #tileOf(axis: string): number {
    return this.#tile.rows.find((row) => row.axis === axis)?.tile ?? 1;
  }

  /** Elements of an operand that loops of the given spans touch. */
  #elements({ components }: Operand, spans: ReadonlyMap<string, number>): number {
    return components.reduce((product, component) => product * componentSpan(component, (axis) => spans.get(axis)!), 1);
  }

  schedule(): ContractionSchedule {
    const { swap, mode, column, depth, rows } = this.#tile;
    const lane = column.axis;
    const packsRight = this.#packsRight();
    const packsLeft = this.#packsLeft();
    const reductions = this.#reductionBlocks();
    const jobs = this.#jobs(packsLeft, packsRight);
    const spans = new Map(this.#sizes);
    const order: Stage[] = [];
    const loop = (axis: string, block: number, isJob: boolean, isBalanced = false): void => {
      if (block >= spans.get(axis)!) return;
      order.push({ kind: 'loop', axis, block, isJob, isBalanced });
      spans.set(axis, block);
    };
    for (const { axis, block } of jobs) loop(axis, block, true);
    for (const { name } of this.#nest.axes)
      if (name !== lane && usesAxis(this.#left, name) === usesAxis(this.#right, name)) loop(name, 1, false);
    for (const { axis, block } of reductions) loop(axis, block, false);
    const bytes = (operand: Operand): number => 4 * this.#elements(operand, spans);
    if (packsRight) {
      const panels = Math.ceil(spans.get(lane)! / column.tile);
      const parts = Math.min(panels, Math.ceil(bytes(this.#right) / (0.6 * this.#target.L2)));
      loop(lane, Math.ceil(panels / parts) * column.tile, false);
      order.push({ kind: 'pack', operand: 'right', panel: this.#rightPanel() });
    }
    const leftPanel = packsLeft ? this.#leftPanel() : undefined;
    for (const { name } of this.#byPurity()) {
      const most = this.#target.L2 / 4;
      if (bytes(this.#left) <= most) break;
      const unit = this.#tileOf(name);
      const span = spans.get(name)!;
      const parts = Math.ceil(span / Math.max(unit, Math.floor((span * most) / bytes(this.#left) / unit) * unit));
      loop(name, Math.ceil(span / parts / unit) * unit, false);
    }
    if (packsLeft) order.push({ kind: 'pack', operand: 'left', panel: leftPanel });
    // lanes that both operands have turn innermost: rows are then read once
    if (mode !== 'both') loop(lane, this.#tile.column.tile, false);
    for (const { name } of this.#nest.axes)
      if (name !== lane && usesAxis(this.#right, name) && !usesAxis(this.#left, name)) loop(name, 1, false);
    // packed panels are read again by the axes that only shift inside them: those turn innermost
    for (const { name } of leftPanel ? this.#byPurity() : this.#rowAxes) {
      const unit = this.#tileOf(name);
      loop(name, unit, false, unit > 1 && leftPanel?.axis !== name);
    }
    loop(lane, this.#tile.column.tile, false);
    return { kind: 'contraction', swap, mode, column, depth, rows, order };
  }

  /** Row axes, those that run alone through a component first: blocks of them share no elements. */
  #byPurity(): Axis[] {
    const isPure = ({ name }: Axis): boolean => ownComponent(this.#left, name) !== undefined;
    return [...this.#rowAxes.filter(isPure), ...this.#rowAxes.filter((axis) => !isPure(axis))];
  }

  #innermost(): Axis | undefined {
    return stepOrder(this.#nest.reductions, this.#tile.depth).at(-1);
  }

  #packsRight(): boolean {
    const access = plainLoad(this.#right);
    if (!access || isGuarded(this.#right)) return true;
    if (this.#tile.mode !== 'right') return false;
    if (axisStride(this.#right, access, this.#tile.column.axis) !== 1) return true;
    const rowTiles = this.#rowAxes.reduce(
      (product, { name, size }) => product * Math.ceil(size / this.#tileOf(name)),
      1,
    );
    if (rowTiles === 1) return false;
    if (this.#sizeOf(this.#tile.column.axis) % this.#target.lanes !== 0) return true;
    const inner = this.#innermost();
    const stride = inner ? Math.abs(axisStride(this.#right, access, inner.name)) : 0;
    return stride > this.#tile.column.tile && rowTiles >= ((stride * 4) % 4096 === 0 ? 3 : 8);
  }

  #rightPanel(): { axis: string; width: number } | undefined {
    if (this.#tile.mode !== 'right') return undefined;
    const { axis } = this.#tile.column;
    const own = ownComponent(this.#right, axis);
    return own && own.extent === undefined ? { axis, width: this.#tile.column.tile } : undefined;
  }

  #packsLeft(): boolean {
    const access = plainLoad(this.#left);
    if (!access || isGuarded(this.#left)) return true;
    if (this.#tile.mode !== 'right') return false;
    const inner = this.#innermost();
    if (!inner || this.#rowAxes.length === 0) return false;
    const panels = Math.ceil(this.#sizeOf(this.#tile.column.axis) / this.#tile.column.tile);
    const points = [...this.#rowAxes, ...this.#nest.reductions].reduce((product, { size }) => product * size, 1);
    const reuse = (panels * points) / this.#elements(this.#left, this.#sizes);
    return reuse >= 4 && Math.abs(axisStride(this.#left, access, inner.name)) > 16;
  }

  /** Rows that are neighbours in memory are packed side by side. */
  #leftPanel(): { axis: string; width: number } | undefined {
    const [row, second] = this.#tile.rows;
    if (!row || second || this.#tile.mode !== 'right') return undefined;
    const own = ownComponent(this.#left, row.axis);
    return own && own.extent === undefined && isContiguous(this.#left, row.axis) && this.#sizeOf(row.axis) > row.tile
      ? { axis: row.axis, width: row.tile }
      : undefined;
  }

  /** Blocks of the reductions, so that a panel of the right operand stays in the first cache while rows go by. */
  #reductionBlocks(): { axis: string; block: number }[] {
    const most = this.#target.L1 / 2 / (4 * this.#tile.column.tile);
    const blocks: { axis: string; block: number }[] = [];
    let inside = 1;
    for (const { name, size } of stepOrder(this.#nest.reductions, this.#tile.depth).toReversed()) {
      if (blocks.length > 0) {
        blocks.unshift({ axis: name, block: 1 });
      } else if (inside * size <= most * 1.6) {
        inside *= size;
      } else {
        const parts = Math.ceil(size / Math.max(1, Math.floor(most / inside)));
        const unit = name === this.#tile.depth ? this.#target.lanes : 1;
        blocks.unshift({ axis: name, block: Math.ceil(size / parts / unit) * unit });
      }
    }
    return blocks;
  }

  /** Cuts of row and lane axes that repeat least packing and load 1 to 16 threads evenly. */
  #jobs(packsLeft: boolean, packsRight: boolean): { axis: string; block: number }[] {
    const { mode, column, cycles } = this.#tile;
    const lane = column.axis;
    const limit = Math.max(1, Math.floor(cycles / this.#target.cyclesPerMicrosecond / jobMicroseconds));
    const shared = this.#nest.axes.filter(
      ({ name }) => name !== lane && usesAxis(this.#left, name) === usesAxis(this.#right, name),
    );
    const batch: { axis: string; block: number }[] = [];
    let batches = 1;
    for (const { name, size } of shared) {
      const block = Math.ceil(size / Math.min(size, Math.max(1, Math.floor((4 * wantedJobs) / batches))));
      const count = Math.ceil(size / block);
      if (batches * count > limit && batches > 1) break;
      const allowed = Math.max(1, Math.min(count, Math.floor(limit / batches)));
      batch.push({ axis: name, block: Math.ceil(size / allowed) });
      batches *= Math.ceil(size / Math.ceil(size / allowed));
    }
    const leftCost = packsLeft ? packCycles : rereadCycles;
    const rightCycles = this.#elements(this.#right, this.#sizes) * (packsRight ? packCycles : rereadCycles);
    let best: { axis: string; block: number }[] = batch;
    let bestCost = Number.POSITIVE_INFINITY;
    const panels = Math.ceil(this.#sizeOf(lane) / this.#tile.column.tile);
    for (const rowCut of this.#rowCuts()) {
      // blocks of an axis that shifts inside a component overlap
      const spans = new Map(this.#sizes);
      for (const { axis, block } of rowCut.cuts) spans.set(axis, Math.min(block, spans.get(axis)!));
      const leftCycles = rowCut.parts * this.#elements(this.#left, spans) * leftCost;
      for (let cut = 1; cut <= Math.min(panels, mostParts); cut++) {
        const block = Math.ceil(panels / cut);
        const laneParts = Math.ceil(panels / block);
        if (laneParts !== cut) continue;
        const jobs = batches * rowCut.parts * laneParts;
        if (jobs > 1 && jobs > limit && jobs > batches) continue;
        // cuts of lanes that both operands have repeat nothing, but break the lines of memory
        const leftTimes = mode === 'both' ? 0.5 + 0.5 * laneParts : laneParts;
        const total = cycles + leftTimes * leftCycles + rowCut.parts * rightCycles + jobs * jobCycles;
        const largest =
          (total / batches) * rowCut.largest * Math.min(1, (block * this.#tile.column.tile) / this.#sizeOf(lane));
        const rounds = Math.ceil(jobs / wantedJobs);
        const cost = total + 0.5 * Math.max(0, wantedJobs * rounds * largest - total);
        if (cost >= bestCost) continue;
        bestCost = cost;
        best = [
          ...batch,
          ...rowCut.cuts,
          ...(laneParts > 1 ? [{ axis: lane, block: block * this.#tile.column.tile }] : []),
        ];
      }
    }
    return best;
  }

  /** Ways to cut the rows: the first axis into blocks, or into single positions and then the next one. */
  #rowCuts(): { cuts: { axis: string; block: number }[]; parts: number; largest: number }[] {
    const result = [{ cuts: [] as { axis: string; block: number }[], parts: 1, largest: 1 }];
    let outer: { axis: string; block: number }[] = [];
    let outerParts = 1;
    let outerLargest = 1;
    for (const { name, size } of this.#byPurity()) {
      const unit = this.#tileOf(name);
      const units = Math.ceil(size / unit);
      for (let parts = 2; parts <= units && parts * outerParts <= mostParts; parts++) {
        const block = Math.ceil(units / parts) * unit;
        if (Math.ceil(size / block) !== parts) continue;
        result.push({
          cuts: [...outer, { axis: name, block }],
          parts: outerParts * parts,
          largest: (outerLargest * Math.min(block, size)) / size,
        });
      }
      outer = [...outer, { axis: name, block: unit }];
      outerParts *= units;
      outerLargest *= Math.min(1, unit / size);
      if (outerParts > mostParts) break;
    }
    return result;
  }
}
