import {
  arrange,
  axisStride,
  blocksOf,
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
} from '../../compiler/index.js';
import { Cursors, pushSum } from './affine-code.js';
import type { CodeModule, FunctionHandle, Local } from './code.js';
import { type Body, BodyEmitter, type State, type View } from './contraction-body.js';
import type { EmittedKernel, KernelOptions } from './emit-loop.js';
import { layOutBox, type PackedBox } from './packed-box.js';
import { emitTile, type TileContext, type TileShape, tileParameters } from './tile.js';

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
      begins: undefined,
      ends: undefined,
      blocks: 1,
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
