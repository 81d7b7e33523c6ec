import { InternalError } from '../core/index.js';
import { type Affine, printAffine } from './affine.js';
import { isEmpty, type Range, rangeWithin } from './bounds.js';
import {
  type Access,
  type Bound,
  type DynamicIndex,
  type Expression,
  ExpressionPrinter,
  operandsOf,
  scalarTypeOf,
  walk,
} from './expression.js';
import { type Axis, type Kernel, type LoopNest, type Nest, type Operand, printNest, type Store } from './nest.js';
import { isInjective, mayMeet } from './places.js';
import type { Buffer } from './program.js';
import { typeFault } from './verify-types.js';

/**
 * Proves a kernel sound before code is made of it: every access lies in its buffer, different points store to different elements,
 * nothing is read that the kernel itself writes, and types agree.
 *
 * @throws InternalError with the nest where the proof fails; it may fail for a sound kernel of a kind that lowering never makes
 */
export function verifyKernel(kernel: Kernel, buffers: readonly Buffer[]): void {
  new Verification(kernel, buffers).run();
}

/** What the variables of an expression may be, and the guards around it. */
interface Context {
  readonly sizes: ReadonlyMap<string, number>;
  /** First value of variables that do not begin at 0; `sizes` says how many there are. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly guards: readonly Bound[];
  readonly seen: Set<Expression>;
  readonly accumulators: readonly ('f32' | 'i32' | 'bool')[];
}

class Verification {
  readonly #kernel: Kernel;
  readonly #buffers: readonly Buffer[];

  constructor(kernel: Kernel, buffers: readonly Buffer[]) {
    this.#kernel = kernel;
    this.#buffers = buffers;
  }

  run(): void {
    const { nest } = this.#kernel;
    const ordered = nest.kind === 'loop' && nest.ordered ? [nest.ordered] : [];
    const points = [...nest.axes, ...ordered];
    this.#axes([...points, ...nest.reductions]);
    this.#uses(nest);
    const none = { offsets: new Map(), guards: [], accumulators: [] };
    if (nest.kind === 'contraction') {
      for (const operand of [nest.left, nest.right]) this.#operand(operand, [...nest.axes, ...nest.reductions]);
    } else {
      this.#accumulators(nest, { ...none, sizes: sizesOf([...points, ...nest.reductions]), seen: new Set() });
    }
    const context = {
      ...none,
      sizes: sizesOf(points),
      seen: new Set<Expression>(),
      accumulators: accumulatorTypes(nest),
    };
    for (const { access, value } of nest.stores) {
      this.#expression(value, context);
      if (value.type !== scalarTypeOf(access.dtype)) this.#fail(`${value.type} is stored as ${access.dtype}`);
      this.#access(access, context);
    }
    nest.stores.forEach((store, i) => {
      this.#storesApart(store, nest.stores.slice(0, i), nest.axes, ordered);
    });
  }

  #fail(what: string): never {
    throw new InternalError(`verify: ${what}\n${printNest(this.#kernel.nest)}`);
  }

  #axes(axes: readonly Axis[]): void {
    axes.forEach(({ name, size }, i) => {
      if (!Number.isInteger(size) || size < 1) this.#fail(`axis ${name} has size ${size}`);
      if (axes.findIndex((other) => other.name === name) < i) this.#fail(`two axes are called ${name}`);
    });
  }

  /** That the list of buffers tells what the nest does with them. */
  #uses(nest: Nest): void {
    const { buffers } = this.#kernel;
    const stored = new Map<number, boolean>();
    for (const { access, mode } of nest.stores)
      stored.set(access.buffer, (stored.get(access.buffer) ?? false) || mode === 'add');
    buffers.forEach(({ buffer, access }, i) => {
      const adds = stored.get(i);
      const expected = adds === undefined ? 'read' : adds ? 'readWrite' : 'write';
      if (access !== expected) this.#fail(`b${i} is listed as ${access}, the nest does ${expected}`);
      if (adds !== undefined && this.#isGiven(buffer)) this.#fail(`b${i} is an input, and written`);
    });
    const loads = walk(rootsOf(nest)).flatMap((expression) => (expression.kind === 'load' ? [expression.access] : []));
    const read = loads.find(({ buffer }) => stored.has(buffer));
    if (read) this.#fail(`${printAccess(read)} reads what the kernel writes`);
  }

  #isGiven(id: number): boolean {
    const { role } = this.#buffers[id]!;
    return role.kind === 'input' || (role.kind === 'slice' && this.#isGiven(role.of));
  }

  #operand({ components, value }: Operand, axes: readonly Axis[]): void {
    const sizes = sizesOf(axes);
    const own = new Map<string, number>();
    const offsets = new Map<string, number>();
    for (const { name, index, extent } of components) {
      this.#variables(index, sizes);
      const [low, high] = rangeWithin(index, sizes, extent === undefined ? [] : [{ index, extent }]);
      if (low > high) return; // never inside: nothing is loaded
      offsets.set(name, low);
      own.set(name, high - low + 1);
    }
    if (own.size < components.length) this.#fail('two components have one name');
    this.#expression(value, { sizes: own, offsets, guards: [], seen: new Set(), accumulators: [] });
    if (value.type !== 'f32') this.#fail(`an operand of type ${value.type}`);
  }

  #accumulators({ accumulators }: LoopNest, context: Context): void {
    for (const { combine, type, value, position } of accumulators) {
      this.#expression(value, context);
      if (value.type !== type) this.#fail(`${combine} of ${type} gathers ${value.type}`);
      if (type === 'bool') this.#fail(`${combine} of truth values`);
      const isArgument = combine === 'argmax' || combine === 'argmin';
      if (isArgument !== (position !== undefined))
        this.#fail(`${combine} ${isArgument ? 'without' : 'with'} a position`);
      if (position) this.#variables(position, context.sizes);
    }
  }

  #variables({ constant, terms }: Affine, sizes: ReadonlyMap<string, number>): void {
    for (const [name, factor] of Object.entries(terms)) {
      if (!sizes.has(name)) this.#fail(`${name} is no axis here`);
      if (!Number.isInteger(factor)) this.#fail(`${name} has factor ${factor}`);
    }
    if (!Number.isInteger(constant)) this.#fail(`${printAffine({ constant, terms })} is no integer`);
  }

  /** Every part once for each set of guards around it. */
  #expression(expression: Expression, context: Context): void {
    if (context.seen.has(expression)) return;
    context.seen.add(expression);
    const fault = typeFault(expression);
    if (fault !== undefined) this.#fail(fault);
    if (expression.kind === 'guard') {
      for (const { index } of expression.bounds) this.#variables(index, context.sizes);
      this.#expression(expression.inside, {
        ...context,
        guards: [...context.guards, ...expression.bounds],
        seen: new Set(),
      });
      return;
    }
    if (expression.kind === 'index') this.#variables(expression.index, context.sizes);
    if (expression.kind === 'accumulator' && context.accumulators[expression.number] !== expression.type)
      this.#fail(
        `acc${expression.number} as ${expression.type} is ${context.accumulators[expression.number] ?? 'not known'} here`,
      );
    if (expression.kind === 'load') this.#access(expression.access, context);
    else for (const operand of operandsOf(expression)) this.#expression(operand, context);
  }

  #access(access: Access, context: Context): void {
    const use = this.#kernel.buffers[access.buffer];
    const buffer = use && this.#buffers[use.buffer];
    if (!buffer) this.#fail(`${printAccess(access)} is in no buffer`);
    if (buffer.dtype !== access.dtype) this.#fail(`${printAccess(access)} sees ${buffer.dtype} as ${access.dtype}`);
    this.#variables(access.address, context.sizes);
    let [low, high] = this.#range(access.address, context);
    if (isEmpty([low, high])) return;
    for (const { value, stride, extent } of access.dynamic) {
      this.#expression(value, context);
      if (value.type !== 'i32') this.#fail(`a dynamic index of type ${value.type}`);
      if (extent < 1) this.#fail(`${printAccess(access)}: a dynamic index into nothing`);
      low += Math.min(0, stride * (extent - 1));
      high += Math.max(0, stride * (extent - 1));
    }
    if (low < 0 || high >= buffer.elements)
      this.#fail(`${printAccess(access)} reaches ${low} … ${high}, the buffer has 0 … ${buffer.elements - 1}`);
  }

  #range(address: Affine, { sizes, offsets, guards }: Context): Range {
    const shifted = (affine: Affine): Affine => ({
      constant: Object.entries(affine.terms).reduce(
        (sum, [name, factor]) => sum + factor * (offsets.get(name) ?? 0),
        affine.constant,
      ),
      terms: affine.terms,
    });
    const bounds = guards.map(({ index, extent }) => ({ index: shifted(index), extent }));
    return rangeWithin(shifted(address), sizes, bounds);
  }

  /** Different points of the parallel axes store to different elements, and each store of a kernel elsewhere than the others. */
  #storesApart(
    { access, mode }: Store,
    others: readonly Store[],
    axes: readonly Axis[],
    ordered: readonly Axis[],
  ): void {
    const free = [
      ...ordered.map(({ name, size }) => ({ factor: access.address.terms[name] ?? 0, size })),
      ...access.dynamic.filter(varies).map(({ stride, extent }) => ({ factor: stride, size: extent })),
    ];
    if (!isInjective(access.address, axes, free))
      this.#fail(`different points may store to the same ${printAccess(access)}`);
    const points = [...axes, ...ordered];
    for (const other of others) {
      if (other.access.buffer !== access.buffer) continue;
      const isKnown =
        access.dynamic.length === 0 && other.access.dynamic.length === 0 && mode === 'set' && other.mode === 'set';
      if (!isKnown || mayMeet(access.address, points, other.access.address, points))
        this.#fail(`two stores meet: ${printAccess(access)} and ${printAccess(other.access)}`);
    }
  }
}

const printAccess = (access: Access): string => new ExpressionPrinter([]).access(access);

const sizesOf = (axes: readonly Axis[]): Map<string, number> => new Map(axes.map(({ name, size }) => [name, size]));

const accumulatorTypes = (nest: Nest): Context['accumulators'] =>
  nest.kind === 'contraction'
    ? ['f32']
    : nest.accumulators.map(({ combine, type }) => (combine === 'argmax' || combine === 'argmin' ? 'i32' : type));

const rootsOf = (nest: Nest): Expression[] => [
  ...(nest.kind === 'contraction' ? [nest.left.value, nest.right.value] : nest.accumulators.map(({ value }) => value)),
  ...nest.stores.flatMap(({ value, access }) => [value, ...access.dynamic.map((index) => index.value)]),
];

/** Whether an index may be another one at another point. */
const varies = ({ value }: DynamicIndex): boolean =>
  walk([value]).some((expression) => {
    switch (expression.kind) {
      case 'index':
        return Object.keys(expression.index.terms).length > 0;
      case 'load':
        return Object.keys(expression.access.address.terms).length > 0;
      case 'guard':
        return expression.bounds.some(({ index }) => Object.keys(index.terms).length > 0);
      case 'accumulator':
        return true;
      default:
        return false;
    }
  });
