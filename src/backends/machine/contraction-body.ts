import {
  blocksOf,
  type Component,
  type ContractionNest,
  type ContractionSchedule,
  type Operand,
  type Side,
  type Stage,
  stepOrder,
} from '../../compiler/index.js';
import { InternalError } from '../../core/index.js';
import { type Cursors, pushSum } from './affine-code.js';
import type { Code, FunctionHandle, Local } from './code.js';
import type { KernelOptions } from './emit-loop.js';
import { emitPack } from './pack.js';
import type { PackedBox } from './packed-box.js';
import type { StepLoop, TileRow, TileShape } from './tile.js';

/** Where a tile finds an operand (or partial sums): base + Σ between[axis] · position; neighbours inside a tile are `within[axis]` apart. */
export interface View {
  readonly base: Local;
  readonly between: Readonly<Record<string, number>>;
  readonly within: Readonly<Record<string, number>>;
  /** Whether whole vectors may be read at the end of the lanes. */
  readonly isPadded: boolean;
}

/** What is known at one place of the loops. */
export interface State {
  readonly spans: ReadonlyMap<string, number>;
  /** Set where this is the first and the last block of the reductions; `undefined` where there is but one. */
  readonly begins: Local | undefined;
  readonly ends: Local | undefined;
  /** Blocks of the reductions. */
  readonly blocks: number;
  readonly left: View | undefined;
  readonly right: View | undefined;
  /** Where sums wait between blocks of the reductions. */
  readonly partial: View | undefined;
}

/** A body that jobs share: its function and its own view of everything. */
export interface Body {
  readonly f: Code;
  readonly positions: ReadonlyMap<string, Local>;
  readonly scratch: Local;
  readonly fault: Local;
}

/** What a body needs to know of its kernel. */
export interface BodyContext {
  /** Stages inside the jobs. */
  readonly order: readonly Stage[];
  readonly offsets: { readonly left: number; readonly right: number };
  readonly nest: ContractionNest;
  readonly schedule: ContractionSchedule;
  readonly cursors: Cursors;
  readonly options: KernelOptions;
  operand(side: Side): Operand;
  buffer(number: number): Local;
  boxOf(stage: Extract<Stage, { kind: 'pack' }>, spans: ReadonlyMap<string, number>): PackedBox;
  partialView(spans: ReadonlyMap<string, number>): View;
  tile(shape: TileShape): FunctionHandle;
}

/** Writes what one job does: loops and packing in the order of the schedule, and calls of tiles inside. */
export class BodyEmitter {
  readonly #body: Body;
  readonly #kernel: BodyContext;

  constructor(body: Body, kernel: BodyContext) {
    this.#body = body;
    this.#kernel = kernel;
  }

  walk(depth: number, state: State): void {
    const stage = this.#kernel.order[depth];
    if (!stage) this.#callTile(state);
    else if (stage.kind === 'pack') this.walk(depth + 1, this.#pack(stage, state));
    else this.#loop(stage, depth, state);
  }

  #loop({ axis, block, isBalanced }: Extract<Stage, { kind: 'loop' }>, depth: number, state: State): void {
    const { f, positions } = this.#body;
    const span = state.spans.get(axis)!;
    const blocks = blocksOf(span, block, isBalanced);
    const isReduction = this.#kernel.nest.reductions.some(({ name }) => name === axis);
    const total = blocks.reduce((sum, { count }) => sum + count, 0);
    const position = positions.get(axis)!;
    const isBlocked = isReduction && total > 1;
    const start: State = isBlocked
      ? {
          ...state,
          partial: state.partial ?? this.#kernel.partialView(state.spans),
          begins: f.local('i32'),
          ends: f.local('i32'),
          blocks: state.blocks * total,
        }
      : state;
    for (const { size, count } of blocks) {
      const inner = { ...start, spans: new Map(state.spans).set(axis, size) };
      const body = (): void => {
        if (isBlocked) this.#mark(inner, state, position, span - size);
        this.walk(depth + 1, inner);
        if (total > 1) f.get(position).i32(size).op('i32.add').set(position);
      };
      if (count === 1) {
        body();
        continue;
      }
      const rest = f.local('i32');
      f.i32(count).set(rest);
      f.loop((again) => {
        body();
        f.get(rest).i32(1).op('i32.sub').tee(rest).brIf(again);
      });
      f.free(rest);
    }
    if (total > 1) f.get(position).i32(span).op('i32.sub').set(position);
    if (isBlocked) f.free(start.begins!).free(start.ends!);
  }

  /** Whether a block of a reduction, inside blocks of others, is the first or the last of all. Reductions are not cut into jobs. */
  #mark(inner: State, outer: State, position: Local, last: number): void {
    const { f } = this.#body;
    f.get(position).op('i32.isZero');
    if (outer.begins) f.get(outer.begins).op('i32.and');
    f.set(inner.begins!).get(position).i32(last).op('i32.equal');
    if (outer.ends) f.get(outer.ends).op('i32.and');
    f.set(inner.ends!);
  }

  #pack(stage: Extract<Stage, { kind: 'pack' }>, state: State): State {
    const { f, positions, scratch, fault } = this.#body;
    const operand = this.#kernel.operand(stage.operand);
    const box = this.#kernel.boxOf(stage, state.spans);
    const to = f.local('i32');
    f.get(scratch).i32(this.#kernel.offsets[stage.operand]).op('i32.add').set(to);
    emitPack(f, {
      operand,
      box,
      pushOrigin: ({ index }: Component) => {
        const back = Object.entries(index.terms).reduce(
          (sum, [axis, factor]) => sum + Math.min(0, factor) * (state.spans.get(axis)! - 1),
          0,
        );
        pushSum(f, Object.entries(index.terms), (axis) => positions.get(axis), undefined, index.constant + back);
      },
      buffer: (number) => this.#kernel.buffer(number),
      fault,
      to,
      options: this.#kernel.options,
    });
    const between: Record<string, number> = {};
    const within: Record<string, number> = {};
    let start = 0;
    const add = ({ index }: Component, apart: number, near: number): void => {
      for (const [axis, factor] of Object.entries(index.terms)) {
        between[axis] = (between[axis] ?? 0) + factor * apart;
        within[axis] = (within[axis] ?? 0) + factor * near;
        if (factor < 0) start -= factor * (state.spans.get(axis)! - 1) * apart;
      }
    };
    for (const { component, stride } of box.dimensions) add(component, stride, stride);
    if (box.panel) add(box.panel.component, box.panel.pitch / box.panel.width, 4);
    const base = f.local('i32');
    const backwards = Object.entries(between).map(([axis, stride]) => [axis, -stride] as const);
    pushSum(f, backwards, (axis) => positions.get(axis), to, start);
    f.set(base).free(to);
    return { ...state, [stage.operand]: { base, between, within, isPadded: box.panel !== undefined } };
  }

  /** Bytes from a view's first point of a tile to each of its rows. */
  #offsets(view: View, points: readonly Readonly<Record<string, number>>[]): number[] {
    return points.map((at) => Object.entries(at).reduce((sum, [axis, by]) => sum + (view.within[axis] ?? 0) * by, 0));
  }

  #pushView(view: View, constant: number): void {
    const { f, positions } = this.#body;
    pushSum(f, Object.entries(view.between), (axis) => positions.get(axis), view.base, constant);
  }

  #callTile({ spans, begins, ends, blocks, left, right, partial }: State): void {
    const { f, positions, fault } = this.#body;
    const { nest, schedule, cursors } = this.#kernel;
    if (!left || !right) throw new InternalError(`${nest.name}: an operand must be packed`);
    const points = schedule.rows.reduce<Record<string, number>[]>(
      (all, { axis }) =>
        all.flatMap((at) => Array.from({ length: spans.get(axis)! }, (_, i) => ({ ...at, [axis]: i }))),
      [{}],
    );
    const lefts = this.#offsets(left, points);
    const partials = partial ? this.#offsets(partial, points) : points.map(() => 0);
    const [leastLeft, leastPartial] = [Math.min(...lefts), Math.min(...partials)];
    const rows: TileRow[] = points.map((at, i) => ({
      left: lefts[i]! - leastLeft,
      partial: partials[i]! - leastPartial,
      at,
    }));
    const { axis } = schedule.column;
    const lanes = spans.get(axis)!;
    const loops = stepOrder(nest.reductions, schedule.depth).map(({ name }) => ({
      count: spans.get(name)!,
      left: left.between[name] ?? 0,
      right: right.between[name] ?? 0,
    }));
    const shape: Omit<TileShape, 'begins' | 'ends'> = {
      rows,
      lanes,
      columnStride: schedule.mode === 'reduce' ? (right.within[axis] ?? 0) : 4 * f.lanes,
      isPadded: schedule.mode === 'right' && (right.isPadded || lanes % f.lanes === 0),
      ...(schedule.mode === 'reduce' ? acrossLanes(loops, f.lanes) : { loops: mergeLoops(loops), tail: 0 }),
    };
    const args: Local[] = [];
    const keep = (push: () => void): void => {
      push();
      const local = f.local('i32');
      f.set(local);
      args.push(local);
    };
    keep(() => this.#pushView(left, leastLeft));
    keep(() => this.#pushView(right, 0));
    keep(() => (partial ? this.#pushView(partial, leastPartial) : f.i32(0)));
    keep(() => f.get(fault));
    for (const { buffer, steps, least } of cursors.all) {
      const start = buffer === undefined ? undefined : this.#kernel.buffer(buffer);
      keep(() => pushSum(f, Object.entries(steps), (name) => positions.get(name), start, least));
    }
    const call = (first: boolean, last: boolean): void => {
      for (const local of args) f.get(local);
      f.call(this.#kernel.tile({ ...shape, begins: first, ends: last }));
    };
    const later = (): void => {
      if (blocks === 2) call(false, true);
      else
        f.get(ends!).if_(
          () => call(false, true),
          () => call(false, false),
        );
    };
    if (begins) f.get(begins).if_(() => call(true, false), later);
    else call(true, true);
    for (const local of args) f.free(local);
  }
}

/** Loops whose innermost takes a vector of both operands a step; `tail` elements of it are left at the end of each run. */
function acrossLanes(loops: readonly StepLoop[], width: number): { loops: StepLoop[]; tail: number } {
  const inner = loops.at(-1)!;
  const vectors = { ...inner, count: Math.floor(inner.count / width) };
  const tail = inner.count % width;
  const wide = { count: vectors.count, left: width * inner.left, right: width * inner.right };
  const outer = mergeLoops(loops.slice(0, -1));
  return tail === 0 ? { loops: mergeLoops([...outer, wide]), tail } : { loops: [...outer, wide], tail };
}

/** Loops of steps without those that run once; neighbours that move both operands alike are one. */
function mergeLoops(loops: readonly StepLoop[]): StepLoop[] {
  const merged: StepLoop[] = [];
  for (const loop of loops) {
    if (loop.count === 1) continue;
    const outer = merged.at(-1);
    if (outer && outer.left === loop.count * loop.left && outer.right === loop.count * loop.right) {
      merged[merged.length - 1] = { count: outer.count * loop.count, left: loop.left, right: loop.right };
    } else {
      merged.push(loop);
    }
  }
  return merged;
}
