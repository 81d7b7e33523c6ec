import { type Access, type Affine, type Component, coefficient, loadsOf, type Operand } from '../../compiler/index.js';
import { bytesPerElement, InternalError } from '../../core/index.js';
import { allowsVector, type Cursor, Cursors, pushOffset, pushSum } from './affine-code.js';
import type { Code, Local } from './code.js';
import type { KernelOptions } from './emit-loop.js';
import { LaneEmitter, type PointSources } from './lanes.js';
import type { BoxDimension, PackedBox, Panel } from './packed-box.js';

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

/** Fills a box with what an operand's expression gives at each of its positions; zeros outside the extents. */
export const emitPack = (f: Code, context: PackContext): void => new Packer(f, context).emit();

type Count = number | Local;
type Ahead = Readonly<Record<string, number>>;

/** Vectors that are copied side by side to several panels, in one piece of straight code. */
const vectorsAtOnce = 16;
/** From here on bytes are cleared by memory.fill, whose call takes as long as some twenty stores. */
const longFill = 2048;

class Packer {
  readonly #f: Code;
  readonly #context: PackContext;
  readonly #cursors: Cursors;
  /** Current value of each component. */
  readonly #values = new Map<string, Local>();
  /** Where each cursor is in the innermost loop. */
  readonly #positions = new Map<string, Local>();
  readonly #dimensions: readonly BoxDimension[];
  /** The direction of the innermost loop; positions of the last dimension are `run` of its steps apart. */
  readonly #along: BoxDimension | undefined;
  readonly #run: number;
  readonly #isSideBySide: boolean;
  readonly #isVector: boolean;

  constructor(f: Code, context: PackContext) {
    this.#f = f;
    this.#context = context;
    const { operand, box } = context;
    this.#cursors = new Cursors([operand.value], []);
    this.#along = box.dimensions.at(-1);
    const merged = box.panel ? { dimensions: box.dimensions, run: 1 } : this.#merged(box.dimensions);
    this.#dimensions = merged.dimensions;
    this.#run = merged.run;
    this.#isSideBySide = this.#readsSideBySide();
    const lanes = this.#isSideBySide ? box.panel!.component : this.#along?.component;
    this.#isVector = lanes !== undefined && allowsVector([operand.value], [], lanes.name);
  }

  /** The dimensions with the inner ones that source and box run through alike taken as one. */
  #merged(dimensions: readonly BoxDimension[]): { dimensions: readonly BoxDimension[]; run: number } {
    const inner = dimensions.at(-1);
    let count = dimensions.length;
    let run = 1;
    for (; count > 1; count--) {
      const [outer, last] = [dimensions[count - 2]!, dimensions[count - 1]!];
      const step = run * last.size;
      const isOneRun = this.#cursors.all.every(
        ({ steps }) => (steps[outer.component.name] ?? 0) === step * (steps[inner!.component.name] ?? 0),
      );
      if (last.component.extent !== undefined || outer.stride !== step * inner!.stride || !isOneRun) break;
      run = step;
    }
    return { dimensions: dimensions.slice(0, count), run };
  }

  /** Whether a panel's neighbours are neighbours in the source as well; else four of them are read along the inner direction and transposed. */
  #readsSideBySide(): boolean {
    const { operand, box } = this.#context;
    if (!box.panel) return false;
    const contiguous = ({ name }: Component): number =>
      loadsOf([operand.value]).filter(({ address }) => coefficient(address, name) === 1).length;
    return (
      !this.#f.canTranspose || !this.#along || contiguous(box.panel.component) >= contiguous(this.#along.component)
    );
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
    for (const { key } of this.#cursors.all) this.#positions.set(key, f.local('i32'));
    const pointer = f.local('i32');
    f.get(to).set(pointer);
    if (box.panel) this.#panels(box.panel, pointer);
    else this.#dimension(0, pointer, [1]);
    for (const local of [pointer, ...this.#values.values(), ...this.#positions.values()]) f.free(local);
  }

  /** Panels that are read side by side are written together, as many as make whole lines of the source; others one by one. */
  #panels({ component, size, width, pitch }: Panel, to: Local): void {
    const isFew = size <= vectorsAtOnce * this.#f.lanes;
    const together =
      this.#isSideBySide && !isFew ? Math.max(1, Math.floor((vectorsAtOnce * this.#f.lanes) / width)) : 1;
    const whole = Math.floor(size / width);
    const value = this.#values.get(component.name)!;
    if (this.#isSideBySide && isFew) {
      this.#dimension(
        0,
        to,
        Array.from({ length: Math.ceil(size / width) }, (_, i) => Math.min(width, size - i * width)),
      );
      return;
    }
    this.#times(Math.floor(whole / together), () => {
      this.#dimension(0, to, new Array(together).fill(width));
      this.#advance(to, together * pitch);
      this.#advance(value, together * width);
    });
    const rest = new Array<number>(whole % together).fill(width);
    if (size % width > 0) rest.push(size % width);
    if (rest.length > 0) this.#dimension(0, to, rest);
  }

  /** One dimension of the box and all inside it; `panels` has the positions that are there of each panel, [1] without panels. */
  #dimension(depth: number, to: Local, panels: readonly number[]): void {
    const f = this.#f;
    const dimension = this.#dimensions[depth];
    if (!dimension) {
      this.#strip(1, to, panels);
      return;
    }
    const { component, size, stride } = dimension;
    const value = this.#values.get(component.name)!;
    const own = f.local('i32');
    const before = f.local('i32');
    f.get(to).set(own).get(value).set(before);
    const run = (count: Count): void => {
      if (depth === this.#dimensions.length - 1) {
        this.#strip(count, own, panels);
        return;
      }
      this.#times(count, () => {
        this.#dimension(depth + 1, own, panels);
        this.#advance(own, stride);
        this.#advance(value, 1);
      });
    };
    if (component.extent === undefined) run(size);
    else this.#insideExtent(dimension, component.extent, own, value, panels.length, run);
    f.get(before).set(value).free(before).free(own);
  }

  /** Zeros before and after the positions whose value lies within 0 … extent − 1, and `run` for those. */
  #insideExtent(
    { size, stride }: BoxDimension,
    extent: number,
    to: Local,
    value: Local,
    panels: number,
    run: (count: Count) => void,
  ): void {
    const f = this.#f;
    const [low, count, start] = [f.local('i32'), f.local('i32'), f.local('i32')];
    // low = min(max(0, −value), size); count = max(min(size, extent − value), low) − low
    this.#clamp(() => f.i32(0).get(value).op('i32.sub'), 0, size, low);
    this.#clamp(() => f.i32(extent).get(value).op('i32.sub'), low, size, count);
    f.get(count).get(low).op('i32.sub').set(count);
    this.#zero(to, low, stride, panels);
    f.get(value).get(low).op('i32.add').set(value);
    f.get(to).get(low).i32(stride).op('i32.mul').op('i32.add').tee(to).set(start);
    const inside = f.local('i32');
    f.get(count).set(inside);
    run(inside);
    f.get(start).get(count).i32(stride).op('i32.mul').op('i32.add').set(to);
    f.i32(size).get(low).op('i32.sub').get(count).op('i32.sub').set(count);
    this.#zero(to, count, stride, panels);
    for (const local of [low, count, start, inside]) f.free(local);
  }

  #clamp(push: () => void, least: Count, most: number, result: Local): void {
    const f = this.#f;
    const pushLeast = (): unknown => (typeof least === 'number' ? f.i32(least) : f.get(least));
    push();
    f.set(result).get(result).i32(most).get(result).i32(most).op('i32.less').select().set(result);
    f.get(result);
    pushLeast();
    f.get(result);
    pushLeast();
    f.op('i32.greater').select().set(result);
  }

  /** Clears `count` positions of `stride` bytes in each of some panels. */
  #zero(to: Local, count: Local, stride: number, panels: number): void {
    const f = this.#f;
    const pitch = this.#context.box.panel?.pitch ?? 0;
    if (stride >= longFill) {
      for (let i = 0; i < panels; i++)
        f.get(to)
          .i32(i * pitch)
          .op('i32.add')
          .get(count)
          .i32(stride)
          .op('i32.mul')
          .zeroMemory();
      return;
    }
    const at = f.local('i32');
    const zero = f.local('vector');
    f.get(to).set(at).vector('f32', 0).set(zero);
    const vectorBytes = 4 * f.lanes;
    const bytes = stride % vectorBytes === 0 ? vectorBytes : 4;
    this.#times(count, () => {
      this.#times(stride / bytes, () => {
        for (let i = 0; i < panels; i++) {
          if (bytes === vectorBytes)
            f.get(at)
              .get(zero)
              .store('vector', i * pitch);
          else
            f.get(at)
              .f32(0)
              .store('f32', i * pitch);
        }
        this.#advance(at, bytes);
      });
    });
    f.free(at).free(zero);
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
      f.get(count).tee(rest).i32(0).op('i32.greater');
      f.if_(loop);
    }
    f.free(rest);
  }

  /** `count` positions of the last dimension from the current values on, with everything that lies side by side at each. */
  #strip(count: Count, start: Local, panels: readonly number[]): void {
    const f = this.#f;
    const { panel } = this.#context.box;
    for (const cursor of this.#cursors.all) this.#startCursor(cursor);
    const to = f.local('i32');
    f.get(start).set(to);
    const along = (points: number): void => {
      if (!this.#along) return;
      this.#advance(to, points * this.#along.stride);
      for (const { key, steps } of this.#cursors.all)
        this.#advance(this.#positions.get(key)!, points * (steps[this.#along.component.name] ?? 0));
    };
    if (!panel) {
      this.#cut(this.#scaled(count), this.#isVector ? [4 * this.#f.lanes, this.#f.lanes, 1] : [1], (points) => {
        if (points === 1) this.#one(to, {}, 0);
        else this.#vectors(to, this.#along!.component.name, 0, points, 0);
        along(points);
      });
    } else if (this.#isSideBySide) {
      this.#cut(count, [1], () => {
        panels.forEach((lanes, i) => {
          this.#neighbours(to, panel, i, lanes);
        });
        along(1);
      });
    } else {
      this.#cut(count, this.#isVector ? [this.#f.lanes, 1] : [1], (points) => {
        panels.forEach((lanes, i) => {
          if (points === 1) this.#neighbours(to, panel, i, lanes);
          else this.#transposed(to, panel, i, lanes);
        });
        along(points);
      });
    }
    f.free(to);
  }

  #startCursor({ key, buffer, steps, least }: Cursor): void {
    const start = buffer === undefined ? undefined : this.#context.buffer(buffer);
    pushSum(this.#f, Object.entries(steps), (name) => this.#values.get(name), start, least);
    this.#f.set(this.#positions.get(key)!);
  }

  /** Positions of the last dimension as steps of the innermost loop. */
  #scaled(count: Count): Count {
    if (this.#run === 1) return count;
    if (typeof count === 'number') return count * this.#run;
    this.#f.get(count).i32(this.#run).op('i32.mul').set(count);
    return count;
  }

  /** Cuts `count` positions into runs of the given lengths, longest first. */
  #cut(count: Count, lengths: readonly number[], body: (points: number) => void): void {
    const f = this.#f;
    if (typeof count === 'number') {
      let left = count;
      for (const points of lengths) {
        this.#times(Math.floor(left / points), () => body(points));
        left %= points;
      }
      return;
    }
    const left = f.local('i32');
    const times = f.local('i32');
    f.get(count).set(left);
    for (const points of lengths) {
      f.get(left).i32(points).op('i32.divUnsigned').set(times);
      this.#times(times, () => body(points));
      if (points > 1) f.get(left).i32(points).op('i32.remUnsigned').set(left);
    }
    f.free(left).free(times);
  }

  #sources(ahead: Ahead, lane: string | undefined): PointSources {
    const f = this.#f;
    const { fault, options } = this.#context;
    const inside = ({ terms }: Affine): number =>
      Object.entries(ahead).reduce((sum, [name, by]) => sum + (terms[name] ?? 0) * by, 0);
    return {
      address: (access: Access) => {
        const { cursor, offset } = this.#cursors.ofAccess(access);
        f.get(this.#positions.get(cursor.key)!);
        return pushOffset(f, offset + inside(access.address) * bytesPerElement[access.dtype], !this.#cursors.hasGuards);
      },
      laneStride: ({ address }) => (lane ? coefficient(address, lane) : 0),
      index: (affine) => {
        const { cursor, offset } = this.#cursors.ofIndex(affine);
        f.get(this.#positions.get(cursor.key)!);
        pushOffset(f, offset + inside(affine), false);
      },
      laneStep: (affine) => (lane ? coefficient(affine, lane) : 0),
      accumulator: () => {
        throw new InternalError('an operand of a contraction holds a sum');
      },
      faultAddress: () => f.get(fault),
      faultCode: (where, extent) => options.faultCode(where, extent),
    };
  }

  /** Evaluates the operand `ahead` of the current position; vectors run along `lane`. */
  #value(ahead: Ahead, lane: string | undefined, use: (value: Local) => void): void {
    const emitter = new LaneEmitter(this.#f, lane === undefined ? 1 : this.#f.lanes, this.#sources(ahead, lane));
    use(emitter.value(this.#context.operand.value));
    emitter.release();
  }

  #one(to: Local, ahead: Ahead, offset: number): void {
    this.#value(ahead, undefined, (value) => this.#f.get(to).get(value).store('f32', offset));
  }

  /** `count` positions along `lane`, a multiple of four, from `first` on. */
  #vectors(to: Local, lane: string, first: number, count: number, offset: number): void {
    for (let i = 0; i < count; i += this.#f.lanes) {
      this.#value({ [lane]: first + i }, lane, (value) =>
        this.#f
          .get(to)
          .get(value)
          .store('vector', offset + 4 * i),
      );
    }
  }

  /** One position of all dimensions in one panel; zeros behind the last lanes, since tiles read whole vectors. */
  #neighbours(to: Local, { component: { name }, width, pitch }: Panel, number: number, lanes: number): void {
    const first = number * width;
    const offset = number * pitch;
    const whole = this.#isVector && this.#isSideBySide ? lanes - (lanes % this.#f.lanes) : 0;
    this.#vectors(to, name, first, whole, offset);
    for (let i = whole; i < lanes; i++) this.#one(to, { [name]: first + i }, offset + 4 * i);
    for (let i = lanes; i < width; i++)
      this.#f
        .get(to)
        .f32(0)
        .store('f32', offset + 4 * i);
  }

  /** Four vectors along the inner direction become four neighbours of a panel at four positions. */
  #transposed(to: Local, { component: { name }, width, pitch }: Panel, number: number, lanes: number): void {
    const f = this.#f;
    const { component, stride } = this.#along!;
    for (let group = 0; group < width; group += this.#f.lanes) {
      const rows = Array.from({ length: this.#f.lanes }, (_, i) => {
        const row = f.local('vector');
        if (group + i >= lanes) f.vector('f32', 0).set(row);
        else this.#value({ [name]: number * width + group + i }, component.name, (value) => f.get(value).set(row));
        return row;
      });
      f.transpose(rows);
      const count = Math.min(this.#f.lanes, width - group);
      rows.forEach((row, i) => {
        const offset = number * pitch + i * stride + 4 * group;
        f.get(to).get(row);
        if (count === f.lanes) f.store('vector', offset);
        else f.storePartial(count, offset);
      });
      for (const row of rows) f.free(row);
    }
  }
}
