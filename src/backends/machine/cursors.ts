import type { Access, Affine, Expression } from '../../compiler/index.js';
import { coefficient, walk } from '../../compiler/index.js';
import { bytesPerElement } from '../../core/index.js';
import type { Code, Local } from './code.js';

/** A number that moves with the loops: the address of accesses that differ by constants, or the value of such affines. */
interface Cursor {
  readonly key: string;
  /** What one step of an axis adds, in bytes for addresses. */
  readonly steps: Readonly<Record<string, number>>;
  /** Least constant among its users, in the same unit. */
  least: number;
  /** The buffer an address counts from. */
  readonly buffer: number | undefined;
}

/** Where each cursor is at some point of the loops. */
export type Positions = ReadonlyMap<Cursor, Local>;

/** Finds the cursors that expressions and stores need, starts them, and moves them along loops. */
export class CursorSet {
  readonly #f: Code;
  readonly #cursors = new Map<string, Cursor>();

  constructor(f: Code) {
    this.#f = f;
  }

  needExpressions(roots: readonly Expression[]): void {
    for (const expression of walk(roots)) {
      if (expression.kind === 'load') this.needAccess(expression.access);
      else if (expression.kind === 'index') this.needIndex(expression.index);
      else if (expression.kind === 'guard') for (const { index } of expression.bounds) this.needIndex(index);
    }
  }

  needAccess({ buffer, address, dtype, dynamic }: Access): void {
    const bytes = bytesPerElement[dtype];
    this.#need(buffer, address, bytes);
    this.needExpressions(dynamic.map(({ value }) => value));
  }

  needIndex(index: Affine): void {
    this.#need(undefined, index, 1);
  }

  #need(buffer: number | undefined, { constant, terms }: Affine, unit: number): void {
    const key = keyOf(buffer, terms, unit);
    const known = this.#cursors.get(key);
    if (known) {
      known.least = Math.min(known.least, constant * unit);
      return;
    }
    const steps = Object.fromEntries(Object.entries(terms).map(([name, factor]) => [name, factor * unit]));
    this.#cursors.set(key, { key, steps, least: constant * unit, buffer });
  }

  /** Cursors at the given start of each axis (0 where none is given); `base` holds the address of a buffer. */
  start(base: (buffer: number) => Local, starts: ReadonlyMap<string, Local>): Positions {
    const f = this.#f;
    const positions = new Map<Cursor, Local>();
    for (const cursor of this.#cursors.values()) {
      const local = f.local('i32');
      f.i32(cursor.least);
      if (cursor.buffer !== undefined) f.get(base(cursor.buffer)).op('i32.add');
      for (const [axis, start] of starts) {
        const step = cursor.steps[axis];
        if (step) f.get(start).i32(step).op('i32.mul').op('i32.add');
      }
      f.set(local);
      positions.set(cursor, local);
    }
    return positions;
  }

  /** Runs `body` `count` times along `axis`, `step` points a time; inside it the cursors that move are locals of their own. */
  along(axis: string, count: number | Local, step: number, at: Positions, body: (at: Positions) => void): void {
    const f = this.#f;
    if (count === 0) return;
    if (count === 1) {
      body(at);
      return;
    }
    const inner = new Map(at);
    const moving: [Local, number][] = [];
    for (const [cursor, local] of at) {
      const amount = (cursor.steps[axis] ?? 0) * step;
      if (amount === 0) continue;
      const own = f.local('i32');
      f.get(local).set(own);
      inner.set(cursor, own);
      moving.push([own, amount]);
    }
    const left = f.local('i32');
    if (typeof count === 'number') f.i32(count).set(left);
    else f.get(count).set(left);
    const loop = (): void => {
      f.loop((again) => {
        body(inner);
        for (const [local, amount] of moving) f.get(local).i32(amount).op('i32.add').set(local);
        f.get(left).i32(1).op('i32.sub').tee(left).brIf(again);
      });
    };
    if (typeof count === 'number') loop();
    else {
      f.get(count).i32(0).op('i32.greater');
      f.if_(loop);
    }
    for (const [local] of moving) f.free(local);
    f.free(left);
  }

  /** The cursors moved by a number of points along an axis that is known only when running: what follows a loop of unknown length. */
  advanced(axis: string, by: number | Local, at: Positions): { positions: Positions; release(): void } {
    const f = this.#f;
    const positions = new Map(at);
    const own: Local[] = [];
    for (const [cursor, local] of at) {
      const step = cursor.steps[axis] ?? 0;
      if (step === 0 || by === 0) continue;
      const moved = f.local('i32');
      f.get(local);
      if (typeof by === 'number') f.i32(by * step);
      else f.get(by).i32(step).op('i32.mul');
      f.op('i32.add').set(moved);
      positions.set(cursor, moved);
      own.push(moved);
    }
    return {
      positions,
      release: () => {
        for (const local of own) f.free(local);
      },
    };
  }

  /** Pushes an access's address; returns what is to be added statically (at least 0). `ahead` points further on `axis`. */
  pushAddress({ buffer, address, dtype }: Access, at: Positions, axis: string | undefined, ahead: number): number {
    const bytes = bytesPerElement[dtype];
    const cursor = this.#cursors.get(keyOf(buffer, address.terms, bytes))!;
    const f = this.#f;
    const offset = address.constant * bytes - cursor.least + (axis ? ahead * coefficient(address, axis) * bytes : 0);
    f.get(at.get(cursor)!);
    if (offset >= 0) return offset;
    f.i32(offset).op('i32.add');
    return 0;
  }

  pushIndex(index: Affine, at: Positions, axis: string | undefined, ahead: number): void {
    const cursor = this.#cursors.get(keyOf(undefined, index.terms, 1))!;
    const offset = index.constant - cursor.least + (axis ? ahead * coefficient(index, axis) : 0);
    this.#f.get(at.get(cursor)!);
    if (offset !== 0) this.#f.i32(offset).op('i32.add');
  }
}

const keyOf = (buffer: number | undefined, terms: Affine['terms'], unit: number): string =>
  `${buffer ?? 'index'} ${unit} ${Object.entries(terms)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, factor]) => `${factor}${name}`)
    .join(' ')}`;
