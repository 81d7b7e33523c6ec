import { type Access, type Affine, type Expression, walk } from '../../compiler/index.js';
import { bytesPerElement } from '../../core/index.js';
import type { Code, Local } from './code.js';

/** Pushes constant + Σ terms · value; terms without a value count as 0. */
export function pushSum(
  f: Code,
  terms: Iterable<readonly [name: string, factor: number]>,
  localOf: (name: string) => Local | undefined,
  start: Local | undefined,
  constant = 0,
): void {
  let isFirst = true;
  const plus = (): void => {
    if (!isFirst) f.op('i32.add');
    isFirst = false;
  };
  if (start) {
    f.get(start);
    plus();
  }
  for (const [name, factor] of terms) {
    const value = localOf(name);
    if (!value || factor === 0) continue;
    f.get(value);
    if (factor !== 1) f.i32(factor).op('i32.mul');
    plus();
  }
  if (constant !== 0 || isFirst) {
    f.i32(constant);
    plus();
  }
}

/** A number that accesses (or affines) share up to constants: an address in a buffer, or a sum of indices. */
export interface Cursor {
  readonly key: string;
  readonly buffer: number | undefined;
  /** What one step of each variable adds, in bytes for addresses. */
  readonly steps: Readonly<Record<string, number>>;
  /** Least constant among its users: part of the cursor, so that addresses never lie before their buffer. */
  readonly least: number;
}

const unitOf = ({ dtype }: Access): number => bytesPerElement[dtype];

const keyOf = (buffer: number | undefined, { terms }: Affine, unit: number): string =>
  `${buffer ?? 'index'} ${unit} ${Object.entries(terms)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, factor]) => `${factor}${name}`)
    .join(' ')}`;

/** The cursors that expressions and accesses take. */
export class Cursors {
  readonly #cursors = new Map<string, Cursor>();
  /** Whether something is computed under a condition: then the cursors of what it does not reach may point anywhere. */
  readonly hasGuards: boolean;

  constructor(roots: readonly Expression[], accesses: readonly Access[]) {
    const need = (buffer: number | undefined, affine: Affine, unit: number): void => {
      const key = keyOf(buffer, affine, unit);
      const least = Math.min(affine.constant * unit, this.#cursors.get(key)?.least ?? Number.POSITIVE_INFINITY);
      const steps = Object.fromEntries(Object.entries(affine.terms).map(([name, factor]) => [name, factor * unit]));
      this.#cursors.set(key, { key, buffer, steps, least });
    };
    const dynamic = accesses.flatMap((access) => access.dynamic.map(({ value }) => value));
    const expressions = walk([...roots, ...dynamic]);
    for (const expression of expressions) {
      if (expression.kind === 'load')
        need(expression.access.buffer, expression.access.address, unitOf(expression.access));
      else if (expression.kind === 'index') need(undefined, expression.index, 1);
      else if (expression.kind === 'guard') for (const { index } of expression.bounds) need(undefined, index, 1);
    }
    for (const access of accesses) need(access.buffer, access.address, unitOf(access));
    this.hasGuards = expressions.some(({ kind }) => kind === 'guard');
  }

  get all(): readonly Cursor[] {
    return [...this.#cursors.values()];
  }

  /** The cursor of an access, and the bytes from there to it. */
  ofAccess(access: Access): { cursor: Cursor; offset: number } {
    const unit = unitOf(access);
    const cursor = this.#cursors.get(keyOf(access.buffer, access.address, unit))!;
    return { cursor, offset: access.address.constant * unit - cursor.least };
  }

  ofIndex(index: Affine): { cursor: Cursor; offset: number } {
    const cursor = this.#cursors.get(keyOf(undefined, index, 1))!;
    return { cursor, offset: index.constant - cursor.least };
  }
}

/** Pushes an address with an offset: returns what a memory instruction is to add (at least 0). */
export function pushOffset(f: Code, bytes: number, isStatic: boolean): number {
  if (bytes >= 0 && isStatic) return bytes;
  if (bytes !== 0) f.i32(bytes).op('i32.add');
  return 0;
}

/** Whether four neighbours on an axis may be evaluated as one vector: guards and data-dependent indices are alike for them. */
export function allowsVector(roots: readonly Expression[], accesses: readonly Access[], axis: string): boolean {
  const varies = (affine: Affine): boolean => (affine.terms[axis] ?? 0) !== 0;
  const dependsOnAxis = (root: Expression): boolean =>
    walk([root]).some(
      (expression) =>
        (expression.kind === 'index' && varies(expression.index)) ||
        (expression.kind === 'load' && varies(expression.access.address)) ||
        expression.kind === 'accumulator',
    );
  const isFixed = (access: Access): boolean => !access.dynamic.some(({ value }) => dependsOnAxis(value));
  if (!accesses.every(isFixed)) return false;
  return walk(roots).every((expression) => {
    if (expression.kind === 'guard') return !expression.bounds.some(({ index }) => varies(index));
    return expression.kind !== 'load' || isFixed(expression.access);
  });
}
