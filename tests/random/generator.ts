/** Random well-typed graphs: the values made so far, what is known of each, and how an operation gets operands of a shape it needs. */
import {
  type ComputeDType,
  type DType,
  GraphBuilder,
  type Node,
  type NodeOf,
  type ParamsOf,
  type PrimitiveName,
  type Shape,
  sameShape,
  sizeOf,
  type TensorType,
} from '../../src/core/index.js';

/** A node with what is known of its elements. */
export interface Value {
  readonly node: Node;
  /** No element is greater in magnitude. */
  readonly bound: number;
  /** How far float32 arithmetic may be from float64. */
  readonly error: number;
  /** Elements are multiples of it and computed without rounding, so that comparisons and floor are safe; 0: any float. */
  readonly quantum: number;
}

/** Relative error allowed for one operation: 4 ulp. */
const epsilon = 2.5e-7;
export const greatestInt = 2 ** 31;

/** Mulberry32: small, and the same everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer, both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)]!;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const result = [...list];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [result[i], result[j]] = [result[j]!, result[i]!];
    }
    return result;
  }
}

export const dtypes: readonly ComputeDType[] = ['float32', 'float32', 'float32', 'int32', 'uint8', 'bool'];
export const greatestSize = 400;

export class Generator {
  readonly builder = new GraphBuilder();
  readonly random: Random;
  readonly values: Value[] = [];
  /** What a new input may be like; in the body of a loop there are no new inputs. */
  readonly #mayAddInputs: boolean;

  constructor(random: Random, mayAddInputs = true) {
    this.random = random;
    this.#mayAddInputs = mayAddInputs;
  }

  /** Takes a value into the pool, if anything sound can still be computed from it. */
  keep(value: Value): Value {
    if (value.error < 1e-2 && value.bound < 1e5 + (value.node.dtype === 'float32' ? 0 : greatestInt))
      this.values.push(value);
    return value;
  }

  add<K extends PrimitiveName>(op: K, inputs: readonly Value[], params: ParamsOf<K>): NodeOf<K> {
    return this.builder.add(
      op,
      inputs.map(({ node }) => node),
      params,
    );
  }

  /** A value of an operation whose result has `bound`, errors of its operands carried on as `error`, and `terms` roundings. */
  result(
    node: Node,
    { bound, error = 0, quantum = 0, terms = 1 }: { bound: number; error?: number; quantum?: number; terms?: number },
  ): Value {
    if (node.dtype !== 'float32') {
      const limit = node.dtype === 'bool' ? 1 : node.dtype === 'uint8' ? 255 : greatestInt;
      return { node, bound: Math.min(limit, bound), error: 0, quantum: 1 };
    }
    if (quantum > 0 && bound / quantum < 2 ** 23) return { node, bound, error: 0, quantum };
    return { node, bound, error: error + Math.max(1, terms) * epsilon * Math.max(bound, 1e-3), quantum: 0 };
  }

  /** The same elements, or some of them, in other places. */
  moved(node: Node, ...from: readonly Value[]): Value {
    return {
      node,
      bound: Math.max(...from.map(({ bound }) => bound)),
      error: Math.max(...from.map(({ error }) => error)),
      quantum: Math.min(...from.map(({ quantum }) => quantum)),
    };
  }

  input(type: TensorType, bound: number, error: number, quantum: number): Value {
    const value = { node: this.builder.input(type) as Node, bound, error, quantum };
    this.values.push(value);
    return value;
  }

  constant(value: number, dtype: DType, shape: Shape): Value {
    const scalar = this.builder.add('constant', [], { value, dtype }) as Node;
    const node = shape.length === 0 ? scalar : (this.builder.add('broadcast', [scalar], { shape }) as Node);
    return { node, bound: Math.max(1, Math.abs(value)), error: 0, quantum: dtype === 'float32' ? quarterOf(value) : 1 };
  }

  someConstant(dtype: DType, shape: Shape): Value {
    const { random } = this;
    const value = {
      float32: random.integer(-8, 8) / 4,
      int32: random.integer(-5, 9),
      uint8: random.integer(0, 9),
      bool: random.integer(0, 1),
    };
    return this.constant(value[dtype as ComputeDType], dtype, shape);
  }

  shape(maxRank = 4): number[] {
    const rank = this.random.integer(0, maxRank);
    let left = greatestSize;
    return Array.from({ length: rank }, () => {
      const size = this.random.chance(0.02) ? 0 : Math.min(left, this.random.pick([1, 1, 2, 2, 3, 3, 4, 5, 7, 9]));
      left = Math.floor(left / Math.max(1, size));
      return Math.max(size, size === 0 ? 0 : 1);
    });
  }

  some(accepts: (value: Value) => boolean): Value | undefined {
    const fitting = this.values.filter(accepts);
    if (fitting.length === 0) return undefined;
    // recent ones more often: graphs become deep
    return this.random.chance(0.5)
      ? fitting.at(-1 - this.random.integer(0, Math.min(3, fitting.length - 1)))
      : this.random.pick(fitting);
  }

  /** A value of that type: one that is there, another one brought to that shape, or a new input. */
  want(shape: Shape, dtype: DType, accepts: (value: Value) => boolean = () => true): Value {
    const { random } = this;
    const ofType = (value: Value): boolean => value.node.dtype === dtype && accepts(value);
    const same = random.chance(0.8) && this.some((value) => ofType(value) && sameShape(value.node.shape, shape));
    if (same) return same;
    if (random.chance(0.6)) {
      const other = this.some(
        (value) =>
          ofType(value) &&
          (sizeOf(value.node.shape) === sizeOf(shape) ||
            canBroadcast(value.node.shape, shape) ||
            canSlice(value.node.shape, shape)),
      );
      if (other) return this.#broughtTo(other, shape);
    }
    const far = random.chance(0.6) && this.some((value) => ofType(value) && sizeOf(value.node.shape) > 0);
    if (far) return this.#stretched(far, shape);
    if (this.#mayAddInputs && random.chance(0.9)) {
      const value = this.input(
        { shape, dtype },
        dtype === 'float32' ? 2 : dtype === 'bool' ? 1 : 9,
        0,
        dtype === 'float32' ? 0.25 : 1,
      );
      if (accepts(value)) return value;
    }
    return this.someConstant(dtype, shape);
  }

  #broughtTo(value: Value, shape: Shape): Value {
    const { node } = value;
    if (canBroadcast(node.shape, shape))
      return this.keep(this.moved(this.add('broadcast', [value], { shape }) as Node, value));
    if (sizeOf(node.shape) === sizeOf(shape))
      return this.keep(this.moved(this.add('reshape', [value], { shape }) as Node, value));
    const start = shape.map((size, axis) => this.random.integer(0, node.shape[axis]! - size));
    const stop = shape.map((size, axis) => start[axis]! + size);
    return this.keep(this.moved(this.add('slice', [value], { start, stop, step: shape.map(() => 1) }) as Node, value));
  }

  /** As many elements as `shape` has, from a value that has more or fewer. */
  #stretched(value: Value, shape: Shape): Value {
    const count = sizeOf(shape);
    const own = sizeOf(value.node.shape);
    let flat = this.moved(this.add('reshape', [value], { shape: [own] }) as Node, value);
    if (count < own) {
      const start = this.random.integer(0, own - count);
      flat = this.moved(this.add('slice', [flat], { start: [start], stop: [start + count], step: [1] }) as Node, flat);
    } else if (count > own) {
      const low = this.random.integer(0, count - own);
      const zero = this.constant(0, value.node.dtype, []);
      const params = { low: [low], high: [count - own - low], interior: [0], value: 0 };
      flat = this.moved(this.add('pad', [flat], params) as Node, flat, zero);
    }
    return this.keep(this.moved(this.add('reshape', [flat], { shape }) as Node, flat));
  }

  /** A float in −bound … bound, from a value that may be larger. */
  limited(value: Value, bound: number): Value {
    if (value.bound <= bound) return value;
    const { shape } = value.node;
    const factor = this.constant(2 ** Math.floor(Math.log2(bound / value.bound)), 'float32', shape);
    const node = this.add('mul', [value, factor], {}) as Node;
    return this.result(node, { bound: value.bound * factor.bound, error: value.error * factor.bound });
  }

  /** A float of at least a half. */
  positive(value: Value): Value {
    const node = this.add('max', [value, this.constant(0.5, 'float32', value.node.shape)], {}) as Node;
    return { ...this.result(node, { bound: Math.max(1, value.bound), error: value.error }), error: value.error };
  }

  /** int32 indices of an axis of `size`, from any integers. */
  indices(shape: Shape, size: number): Value {
    const any = this.want(shape, 'int32');
    if (any.bound < size && this.random.chance(0.2)) {
      const magnitude = this.add('abs', [any], {}) as Node;
      return this.result(magnitude, { bound: any.bound });
    }
    return this.result(this.add('mod', [any, this.constant(size, 'int32', shape)], {}) as Node, { bound: size });
  }
}

const quarterOf = (value: number): number =>
  Number.isInteger(value) ? 1 : Number.isInteger(value * 4) ? 0.25 : Number.isInteger(value * 2 ** 20) ? 2 ** -20 : 0;

export const isExact = ({ quantum }: Value): boolean => quantum > 0;

const canBroadcast = (from: Shape, to: Shape): boolean =>
  from.length <= to.length && from.every((size, i) => size === 1 || size === to[i + to.length - from.length]);
const canSlice = (from: Shape, to: Shape): boolean =>
  from.length === to.length && from.every((size, i) => size >= to[i]!);
