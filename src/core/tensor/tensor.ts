import { bytesPerElement, type DType, type HostArray, type TypedArray, viewAs } from '../dtype.js';
import { fail, KilnError } from '../errors.js';
import type { Node, TensorType } from '../graph.js';
import { checkShape, formatShape, type Shape, sizeOf } from '../shape.js';
import { Storage } from '../storage.js';
import type { Trace } from '../trace.js';

/** Numbers or booleans in nested arrays, all rows of one length. */
export type Nested = number | boolean | readonly Nested[];

/**
 * An immutable array of numbers. Methods make new tensors; their families (elementwise, movement, reduce, …) are in the files
 * beside this one, which install themselves here. Inside `compile` and the gradient transforms a tensor is traced: it has a
 * shape and a dtype, and its values exist only when the program runs.
 */
export class Tensor implements TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
  /** @internal The trace and node that stand for it, when it is traced. */
  readonly trace: Trace | undefined;
  readonly node: Node | undefined;
  /** @internal Where its values are, when it has any. */
  readonly storage: Storage | undefined;

  private constructor(shape: Shape, dtype: DType, storage?: Storage, trace?: Trace, node?: Node) {
    this.shape = shape;
    this.dtype = dtype;
    this.storage = storage;
    this.trace = trace;
    this.node = node;
  }

  /** @internal */
  static ofNode(trace: Trace, node: Node): Tensor {
    return new Tensor(node.shape, node.dtype, undefined, trace, node);
  }

  /** @internal */
  static ofStorage({ shape, dtype }: TensorType, storage: Storage): Tensor {
    return new Tensor(shape, dtype, storage);
  }

  /** A tensor with a copy of the elements. float16 and bfloat16 become float32. */
  static fromHost({ dtype, shape, data }: HostArray): Tensor {
    checkShape('tensor', shape);
    if (data.length !== sizeOf(shape)) {
      fail(
        `tensor: ${formatShape(shape)} takes ${sizeOf(shape)} elements: got ${data.length}`,
        'Give as many elements as the shape holds.',
      );
    }
    const isHalf = dtype === 'float16' || dtype === 'bfloat16';
    const own = isHalf ? 'float32' : dtype;
    const bytes = new ArrayBuffer(data.length * bytesPerElement[own]);
    const view = viewAs(own, bytes);
    if (isHalf)
      for (let i = 0; i < data.length; i++)
        view[i] = dtype === 'float16' ? fromFloat16(data[i]!) : fromBfloat16(data[i]!);
    else view.set(data);
    return new Tensor([...shape], own, Storage.of(bytes));
  }

  get rank(): number {
    return this.shape.length;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  /** A copy of the elements, row-major. Throws for a traced tensor, which has none yet. */
  dataSync(): TypedArray {
    const bytes = storageOf(this).atRest();
    return viewAs(this.dtype, bytes.slice(0), 0, this.size);
  }

  /** A copy of the elements, on every device. */
  async data(): Promise<TypedArray> {
    return this.dataSync();
  }

  /** The one element of a tensor that has one. bool gives 0 or 1. */
  item(): number {
    if (this.size !== 1)
      fail(
        `item: ${formatShape(this.shape)} has ${this.size} elements`,
        'item() reads a tensor of one element; use dataSync() or toArray().',
      );
    return viewAs(this.dtype, storageOf(this).atRest(), 0, 1)[0]!;
  }

  /** The elements as nested arrays, a scalar as itself; bool as booleans. */
  toArray(): Nested {
    const data = this.dataSync();
    let next = 0;
    const build = (axis: number): Nested => {
      if (axis < this.rank) return Array.from({ length: this.shape[axis]! }, () => build(axis + 1));
      const value = data[next++]!;
      return this.dtype === 'bool' ? value !== 0 : value;
    };
    return build(0);
  }

  /** Dtype, shape and a copy of the elements: what files take. */
  toHost(): HostArray {
    return { dtype: this.dtype, shape: this.shape, data: this.dataSync() };
  }

  toString(): string {
    return `Tensor ${this.dtype} ${formatShape(this.shape)}`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    if (this.trace) return `${this} (traced)`;
    const shown = viewAs(this.dtype, storageOf(this).atRest(), 0, Math.min(8, this.size));
    return `${this} { ${[...shown].join(', ')}${this.size > 8 ? ', …' : ''} }`;
  }
}

/** @internal The storage of a tensor that has values. */
export function storageOf(tensor: Tensor): Storage {
  if (!tensor.storage) {
    fail(
      `${tensor}: is traced, its values exist only when the program runs`,
      'Return it from the compiled function and read it there.',
      KilnError,
    );
  }
  return tensor.storage;
}

function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));
function fromBfloat16(bits: number): number {
  scratch.setUint16(2, bits, true);
  return scratch.getFloat32(0, true);
}
