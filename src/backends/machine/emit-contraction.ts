import {
  arrange,
  axisStride,
  blocksOf,
  type Component,
  type ContractionNest,
  type ContractionSchedule,
  coefficient,
  componentSpan,
  type Operand,
  ownComponent,
  plainLoad,
  type Side,
  type Stage,
  type Store,
  stepOrder,
} from '../../compiler/index.js';
import { InternalError } from '../../core/index.js';
import { Cursors, pushSum } from './affine-code.js';
import type { Code, CodeModule, FunctionHandle, Local } from './code.js';
import type { EmittedKernel, KernelOptions } from './emit-loop.js';
import { emitPack } from './pack.js';
import { layOutBox, type PackedBox } from './packed-box.js';
import { emitTile, type StepLoop, type TileContext, type TileRow, type TileShape, tileParameters } from './tile.js';

export interface ContractionOptions extends KernelOptions {
  /** Buffers in which partial sums may stand until the last block of the reductions is added. */
  readonly partialSumsInPlace: ReadonlySet<number>;
}

/** Writes a scheduled contraction: one function for the jobs, one for each distinct body of a job and each distinct tile. */
export function emitContraction(
  module: CodeModule,
  name: string,
  nest: ContractionNest,
  schedule: ContractionSchedule,
  buffers: number,
  options: ContractionOptions,
): EmittedKernel {
  return new ContractionEmitter(module, name, nest, schedule, buffers, options).emit();
}

/** Where a tile finds an operand (or partial sums): base + Σ between[axis] · position; neighbours inside a tile are `within[axis]` apart. */
interface View {
  readonly base: Local;
  readonly between: Readonly<Record<string, number>>;
  readonly within: Readonly<Record<string, number>>;
  /** Whether whole vectors may be read at the end of the lanes. */
  readonly isPadded: boolean;
}

/** What is known at one place of the loops. */
interface State {
  readonly spans: ReadonlyMap<string, number>;
  /** Whether this is the first and the last block of the reductions. */
  readonly begins: boolean;
  readonly ends: boolean;
  readonly left: View | undefined;
  readonly right: View | undefined;
  /** Where sums wait between blocks of the reductions. */
  readonly partial: View | undefined;
}

/** A body that jobs share: its function and its own view of everything. */
interface Body {
  readonly f: Code;
  readonly positions: ReadonlyMap<string, Local>;
  readonly scratch: Local;
  readonly fault: Local;
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

class ContractionEmitter {
  readonly #module: CodeModule;
  readonly #name: string;
  readonly #nest: ContractionNest;
  readonly #schedule: ContractionSchedule;
  readonly #buffers: number;
  readonly #left: Operand;
  readonly #right: Operand;
  readonly #tileContext: TileContext;
  readonly #tiles = new Map<string, FunctionHandle>();
  readonly #partialStore: Store | undefined;
  readonly #scratch = { left: 0, right: 0, partial: 0 };
  #bodies = 0;

  constructor(
    module: CodeModule,
    name: string,
    nest: ContractionNest,
    schedule: ContractionSchedule,
    buffers: number,
    options: ContractionOptions,
  ) {
    const arranged = arrange(nest, schedule.swap);
    this.#module = module;
    this.#name = name;
    this.#nest = arranged;
    this.#schedule = schedule;
    this.#buffers = buffers;
    this.#left = arranged.left;
    this.#right = arranged.right;
    const { stores } = arranged;
    this.#tileContext = {
      stores,
      mode: schedule.mode,
      lane: schedule.column.axis,
      cursors: new Cursors(
        stores.map(({ value }) => value),
        stores.map(({ access }) => access),
      ),
      options,
    };
    this.#partialStore = stores.find(
      ({ access, mode }) =>
        mode === 'set' &&
        access.dtype === 'float32' &&
        access.dynamic.length === 0 &&
        coefficient(access.address, schedule.column.axis) === 1 &&
        options.partialSumsInPlace.has(access.buffer),
    );
  }

  /** Loops that are jobs, outer first; nothing else stands before or between them. */
  get #jobLoops(): Extract<Stage, { kind: 'loop' }>[] {
    return this.#schedule.order.filter((stage) => stage.kind === 'loop' && stage.isJob) as Extract<
      Stage,
      { kind: 'loop' }
    >[];
  }

  emit(): EmittedKernel {
    const scratchOffsets = this.#measureScratch();
    const f = this.#module.function(this.#name, new Array(3 + this.#buffers).fill('i32'));
    const positions = new Map<string, Local>();
    for (const { axis } of this.#jobLoops) if (!positions.has(axis)) positions.set(axis, f.local('i32'));
    const spans = new Map([...this.#nest.axes, ...this.#nest.reductions].map(({ name, size }) => [name, size]));
    const rest = f.local('i32');
    f.get(f.params[0]!).set(rest);
    const bodies = new Map<string, FunctionHandle>();
    // the innermost job loop is decoded first; sizes of blocks are told apart afterwards
    const numbers = this.#jobLoops.map(() => f.local('i32'));
    const counts: number[] = [];
    const sizes: number[][] = [];
    const running = new Map(spans);
    for (const { axis, block } of this.#jobLoops) {
      const span = running.get(axis)!;
      const blocks = blocksOf(span, block, false);
      counts.push(blocks.reduce((sum, { count }) => sum + count, 0));
      sizes.push(blocks.map(({ size }) => size));
      running.set(axis, Math.min(span, block));
    }
    for (let i = counts.length - 1; i >= 0; i--) {
      f.get(rest).i32(counts[i]!).op('i32.remUnsigned').set(numbers[i]!);
      f.get(rest).i32(counts[i]!).op('i32.divUnsigned').set(rest);
    }
    this.#jobLoops.forEach(({ axis, block }, i) => {
      const position = positions.get(axis)!;
      f.get(position).get(numbers[i]!).i32(block).op('i32.mul').op('i32.add').set(position);
    });
    const choose = (depth: number, at: ReadonlyMap<string, number>): void => {
      const loop = this.#jobLoops[depth];
      if (!loop) {
        const key = [...at].map(([axis, size]) => `${axis}${size}`).join();
        let body = bodies.get(key);
        if (!body) {
          body = this.#body(at, [...positions.keys()], scratchOffsets);
          bodies.set(key, body);
        }
        for (const param of f.params.slice(1)) f.get(param);
        for (const position of positions.values()) f.get(position);
        f.call(body);
        return;
      }
      const [first, last] = sizes[depth]!;
      const inner = (size: number) => choose(depth + 1, new Map(at).set(loop.axis, size));
      if (last === undefined) {
        inner(first!);
        return;
      }
      f.get(numbers[depth]!)
        .i32(counts[depth]! - 1)
        .op('i32.lessUnsigned');
      f.if_(
        () => inner(first!),
        () => inner(last),
      );
    };
    choose(0, spans);
    return {
      jobs: counts.reduce((product, count) => product * count, 1),
      scratchBytes: this.#scratch.left + this.#scratch.right + this.#scratch.partial,
      function: f,
    };
  }

  /** Offsets of the packed operands and partial sums in a thread's scratch, from the largest blocks there are. */
  #measureScratch(): { left: number; right: number; partial: number } {
    const spans = new Map([...this.#nest.axes, ...this.#nest.reductions].map(({ name, size }) => [name, size]));
    let isBlocked = false;
    for (const stage of this.#schedule.order) {
      if (stage.kind === 'loop') {
        const isReduction = this.#nest.reductions.some(({ name }) => name === stage.axis);
        if (isReduction && !isBlocked && stage.block < spans.get(stage.axis)!) {
          isBlocked = true;
          if (!this.#partialStore) this.#scratch.partial = align(this.#partialLayout(spans).bytes);
        }
        spans.set(stage.axis, Math.min(spans.get(stage.axis)!, stage.block));
      } else {
        this.#scratch[stage.operand] = align(this.#boxOf(stage, spans).bytes);
      }
    }
    const { left, right } = this.#scratch;
    return { right: 0, left: right, partial: right + left };
  }

  #operand(side: Side): Operand {
    return side === 'left' ? this.#left : this.#right;
  }

  #boxOf(stage: Extract<Stage, { kind: 'pack' }>, spans: ReadonlyMap<string, number>): PackedBox {
    const operand = this.#operand(stage.operand);
    const own = stage.panel && ownComponent(operand, stage.panel.axis);
    return layOutBox(
      operand,
      (component) => componentSpan(component, (axis) => spans.get(axis)!),
      own && { component: own, width: stage.panel!.width },
    );
  }

  /** Partial sums of a job in scratch: a box over the output axes, lanes innermost. */
  #partialLayout(spans: ReadonlyMap<string, number>): { strides: Record<string, number>; bytes: number } {
    const { axis: lane } = this.#schedule.column;
    const strides: Record<string, number> = { [lane]: 4 };
    let bytes = 4 * Math.ceil(spans.get(lane)! / this.#module.lanes) * this.#module.lanes;
    for (const { name } of this.#nest.axes.toReversed()) {
      if (name === lane || spans.get(name) === 1) continue;
      strides[name] = bytes;
      bytes *= spans.get(name)!;
    }
    return { strides, bytes };
  }

  #body(
    spans: ReadonlyMap<string, number>,
    given: readonly string[],
    offsets: { left: number; right: number; partial: number },
  ): FunctionHandle {
    const params = 2 + this.#buffers + given.length;
    const f = this.#module.function(`${this.#name} job${this.#bodies++ || ''}`, new Array(params).fill('i32'));
    const positions = new Map<string, Local>();
    given.forEach((axis, i) => {
      positions.set(axis, f.params[2 + this.#buffers + i]!);
    });
    for (const { axis } of this.#schedule.order.filter((stage) => stage.kind === 'loop'))
      if (!positions.has(axis)) positions.set(axis, f.local('i32'));
    const body: Body = { f, positions, scratch: f.params[0]!, fault: f.params[1]! };
    const state: State = {
      spans,
      begins: true,
      ends: true,
      left: this.#directView(body, 'left'),
      right: this.#directView(body, 'right'),
      partial: undefined,
    };
    const start = this.#schedule.order.findIndex((stage) => stage.kind === 'pack' || !stage.isJob);
    new BodyEmitter(body, {
      order: start < 0 ? [] : this.#schedule.order.slice(start),
      offsets,
      nest: this.#nest,
      schedule: this.#schedule,
      boxOf: (stage, at) => this.#boxOf(stage, at),
      partialView: (at) => this.#partialView(body, at, offsets.partial),
      tile: (shape) => this.#tile(shape),
      cursors: this.#tileContext.cursors,
      buffer: (number) => f.params[2 + number]!,
      options: this.#tileContext.options,
      operand: (side) => this.#operand(side),
    }).walk(0, state);
    return f;
  }

  #directView({ f }: Body, side: Side): View | undefined {
    const operand = this.#operand(side);
    const isPacked = this.#schedule.order.some((stage) => stage.kind === 'pack' && stage.operand === side);
    const access = plainLoad(operand);
    if (isPacked || !access) return undefined;
    const strides = Object.fromEntries(
      [...this.#nest.axes, ...this.#nest.reductions].map(({ name }) => [name, 4 * axisStride(operand, access, name)]),
    );
    const base = f.local('i32');
    f.get(f.params[2 + access.buffer]!)
      .i32(4 * access.address.constant)
      .op('i32.add')
      .set(base);
    return { base, between: strides, within: strides, isPadded: false };
  }

  #partialView({ f, scratch, positions }: Body, spans: ReadonlyMap<string, number>, offset: number): View {
    const base = f.local('i32');
    if (this.#partialStore) {
      const { access } = this.#partialStore;
      f.get(f.params[2 + access.buffer]!)
        .i32(4 * access.address.constant)
        .op('i32.add')
        .set(base);
      const strides = Object.fromEntries(
        this.#nest.axes.map(({ name }) => [name, 4 * coefficient(access.address, name)]),
      );
      return { base, between: strides, within: strides, isPadded: false };
    }
    const { strides } = this.#partialLayout(spans);
    const backwards = Object.entries(strides).map(([axis, stride]) => [axis, -stride] as const);
    pushSum(f, backwards, (axis) => positions.get(axis), scratch, offset);
    f.set(base);
    return { base, between: strides, within: strides, isPadded: true };
  }

  #tile(shape: TileShape): FunctionHandle {
    const key = JSON.stringify(shape);
    let tile = this.#tiles.get(key);
    if (!tile) {
      const { cursors } = this.#tileContext;
      const f = this.#module.function(
        `${this.#name} tile${this.#tiles.size} ${shape.rows.length}×${shape.lanes}`,
        new Array(tileParameters + cursors.all.length).fill('i32'),
      );
      emitTile(f, shape, this.#tileContext);
      tile = f;
      this.#tiles.set(key, tile);
    }
    return tile;
  }
}

/** What a body needs to know of its kernel. */
interface Kernel {
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
class BodyEmitter {
  readonly #body: Body;
  readonly #kernel: Kernel;

  constructor(body: Body, kernel: Kernel) {
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
    const partial = isReduction && total > 1 ? (state.partial ?? this.#kernel.partialView(state.spans)) : state.partial;
    const run = (size: number, count: number, begins: boolean, ends: boolean): void => {
      const inner = { ...state, partial, spans: new Map(state.spans).set(axis, size), begins, ends };
      const body = (): void => {
        this.walk(depth + 1, inner);
        if (total > 1) f.get(position).i32(size).op('i32.add').set(position);
      };
      if (count === 1) {
        body();
        return;
      }
      const rest = f.local('i32');
      f.i32(count).set(rest);
      f.loop((again) => {
        body();
        f.get(rest).i32(1).op('i32.sub').tee(rest).brIf(again);
      });
      f.free(rest);
    };
    if (!isReduction || total === 1) {
      for (const { size, count } of blocks) run(size, count, state.begins, state.ends);
    } else {
      let done = 0;
      // the first and the last block are code of their own, so that sums begin and end once
      for (const { size, count } of blocks) {
        let left = count;
        if (done === 0) {
          run(size, 1, state.begins, false);
          left--;
          done++;
        }
        const middle = done + left === total ? left - 1 : left;
        if (middle > 0) run(size, middle, false, false);
        done += middle;
        left -= Math.max(0, middle);
        if (left > 0) run(size, 1, false, state.ends);
        done += left;
      }
    }
    if (total > 1) f.get(position).i32(span).op('i32.sub').set(position);
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

  #callTile({ spans, begins, ends, left, right, partial }: State): void {
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
    const shape: TileShape = {
      rows,
      lanes,
      columnStride: schedule.mode === 'reduce' ? (right.within[axis] ?? 0) : 4 * f.lanes,
      isPadded: schedule.mode === 'right' && (right.isPadded || lanes % f.lanes === 0),
      ...(schedule.mode === 'reduce' ? acrossLanes(loops, f.lanes) : { loops: mergeLoops(loops), tail: 0 }),
      begins,
      ends,
    };
    const tile = this.#kernel.tile(shape);
    this.#pushView(left, leastLeft);
    this.#pushView(right, 0);
    if (partial) this.#pushView(partial, leastPartial);
    else f.i32(0);
    f.get(fault);
    for (const { buffer, steps, least } of cursors.all) {
      if (ends)
        pushSum(
          f,
          Object.entries(steps),
          (axis) => positions.get(axis),
          buffer === undefined ? undefined : this.#kernel.buffer(buffer),
          least,
        );
      else f.i32(0);
    }
    f.call(tile);
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
