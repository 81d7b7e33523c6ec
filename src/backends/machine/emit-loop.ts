import {
  type Accumulator,
  type Affine,
  type CombineOp,
  coefficient,
  countJobs,
  type Expression,
  type LoopNest,
  type LoopSchedule,
  type ScalarType,
} from '../../compiler/index.js';
import type { Code, CodeModule, FunctionHandle, Local } from './code.js';
import { CursorSet, type Positions } from './cursors.js';
import { LaneEmitter, type PointSources } from './lanes.js';
import { isFloatSum, LongSums } from './long-sums.js';

/** A kernel in a module: (job, scratch, fault, base address of each buffer) -> (). */
export interface EmittedKernel {
  readonly jobs: number;
  /** Bytes that each thread needs for itself while it runs. */
  readonly scratchBytes: number;
  readonly function: FunctionHandle;
}

export interface KernelOptions {
  /** Number under which a fault at this place is reported. */
  faultCode(where: string, extent: number): number;
}

/** 1, or the machine's lanes. */
type Width = number;

export function emitLoop(
  module: CodeModule,
  name: string,
  nest: LoopNest,
  schedule: LoopSchedule,
  buffers: number,
  options: KernelOptions,
): EmittedKernel {
  const f = module.function(name, new Array(3 + buffers).fill('i32'));
  new LoopEmitter(f, nest, schedule, options).emit();
  return { jobs: countJobs(nest, schedule), scratchBytes: 0, function: f };
}

/** Accumulators of one vector of points (or of one point). */
interface Gathered {
  readonly values: readonly Local[];
  /** Position of the best, for argmax and argmin. */
  readonly positions: readonly (Local | undefined)[];
}

class LoopEmitter {
  readonly #f: Code;
  readonly #nest: LoopNest;
  readonly #schedule: LoopSchedule;
  readonly #options: KernelOptions;
  readonly #cursors: CursorSet;
  /** How many points there are of an axis that is cut: into jobs, or a sum into blocks. */
  readonly #counts = new Map<string, number | Local>();

  constructor(f: Code, nest: LoopNest, schedule: LoopSchedule, options: KernelOptions) {
    this.#f = f;
    this.#nest = nest;
    this.#schedule = schedule;
    this.#options = options;
    this.#cursors = new CursorSet(f);
  }

  emit(): void {
    const { accumulators, stores } = this.#nest;
    this.#cursors.needExpressions([...accumulators.map(({ value }) => value), ...stores.map(({ value }) => value)]);
    for (const { access } of stores) this.#cursors.needAccess(access);
    for (const { position } of accumulators) if (position) this.#cursors.needIndex(position);
    const starts = this.#decodeJob();
    const positions = this.#cursors.start((buffer) => this.#f.params[3 + buffer]!, starts);
    const { lane } = this.#schedule;
    const outer = this.#nest.axes.filter(({ name }) => name !== lane?.axis).map(({ name }) => name);
    this.#nested(outer, positions, (at) => this.#lanes(at));
  }

  /** Start of each split axis in this job, and how many points it has there. */
  #decodeJob(): Map<string, Local> {
    const f = this.#f;
    const starts = new Map<string, Local>();
    const rest = f.local('i32');
    f.get(f.params[0]!).set(rest);
    for (const { axis, block } of this.#schedule.jobs.toReversed()) {
      const { size } = this.#nest.axes.find(({ name }) => name === axis)!;
      const count = Math.ceil(size / block);
      const start = f.local('i32');
      f.get(rest).i32(count).op('i32.remUnsigned').i32(block).op('i32.mul').set(start);
      f.get(rest).i32(count).op('i32.divUnsigned').set(rest);
      starts.set(axis, start);
      if (size % block === 0) {
        this.#counts.set(axis, block);
        continue;
      }
      const points = f.local('i32');
      f.i32(block)
        .i32(size)
        .get(start)
        .op('i32.sub')
        .i32(block)
        .i32(size)
        .get(start)
        .op('i32.sub')
        .op('i32.less')
        .select()
        .set(points);
      this.#counts.set(axis, points);
    }
    f.free(rest);
    return starts;
  }

  #countOf(axis: string): number | Local {
    const known = this.#counts.get(axis);
    if (known !== undefined) return known;
    const { axes, reductions, ordered } = this.#nest;
    return [...axes, ...reductions, ...(ordered ? [ordered] : [])].find(({ name }) => name === axis)!.size;
  }

  #nested(axes: readonly string[], at: Positions, body: (at: Positions) => void): void {
    const [axis, ...inner] = axes;
    if (axis === undefined) body(at);
    else this.#cursors.along(axis, this.#countOf(axis), 1, at, (inside) => this.#nested(inner, inside, body));
  }

  /** The lane axis: groups of vectors, then single vectors, then points. */
  #lanes(at: Positions): void {
    const { lane, vectors } = this.#schedule;
    if (!lane) {
      this.#points(at, 1, 1);
    } else if (lane.over === 'reductions') {
      this.#reduceAcrossLanes(at);
    } else {
      const count = this.#countOf(lane.axis);
      this.#strips(lane.axis, count, vectors, at, (inside, width, group) => this.#points(inside, width, group));
    }
  }

  /** Cuts `count` points of an axis into strips of `vectors` vectors, of one vector, and of one point. */
  #strips(
    axis: string,
    count: number | Local,
    vectors: number,
    at: Positions,
    body: (at: Positions, width: Width, vectors: number) => void,
  ): void {
    const f = this.#f;
    const widths: readonly (readonly [points: number, width: Width, vectors: number])[] = [
      ...(vectors > 1 ? [[vectors * this.#f.lanes, this.#f.lanes, vectors] as const] : []),
      [this.#f.lanes, this.#f.lanes, 1],
      [1, 1, 1],
    ];
    if (typeof count === 'number') {
      let done = 0;
      for (const [points, width, group] of widths) {
        const times = Math.floor((count - done) / points);
        if (times === 0) continue;
        const { positions, release } = this.#cursors.advanced(axis, done, at);
        this.#cursors.along(axis, times, points, positions, (inside) => body(inside, width, group));
        release();
        done += times * points;
      }
      return;
    }
    const left = f.local('i32');
    const done = f.local('i32');
    const times = f.local('i32');
    f.get(count).set(left).i32(0).set(done);
    for (const [points, width, group] of widths) {
      f.get(left).i32(points).op('i32.divUnsigned').set(times);
      const { positions, release } = this.#cursors.advanced(axis, done, at);
      this.#cursors.along(axis, times, points, positions, (inside) => body(inside, width, group));
      release();
      f.get(times).i32(points).op('i32.mul').get(done).op('i32.add').set(done);
      f.get(count).get(done).op('i32.sub').set(left);
    }
    for (const local of [left, done, times]) f.free(local);
  }

  #sources(at: Positions, gathered: Gathered | undefined, ahead: number): PointSources {
    const { lane } = this.#schedule;
    const axis = lane?.axis;
    return {
      address: (access) => this.#cursors.pushAddress(access, at, axis, ahead),
      laneStride: ({ address }) => (axis ? coefficient(address, axis) : 0),
      index: (affine) => this.#cursors.pushIndex(affine, at, axis, ahead),
      laneStep: (affine) => (axis ? coefficient(affine, axis) : 0),
      accumulator: (number) => gathered!.positions[number] ?? gathered!.values[number]!,
      faultAddress: () => this.#f.get(this.#f.params[2]!),
      faultCode: (where, extent) => this.#options.faultCode(where, extent),
    };
  }

  /** `vectors` vectors side by side (or one point): gather, then store. */
  #points(at: Positions, width: Width, vectors: number): void {
    const f = this.#f;
    const { accumulators, reductions, ordered } = this.#nest;
    const groups = Array.from({ length: vectors }, () => this.#begin(width));
    const gather = (inside: Positions): void => {
      groups.forEach((gathered, i) => {
        this.#gather(inside, width, gathered, i * this.#f.lanes);
      });
    };
    const store = (inside: Positions): void => {
      groups.forEach((gathered, i) => {
        this.#store(inside, width, gathered, i * this.#f.lanes);
      });
    };
    const isLong = this.#schedule.sums !== undefined || ordered !== undefined;
    const totals = groups.map(
      () => isLong && accumulators.some(isFloatSum) && new LongSums(f, accumulators, width > 1),
    );
    const eachTotal = (visit: (total: LongSums, values: readonly Local[]) => void): void =>
      totals.forEach((total, i) => {
        if (total) visit(total, groups[i]!.values);
      });
    const put = (): void => eachTotal((total, values) => total.add(values));
    if (ordered) {
      this.#cursors.along(ordered.name, ordered.size, 1, at, (inside) => {
        if (accumulators.length > 0) gather(inside);
        put();
        eachTotal((total, values) => total.show(values));
        store(inside);
        eachTotal((total, values) => total.clear(values));
      });
    } else {
      const order = reductions.map(({ name }) => name);
      if (accumulators.length > 0) this.#inBlocks(order, at, (inside, axes) => this.#nested(axes, inside, gather), put);
      eachTotal((total, values) => total.show(values));
      store(at);
    }
    eachTotal((total) => total.release());
    for (const gathered of groups) this.#end(gathered);
  }

  /** Runs `body` over the reduced axes; long sums are cut where the schedule says so, and `after` runs after each block. */
  #inBlocks(
    axes: readonly string[],
    at: Positions,
    body: (at: Positions, axes: readonly string[]) => void,
    after: () => void,
  ): void {
    const cut = this.#schedule.sums;
    if (!cut) {
      body(at, axes);
      return;
    }
    const { axis, block } = cut;
    const index = axes.indexOf(axis);
    const size = this.#countOf(axis) as number;
    const times = Math.floor(size / block);
    const part = (inside: Positions, points: number): void => {
      this.#counts.set(axis, points);
      body(inside, axes.slice(index));
      this.#counts.delete(axis);
      after();
    };
    this.#nested(axes.slice(0, index), at, (outer) => {
      this.#cursors.along(axis, times, block, outer, (inside) => part(inside, block));
      if (times * block === size) return;
      const { positions, release } = this.#cursors.advanced(axis, times * block, outer);
      part(positions, size - times * block);
      release();
    });
  }

  #begin(width: Width): Gathered {
    const f = this.#f;
    const values = this.#nest.accumulators.map(({ combine, type }) => {
      const local = f.local(localType(type, width));
      pushNumber(f, type, width, initialValue(combine, type));
      f.set(local);
      return local;
    });
    const positions = this.#nest.accumulators.map(({ position }) => {
      if (!position) return undefined;
      const local = f.local(localType('i32', width));
      pushNumber(f, 'i32', width, 0);
      f.set(local);
      return local;
    });
    return { values, positions };
  }

  #end({ values, positions }: Gathered): void {
    for (const local of [...values, ...positions]) if (local) this.#f.free(local);
  }

  #gather(at: Positions, width: Width, gathered: Gathered, ahead: number): void {
    const emitter = new LaneEmitter(this.#f, width, this.#sources(at, undefined, ahead));
    this.#nest.accumulators.forEach((accumulator, i) => {
      const value = emitter.value(accumulator.value);
      const position = gathered.positions[i];
      if (position) this.#keepBest(accumulator, width, value, gathered.values[i]!, position, emitter);
      else this.#combine(accumulator, width, gathered.values[i]!, value);
    });
    emitter.release();
  }

  /** into = into ∘ value */
  #combine({ combine, type }: Accumulator, width: Width, into: Local, value: Local): void {
    const f = this.#f;
    const op = combine === 'sum' ? 'add' : combine === 'prod' ? 'mul' : (combine as 'max' | 'min');
    const kind = type === 'f32' ? 'f32' : 'i32';
    f.get(into)
      .get(value)
      .op(width > 1 ? `vector.${kind}.${op}` : `${kind}.${op}`)
      .set(into);
  }

  /** A value replaces the best where it is better, or the first NaN: then its position does as well. */
  #keepBest(
    { combine, type, position }: Accumulator,
    width: Width,
    value: Local,
    best: Local,
    bestPosition: Local,
    emitter: LaneEmitter,
  ): void {
    const f = this.#f;
    const isVector = width > 1;
    const index: Expression = { kind: 'index', type: 'i32', index: position as Affine };
    const at = emitter.value(index);
    const better = f.local(isVector ? 'vector' : 'i32');
    const greater = combine === 'argmax';
    f.get(value).get(best);
    if (type === 'f32')
      f.op(isVector ? (greater ? 'vector.f32.greater' : 'vector.f32.less') : greater ? 'f32.greater' : 'f32.less');
    else f.op(isVector ? (greater ? 'vector.i32.greater' : 'vector.i32.less') : greater ? 'i32.greater' : 'i32.less');
    if (type === 'f32') {
      const [ne, eq] = isVector
        ? (['vector.f32.notEqual', 'vector.f32.equal'] as const)
        : (['f32.notEqual', 'f32.equal'] as const);
      const [both, either] = isVector ? (['vector.and', 'vector.or'] as const) : (['i32.and', 'i32.or'] as const);
      f.get(value).get(value).op(ne).get(best).get(best).op(eq).op(both).op(either);
    }
    f.set(better);
    for (const [candidate, kept] of [
      [value, best],
      [at, bestPosition],
    ] as const) {
      f.get(candidate).get(kept).get(better);
      if (isVector) f.op('vector.select');
      else f.select();
      f.set(kept);
    }
    f.free(better);
  }

  #store(at: Positions, width: Width, gathered: Gathered, ahead: number): void {
    const emitter = new LaneEmitter(this.#f, width, this.#sources(at, gathered, ahead));
    // all values before any store: a donated output may be what another value still reads
    const values = this.#nest.stores.map(({ value }) => emitter.value(value));
    this.#nest.stores.forEach(({ access, mode }, i) => {
      emitter.store(access, values[i]!, { add: mode === 'add' });
    });
    emitter.release();
  }

  /** Lanes on a reduced axis: several vectors of partial results in turn, folded at the end in a fixed tree. */
  #reduceAcrossLanes(at: Positions): void {
    const f = this.#f;
    const { lane, vectors } = this.#schedule;
    const { accumulators, reductions } = this.#nest;
    const groups = Array.from({ length: vectors }, () => this.#begin(this.#f.lanes));
    const tail = this.#begin(1);
    const order = [...reductions.map(({ name }) => name).filter((name) => name !== lane!.axis), lane!.axis];
    const [all] = groups as [Gathered, ...Gathered[]];
    const totals = this.#schedule.sums && {
      vectors: new LongSums(f, accumulators, true),
      tail: new LongSums(f, accumulators, false),
    };
    const fold = (which: (accumulator: Accumulator) => boolean): void => {
      accumulators.forEach((accumulator, i) => {
        if (!which(accumulator)) return;
        for (let step = 1; step < vectors; step *= 2) {
          for (let j = 0; j + step < vectors; j += 2 * step)
            this.#combine(accumulator, this.#f.lanes, groups[j]!.values[i]!, groups[j + step]!.values[i]!);
        }
      });
    };
    this.#inBlocks(
      order,
      at,
      (start, axes) =>
        this.#nested(axes.slice(0, -1), start, (inside) => {
          this.#strips(lane!.axis, this.#countOf(lane!.axis), vectors, inside, (point, width, count) => {
            if (width === 1) this.#gather(point, 1, tail, 0);
            else for (let i = 0; i < count; i++) this.#gather(point, width, groups[i]!, i * this.#f.lanes);
          });
        }),
      () => {
        fold(isFloatSum);
        totals!.vectors.add(all.values);
        totals!.tail.add(tail.values);
        for (const { values } of groups.slice(1)) totals!.vectors.clear(values);
      },
    );
    if (totals) {
      totals.vectors.show(all.values);
      totals.tail.show(tail.values);
      totals.vectors.release();
      totals.tail.release();
    }
    fold(() => true);
    const results = accumulators.map((accumulator, i) => {
      const { type } = accumulator;
      const parts = Array.from({ length: this.#f.lanes }, (_, lane_) => {
        const part = f.local(localType(type, 1));
        f.get(all.values[i]!)
          .extractLane(type === 'f32' ? 'f32' : 'i32', lane_)
          .set(part);
        return part;
      });
      for (let step = 1; step < parts.length; step *= 2) {
        for (let j = 0; j + step < parts.length; j += 2 * step)
          this.#combine(accumulator, 1, parts[j]!, parts[j + step]!);
      }
      this.#combine(accumulator, 1, parts[0]!, tail.values[i]!);
      for (const part of parts.slice(1)) f.free(part);
      return parts[0]!;
    });
    this.#store(at, 1, { values: results, positions: results.map(() => undefined) }, 0);
    for (const gathered of [...groups, tail]) this.#end(gathered);
    for (const local of results) f.free(local);
  }
}

const localType = (type: ScalarType, width: Width): 'vector' | 'f32' | 'i32' =>
  width > 1 ? 'vector' : type === 'f32' ? 'f32' : 'i32';

function pushNumber(f: Code, type: ScalarType, width: Width, value: number): void {
  if (width > 1) f.vector(type === 'f32' ? 'f32' : 'i32', value);
  else if (type === 'f32') f.f32(value);
  else f.i32(value);
}

/** What combining begins with: the operation's neutral element. */
function initialValue(combine: CombineOp, type: ScalarType): number {
  switch (combine) {
    case 'sum':
      return 0;
    case 'prod':
      return 1;
    case 'max':
    case 'argmax':
      return type === 'f32' ? Number.NEGATIVE_INFINITY : -2147483648;
    case 'min':
    case 'argmin':
      return type === 'f32' ? Number.POSITIVE_INFINITY : 2147483647;
  }
}
