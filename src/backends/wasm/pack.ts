import {
  type Access,
  type Affine,
  type Component,
  coefficient,
  loadsOf,
  type Operand,
  walk,
} from '../../compiler/index.js';
import { bytesPerElement } from '../../core/index.js';
import { allowsVector, type Cursor, Cursors, pushOffset, pushSum } from './affine-code.js';
import type { FunctionBuilder, Local } from './assembler.js';
import type { KernelOptions } from './emit-loop.js';
import { LaneEmitter, type PointSources, vectorLanes } from './lanes.js';

/** One direction of a packed box. */
export interface BoxDimension {
  readonly component: Component;
  /** Positions of the component inside the box. */
  readonly size: number;
  /** Bytes between neighbours. */
  readonly stride: number;
}

/** A copy of what a block of loops touches of an operand: a box over its components, zero outside their extents. */
export interface PackedBox {
  /** Outer to inner; the panelled component is left out. */
  readonly dimensions: readonly BoxDimension[];
  /** A component cut into panels: `width` neighbours lie innermost, whole panels are `pitch` bytes apart. */
  readonly panel:
    | { readonly component: Component; readonly size: number; readonly width: number; readonly pitch: number }
    | undefined;
  readonly bytes: number;
}

const page = 4096;
const cacheLine = 64;

/**
 * Lays a box out: components in the order of the source, so that what is contiguous there stays so. Rows whose distance is a
 * multiple of 4096 bytes are set apart by a line more: they would share one set of the first cache.
 */
export function layOutBox(
  operand: Operand,
  spanOf: (component: Component) => number,
  panelOf: { readonly component: Component; readonly width: number } | undefined,
): PackedBox {
  const [main] = loadsOf([operand.value]);
  const reach = ({ name }: Component): number => Math.abs(main ? coefficient(main.address, name) : 0);
  const ordered = [...operand.components].sort(
    (a, b) => (reach(b) || Number.MAX_VALUE) - (reach(a) || Number.MAX_VALUE),
  );
  const inside = ordered.filter((component) => component !== panelOf?.component);
  let stride = 4 * (panelOf?.width ?? 1);
  const dimensions: BoxDimension[] = [];
  for (const component of inside.toReversed()) {
    if (!panelOf && dimensions.length > 0 && stride % page === 0) stride += cacheLine;
    const size = spanOf(component);
    dimensions.unshift({ component, size, stride });
    stride *= size;
  }
  if (!panelOf) return { dimensions, panel: undefined, bytes: stride };
  const size = spanOf(panelOf.component);
  const panel = { component: panelOf.component, size, width: panelOf.width, pitch: stride };
  return { dimensions, panel, bytes: stride * Math.ceil(size / panelOf.width) };
}

export interface PackContext {
  readonly operand: Operand;
  readonly box: PackedBox;
  /** Pushes the value of a component at the box's first position. */
  pushOrigin(component: Component): void;
  buffer(number: number): Local;
  readonly fault: Local;
  /** Address of the box. */
  readonly to: Local;
  readonly options: KernelOptions;
}

export const emitPack = (f: FunctionBuilder, context: PackContext): void => new Packer(f, context).emit();

type Count = number | Local;

class Packer {
  readonly #f: FunctionBuilder;
  readonly #context: PackContext;
  readonly #cursors: Cursors;
  /** Current value of each component. */
  readonly #values = new Map<string, Local>();
  readonly #isVector: boolean;
  /** The direction of vectors, and of the innermost loop. */
  readonly #along: Component | undefined;

  constructor(f: FunctionBuilder, context: PackContext) {
    this.#f = f;
    this.#context = context;
    const { operand, box } = context;
    this.#cursors = new Cursors([operand.value], []);
    this.#along = box.dimensions.at(-1)?.component;
    const lanes = this.#isSideBySide() ? box.panel!.component : this.#along;
    this.#isVector = lanes !== undefined && allowsVector([operand.value], [], lanes.name);
  }

  /** Whether a panel's neighbours are neighbours in the source as well; else four of them are read along the inner direction and transposed. */
  #isSideBySide(): boolean {
    const { operand, box } = this.#context;
    if (!box.panel) return false;
    const count = (component: Component | undefined): number =>
      component
        ? loadsOf([operand.value]).filter(({ address }) => coefficient(address, component.name) === 1).length
        : 0;
    return count(box.panel.component) >= count(this.#along) || !this.#along;
  }

  emit(): void {
    const f = this.#f;
    const { box, pushOrigin, operand, to } = this.#context;
    for (const component of operand.components) {
      const value = f.local('i32');
      pushOrigin(component);
      f.set(value);
      this.#values.set(component.name, value);
    }
    const pointer = f.local('i32');
    f.get(to).set(pointer);
    if (box.panel) this.#panels(box.panel, pointer);
    else this.#dimension(0, pointer, 1);
    for (const local of [pointer, ...this.#values.values()]) f.free(local);
  }

  #panels({ component, size, width, pitch }: NonNullable<PackedBox['panel']>, to: Local): void {
    const whole = Math.floor(size / width);
    if (whole > 0)
      this.#times(whole, () => {
        this.#dimension(0, to, width);
        this.#advance(to, pitch);
        this.#advance(this.#values.get(component.name)!, width);
      });
    if (size % width > 0) this.#dimension(0, to, size % width);
  }

  /** One dimension of the box and all inside it; `lanes` positions of the panel, 1 without panels. */
  #dimension(depth: number, to: Local, lanes: number): void {
    const f = this.#f;
    const dimension = this.#context.box.dimensions[depth];
    const isLast = depth >= this.#context.box.dimensions.length - 1;
    if (!dimension) {
      this.#strip(1, to, lanes);
      return;
    }
    const { component, size, stride } = dimension;
    const value = this.#values.get(component.name)!;
    const own = f.local('i32');
    f.get(to).set(own);
    const before = f.local('i32');
    f.get(value).set(before);
    const run = (count: Count): void => {
      if (isLast) {
        this.#strip(count, own, lanes);
        return;
      }
      this.#times(count, () => {
        this.#dimension(depth + 1, own, lanes);
        this.#advance(own, stride);
        this.#advance(value, 1);
      });
    };
    if (component.extent === undefined) {
      run(size);
    } else {
      const [low, high] = this.#insideOf(value, component.extent, size);
      this.#zero(own, low, stride);
      f.get(value).get(low).op('i32.add').set(value);
      const count = f.local('i32');
      f.get(high).get(low).op('i32.sub').set(count);
      const start = f.local('i32');
      f.get(own).get(low).i32(stride).op('i32.mul').op('i32.add').set(own);
      f.get(own).set(start);
      run(count);
      f.get(start).get(count).i32(stride).op('i32.mul').op('i32.add').set(own);
      f.i32(size).get(high).op('i32.sub').set(count);
      this.#zero(own, count, stride);
      for (const local of [low, high, count, start]) f.free(local);
    }
    f.get(before).set(value).free(before).free(own);
  }

  /** The positions low … high − 1 of a dimension that starts at `value` lie within 0 … extent − 1. */
  #insideOf(value: Local, extent: number, size: number): [Local, Local] {
    const f = this.#f;
    const clamp = (push: () => void, least: () => void, most: number): Local => {
      const local = f.local('i32');
      push();
      f.set(local);
      f.get(local).i32(most).get(local).i32(most).op('i32.lt_s').select().set(local);
      f.get(local);
      least();
      f.get(local);
      least();
      f.op('i32.gt_s').select().set(local);
      return local;
    };
    const low = clamp(
      () => f.i32(0).get(value).op('i32.sub'),
      () => f.i32(0),
      size,
    );
    const high = clamp(
      () => f.i32(extent).get(value).op('i32.sub'),
      () => f.get(low),
      size,
    );
    return [low, high];
  }

  #zero(to: Local, count: Local, stride: number): void {
    const f = this.#f;
    f.get(to).i32(0).get(count).i32(stride).op('i32.mul').op('memory.fill');
  }

  #advance(local: Local, amount: number): void {
    if (amount !== 0) this.#f.get(local).i32(amount).op('i32.add').set(local);
  }

  #times(count: Count, body: () => void): void {
    const f = this.#f;
    if (count === 0) return;
    if (count === 1) {
      body();
      return;
    }
    const rest = f.local('i32');
    const loop = (): void => {
      f.loop((again) => {
        body();
        f.get(rest).i32(1).op('i32.sub').tee(rest).brIf(again);
      });
    };
    if (typeof count === 'number') {
      f.i32(count).set(rest);
      loop();
    } else {
      f.get(count).tee(rest).i32(0).op('i32.gt_s');
      f.if_(loop);
    }
    f.free(rest);
  }

  /** `count` positions of the innermost dimension from the current values on, with everything that lies side by side at each. */
  #strip(count: Count, start: Local, lanes: number): void {
    const f = this.#f;
    const { box } = this.#context;
    const positions = new Map<string, Local>();
    for (const cursor of this.#cursors.all) {
      const local = f.local('i32');
      this.#pushCursor(cursor);
      f.set(local);
      positions.set(cursor.key, local);
    }
    const to = f.local('i32');
    f.get(start).set(to);
    const stride = box.dimensions.at(-1)?.stride ?? 0;
    const along = (points: number): void => {
      this.#advance(to, points * stride);
      if (!this.#along) return;
      for (const cursor of this.#cursors.all)
        this.#advance(positions.get(cursor.key)!, points * (cursor.steps[this.#along.name] ?? 0));
    };
    if (!box.panel) {
      this.#cut(count, this.#isVector ? [4 * vectorLanes, vectorLanes, 1] : [1], (points) => {
        if (points === 1) this.#one(positions, to, {}, 0);
        else
          for (let i = 0; i < points; i += vectorLanes) this.#vector(positions, to, { [this.#along!.name]: i }, 4 * i);
        along(points);
      });
    } else if (this.#isSideBySide()) {
      this.#cut(count, [1], () => {
        this.#sideBySide(positions, to, lanes);
        along(1);
      });
    } else {
      this.#cut(count, this.#isVector ? [vectorLanes, 1] : [1], (points) => {
        if (points === 1) this.#scalars(positions, to, lanes);
        else this.#transposed(positions, to, lanes, stride);
        along(points);
      });
    }
    for (const local of [to, ...positions.values()]) f.free(local);
  }

  #pushCursor({ buffer, steps, least }: Cursor): void {
    pushSum(
      this.#f,
      Object.entries(steps),
      (name) => this.#values.get(name),
      buffer === undefined ? undefined : this.#context.buffer(buffer),
      least,
    );
  }

  /** Cuts `count` positions into runs of the given lengths, longest first. */
  #cut(count: Count, lengths: readonly number[], body: (points: number) => void): void {
    const f = this.#f;
    if (typeof count === 'number') {
      let rest = count;
      for (const points of lengths) {
        this.#times(Math.floor(rest / points), () => body(points));
        rest %= points;
      }
      return;
    }
    const rest = f.local('i32');
    const times = f.local('i32');
    f.get(count).set(rest);
    for (const points of lengths) {
      f.get(rest).i32(points).op('i32.div_u').set(times);
      this.#times(times, () => body(points));
      f.get(rest).i32(points).op('i32.rem_u').set(rest);
    }
    f.free(rest).free(times);
  }

  #sources(
    positions: ReadonlyMap<string, Local>,
    ahead: Readonly<Record<string, number>>,
    lane: string | undefined,
  ): PointSources {
    const f = this.#f;
    const { fault, options } = this.#context;
    const inside = ({ terms }: Affine): number =>
      Object.entries(ahead).reduce((sum, [name, by]) => sum + (terms[name] ?? 0) * by, 0);
    return {
      address: (access: Access) => {
        const { cursor, offset } = this.#cursors.ofAccess(access);
        f.get(positions.get(cursor.key)!);
        return pushOffset(f, offset + inside(access.address) * bytesPerElement[access.dtype], !this.#cursors.hasGuards);
      },
      laneStride: ({ address }) => (lane ? coefficient(address, lane) : 0),
      index: (affine) => {
        const { cursor, offset } = this.#cursors.ofIndex(affine);
        f.get(positions.get(cursor.key)!);
        pushOffset(f, offset + inside(affine), false);
      },
      laneStep: (affine) => (lane ? coefficient(affine, lane) : 0),
      accumulator: () => {
        throw new Error('a prologue has no sums');
      },
      faultAddress: () => f.get(fault),
      faultCode: (where, extent) => options.faultCode(where, extent),
    };
  }

  /** Evaluates the operand `ahead` of the current position and stores it; vectors run along `lane`. */
  #value(
    positions: ReadonlyMap<string, Local>,
    ahead: Readonly<Record<string, number>>,
    lane: string | undefined,
    use: (value: Local) => void,
  ): void {
    const width = lane === undefined ? 1 : vectorLanes;
    const emitter = new LaneEmitter(this.#f, width, this.#sources(positions, ahead, lane));
    use(emitter.value(this.#context.operand.value));
    emitter.release();
  }

  #one(
    positions: ReadonlyMap<string, Local>,
    to: Local,
    ahead: Readonly<Record<string, number>>,
    offset: number,
  ): void {
    this.#value(positions, ahead, undefined, (value) => this.#f.get(to).get(value).memory('f32.store', offset));
  }

  #vector(
    positions: ReadonlyMap<string, Local>,
    to: Local,
    ahead: Readonly<Record<string, number>>,
    offset: number,
  ): void {
    const lane = Object.keys(ahead)[0]!;
    this.#value(positions, ahead, lane, (value) => this.#f.get(to).get(value).memory('v128.store', offset, 4));
  }

  #sideBySide(positions: ReadonlyMap<string, Local>, to: Local, lanes: number): void {
    const { name } = this.#context.box.panel!.component;
    const whole = this.#isVector ? lanes - (lanes % vectorLanes) : 0;
    for (let i = 0; i < whole; i += vectorLanes) this.#vector(positions, to, { [name]: i }, 4 * i);
    for (let i = whole; i < lanes; i++) this.#one(positions, to, { [name]: i }, 4 * i);
    this.#fill(to, lanes);
  }

  #scalars(positions: ReadonlyMap<string, Local>, to: Local, lanes: number): void {
    const { name } = this.#context.box.panel!.component;
    for (let i = 0; i < lanes; i++) this.#one(positions, to, { [name]: i }, 4 * i);
    this.#fill(to, lanes);
  }

  /** Zeros behind the last lanes of a panel: tiles read whole vectors. */
  #fill(to: Local, lanes: number): void {
    for (let i = lanes; i < this.#context.box.panel!.width; i++)
      this.#f
        .get(to)
        .f32(0)
        .memory('f32.store', 4 * i);
  }

  /** Four vectors along the inner direction become four neighbours of a panel at four positions. */
  #transposed(positions: ReadonlyMap<string, Local>, to: Local, lanes: number, stride: number): void {
    const f = this.#f;
    const { panel } = this.#context.box;
    const { name } = panel!.component;
    for (let group = 0; group < panel!.width; group += vectorLanes) {
      const rows = Array.from({ length: vectorLanes }, (_, i) => {
        const row = f.local('v128');
        if (group + i >= lanes) f.v128Const(new Float32Array(vectorLanes)).set(row);
        else this.#value(positions, { [name]: group + i }, this.#along!.name, (value) => f.get(value).set(row));
        return row;
      }) as [Local, Local, Local, Local];
      const width = Math.min(vectorLanes, panel!.width - group);
      transpose(f, rows);
      rows.forEach((row, i) => {
        const offset = i * stride + 4 * group;
        if (width === vectorLanes) f.get(to).get(row).memory('v128.store', offset, 4);
        else
          for (let lane = 0; lane < width; lane++)
            f.get(to)
              .get(row)
              .memoryLane('v128.store32_lane', offset + 4 * lane, lane);
      });
      for (const row of rows) f.free(row);
    }
  }
}

/** The four vectors as a matrix, transposed in place. */
function transpose(f: FunctionBuilder, rows: readonly [Local, Local, Local, Local]): void {
  const low = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
  const high = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
  const firstHalves = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
  const secondHalves = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];
  const mixed = [
    [0, 1, low],
    [2, 3, low],
    [0, 1, high],
    [2, 3, high],
  ].map(([a, b, lanes]) => {
    const local = f.local('v128');
    f.get(rows[a as number]!)
      .get(rows[b as number]!)
      .shuffle(lanes as number[])
      .set(local);
    return local;
  }) as [Local, Local, Local, Local];
  const [lowA, lowB, highA, highB] = mixed;
  f.get(lowA).get(lowB).shuffle(firstHalves).set(rows[0]);
  f.get(lowA).get(lowB).shuffle(secondHalves).set(rows[1]);
  f.get(highA).get(highB).shuffle(firstHalves).set(rows[2]);
  f.get(highA).get(highB).shuffle(secondHalves).set(rows[3]);
  for (const local of mixed) f.free(local);
}

/** Whether an operand is more than a load. */
export const hasPrologue = ({ value }: Operand): boolean => walk([value]).some(({ kind }) => kind !== 'load');
