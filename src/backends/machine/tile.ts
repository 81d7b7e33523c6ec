import type { Access, Affine, LaneMode, Store } from '../../compiler/index.js';
import { bytesPerElement } from '../../core/index.js';
import { allowsVector, type Cursors, pushOffset } from './affine-code.js';
import type { Code, Local } from './code.js';
import type { KernelOptions } from './emit-loop.js';
import { LaneEmitter, type PointSources } from './lanes.js';

/** One row of a tile: where it lies in the left operand and among the partial sums (in bytes), and at which point of the row axes. */
export interface TileRow {
  readonly left: number;
  readonly partial: number;
  readonly at: Readonly<Record<string, number>>;
}

/** A loop of steps, with the bytes that one round moves each operand by. */
export interface StepLoop {
  readonly count: number;
  readonly left: number;
  readonly right: number;
}

/** What one tile function computes; equal shapes are the same function. */
export interface TileShape {
  readonly rows: readonly TileRow[];
  /** Points of the column axis. */
  readonly lanes: number;
  /** Bytes between the vectors that a step reads from the right operand. */
  readonly columnStride: number;
  /** Whether whole vectors may be read where fewer lanes are left. */
  readonly isPadded: boolean;
  /** Outer to inner. */
  readonly loops: readonly StepLoop[];
  /** Elements that follow each run of the innermost loop and do not fill a vector, where lanes lie on that loop. */
  readonly tail: number;
  /** Sums begin at zero or with what an earlier block of the reductions left. */
  readonly begins: boolean;
  /** Sums go to the stores, or wait for a later block. */
  readonly ends: boolean;
}

/** What all tiles of a kernel share. */
export interface TileContext {
  readonly stores: readonly Store[];
  readonly mode: LaneMode;
  readonly lane: string;
  /** A parameter holds each, in their order. */
  readonly cursors: Cursors;
  readonly options: KernelOptions;
}

/** Parameters of a tile function before its cursors: addresses of left, right and partial sums, and of the fault word. */
export const tileParameters = 4;

/**
 * Writes a tile: rows × columns sums in locals; each step reads the columns' vectors of the right operand, and of the left one
 * value a row (or a vector a row, or a vector a sum, as the lanes lie).
 * One step a round: V8 spills when steps are unrolled (measured on V8 11: 51 GFLOP/s against 27).
 */
export function emitTile(f: Code, shape: TileShape, context: TileContext): void {
  const isReduced = context.mode === 'reduce';
  const columns = isReduced ? shape.lanes : Math.ceil(shape.lanes / f.lanes);
  const sums = shape.rows.map(() => Array.from({ length: columns }, () => f.local('vector')));
  if (!shape.begins && !isReduced) loadPartial(f, shape, sums);
  emitLoops(f, shape, (left, right, depth) => emitStep(f, shape, context, sums, left, right, depth));
  const results = isReduced ? sums.map((row) => addAcross(f, row)) : sums;
  if (!shape.begins && isReduced) addPartial(f, shape, results);
  if (shape.ends) new Epilogue(f, shape, context, results).emit();
  else storePartial(f, shape, results);
}

/** @param depth elements of each vector that are there, where lanes lie on a reduction */
function emitStep(
  f: Code,
  shape: TileShape,
  { mode }: TileContext,
  sums: readonly (readonly Local[])[],
  left: Local,
  right: Local,
  depth: number,
): void {
  const lanesOf = (j: number): number =>
    mode === 'reduce' ? depth : shape.isPadded ? f.lanes : Math.min(f.lanes, shape.lanes - j * f.lanes);
  const vectorAt = (pointer: Local, offset: number, lanes: number): Local => {
    const local = f.local('vector');
    f.get(pointer);
    loadLanes(f, offset, lanes);
    f.set(local);
    return local;
  };
  const columns = sums[0]!.map((_, j) => vectorAt(right, j * shape.columnStride, lanesOf(j)));
  const valueFor = (row: TileRow, j: number): Local => {
    if (mode === 'both') return vectorAt(left, row.left + j * 4 * f.lanes, lanesOf(j));
    if (mode === 'reduce') return vectorAt(left, row.left, depth);
    const local = f.local('vector');
    f.get(left).load('splat', row.left).set(local);
    return local;
  };
  // every value of the step is read before the first multiplication: what V8 11 and 12 do in any case
  const values = shape.rows.map((row) =>
    mode === 'both' ? columns.map((_, j) => valueFor(row, j)) : [valueFor(row, 0)],
  );
  sums.forEach((row, i) => {
    row.forEach((sum, j) => {
      const value = values[i]![mode === 'both' ? j : 0]!;
      f.get(value).get(columns[j]!).get(sum).op('vector.f32.madd').set(sum);
    });
  });
  for (const local of [...columns, ...values.flat()]) f.free(local);
}

function emitLoops(
  f: Code,
  { loops, tail }: TileShape,
  step: (left: Local, right: Local, depth: number) => void,
): void {
  const [left, right] = f.params as [Local, Local];
  const advance = (pointer: Local, bytes: number): void => {
    if (bytes !== 0) f.get(pointer).i32(bytes).op('i32.add').set(pointer);
  };
  const nest = (depth: number): void => {
    const loop = loops[depth];
    if (!loop) {
      step(left, right, f.lanes);
      return;
    }
    const inner = loops[depth + 1];
    const rewind = inner ? [inner.count * inner.left, inner.count * inner.right] : [0, 0];
    const body = (): void => {
      nest(depth + 1);
      advance(left, loop.left - rewind[0]!);
      advance(right, loop.right - rewind[1]!);
    };
    if (loop.count === 1) {
      body();
    } else if (loop.count > 1) {
      const rest = f.local('i32');
      f.i32(loop.count).set(rest);
      f.loop((again) => {
        body();
        f.get(rest).i32(1).op('i32.sub').tee(rest).brIf(again);
      });
      f.free(rest);
    }
    if (!inner && tail > 0) step(left, right, tail);
  };
  nest(0);
}

/** The lanes of each sum added up, in pairs of neighbours' neighbours: as many sums as a vector has lanes become one vector. */
function addAcross(f: Code, sums: readonly Local[]): Local[] {
  const results: Local[] = [];
  for (let first = 0; first < sums.length; first += f.lanes) {
    const group = sums.slice(first, first + f.lanes);
    results.push(f.canTranspose ? addTransposed(f, group) : addOneByOne(f, group));
  }
  return results;
}

function addTransposed(f: Code, sums: readonly Local[]): Local {
  const rows = Array.from({ length: f.lanes }, (_, i) => {
    const known = sums[i];
    if (known) return known;
    const zero = f.local('vector');
    f.vector('f32', 0).set(zero);
    return zero;
  });
  f.transpose(rows);
  for (let step = 1; step < rows.length; step *= 2) {
    for (let i = 0; i + step < rows.length; i += 2 * step) {
      f.get(rows[i]!)
        .get(rows[i + step]!)
        .op('vector.f32.add')
        .set(rows[i]!);
    }
  }
  return rows[0]!;
}

function addOneByOne(f: Code, sums: readonly Local[]): Local {
  const result = f.local('vector');
  f.vector('f32', 0).set(result);
  sums.forEach((sum, i) => {
    f.get(result).get(sum).sumLanes().replaceLane('f32', i).set(result);
  });
  return result;
}

/** [address] -> [vector]: the first `lanes` floats there, zeros after them; nothing beyond them is read. */
function loadLanes(f: Code, offset: number, lanes: number): void {
  if (lanes >= f.lanes) f.load('vector', offset);
  else f.loadPartial(lanes, offset);
}

function storeLanes(f: Code, address: Local, vector: Local, offset: number, lanes: number): void {
  f.get(address).get(vector);
  if (lanes >= f.lanes) f.store('vector', offset);
  else f.storePartial(lanes, offset);
}

function loadPartial(f: Code, { rows, lanes }: TileShape, sums: readonly (readonly Local[])[]): void {
  const partial = f.params[2]!;
  rows.forEach((row, i) => {
    sums[i]!.forEach((sum, j) => {
      f.get(partial);
      loadLanes(f, row.partial + j * 4 * f.lanes, lanes - j * f.lanes);
      f.set(sum);
    });
  });
}

function addPartial(f: Code, { rows, lanes }: TileShape, sums: readonly (readonly Local[])[]): void {
  rows.forEach((row, i) => {
    sums[i]!.forEach((sum, j) => {
      f.get(f.params[2]!);
      loadLanes(f, row.partial + j * 4 * f.lanes, lanes - j * f.lanes);
      f.get(sum).op('vector.f32.add').set(sum);
    });
  });
}

function storePartial(f: Code, { rows, lanes }: TileShape, sums: readonly (readonly Local[])[]): void {
  rows.forEach((row, i) => {
    sums[i]!.forEach((sum, j) => {
      storeLanes(f, f.params[2]!, sum, row.partial + j * 4 * f.lanes, lanes - j * f.lanes);
    });
  });
}

/** Evaluates the stores for each vector of sums; lane by lane where a vector is not full or its lanes differ in more than their place. */
class Epilogue {
  readonly #f: Code;
  readonly #shape: TileShape;
  readonly #context: TileContext;
  readonly #sums: readonly (readonly Local[])[];
  readonly #cursors: ReadonlyMap<string, Local>;

  constructor(f: Code, shape: TileShape, context: TileContext, sums: readonly (readonly Local[])[]) {
    this.#f = f;
    this.#shape = shape;
    this.#context = context;
    this.#sums = sums;
    this.#cursors = new Map(context.cursors.all.map(({ key }, i) => [key, f.params[tileParameters + i]!]));
  }

  emit(): void {
    const { stores, lane } = this.#context;
    const isVector =
      allowsVector(
        stores.map(({ value }) => value),
        stores.map(({ access }) => access),
        lane,
      ) && stores.every(({ mode }) => mode === 'set');
    const f = this.#f;
    this.#shape.rows.forEach((row, i) => {
      this.#sums[i]!.forEach((sum, j) => {
        const lanes = Math.min(f.lanes, this.#shape.lanes - j * f.lanes);
        if (isVector && lanes === f.lanes) {
          this.#stores(row, f.lanes, j * f.lanes, sum);
          return;
        }
        const one = f.local('f32');
        for (let l = 0; l < lanes; l++) {
          f.get(sum).extractLane('f32', l).set(one);
          this.#stores(row, 1, j * f.lanes + l, one);
        }
        f.free(one);
      });
    });
  }

  #stores(row: TileRow, width: number, ahead: number, sum: Local): void {
    const { stores } = this.#context;
    const emitter = new LaneEmitter(this.#f, width, this.#sources(row, ahead, sum));
    // all values before any store: a donated output may be what another value still reads
    const values = stores.map(({ value }) => emitter.value(value));
    stores.forEach(({ access, mode }, i) => {
      emitter.store(access, values[i]!, { add: mode === 'add' });
    });
    emitter.release();
  }

  #sources(row: TileRow, ahead: number, sum: Local): PointSources {
    const f = this.#f;
    const { lane, options, cursors } = this.#context;
    const inside = ({ terms }: Affine): number =>
      Object.entries(row.at).reduce((total, [axis, at]) => total + (terms[axis] ?? 0) * at, (terms[lane] ?? 0) * ahead);
    return {
      address: (access: Access) => {
        const { cursor, offset } = cursors.ofAccess(access);
        f.get(this.#cursors.get(cursor.key)!);
        return pushOffset(f, offset + inside(access.address) * bytesPerElement[access.dtype], !cursors.hasGuards);
      },
      laneStride: ({ address }) => address.terms[lane] ?? 0,
      index: (affine) => {
        const { cursor, offset } = cursors.ofIndex(affine);
        f.get(this.#cursors.get(cursor.key)!);
        pushOffset(f, offset + inside(affine), false);
      },
      laneStep: (affine) => affine.terms[lane] ?? 0,
      accumulator: () => sum,
      faultAddress: () => f.get(f.params[3]!),
      faultCode: (where, extent) => options.faultCode(where, extent),
    };
  }
}
