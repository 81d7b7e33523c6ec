/** Operands of the op checks: what a row says about them, and tensors made of that. */
import {
  bytesPerElement,
  type ComputeDType,
  elementStridesOf,
  type HostRandom,
  type Shape,
  sizeOf,
  Tensor,
  viewAs,
} from '../src/core/index.js';

/** A shape alone is float32, uniform in [−2, 2). */
export type Operand = Shape | OperandSpec;

export interface OperandSpec {
  readonly shape: Shape;
  readonly dtype?: ComputeDType;
  /** Range of the random values: floats low ≤ x < high (−2 and 2), int32 low … high (−5 and 5), uint8 (0 and 9). */
  readonly low?: number;
  readonly high?: number;
  /** The values themselves, row-major. */
  readonly values?: readonly number[];
  /** How it comes to be: the operation sees a view of another tensor, not one that lies in memory as it is. */
  readonly view?: View;
}

export type View = 'transposed' | 'sliced' | 'flipped' | 'broadcast';

export interface Made {
  /** What the program is given. */
  readonly base: Tensor;
  /** What the operation sees, from the base or whatever stands for it. */
  readonly view: (base: Tensor) => Tensor;
}

const isShape = (operand: Operand): operand is Shape => Array.isArray(operand);

const views: Readonly<Record<View, (shape: Shape) => { base: Shape; view: (base: Tensor) => Tensor }>> = {
  transposed: (shape) => ({ base: shape.toReversed(), view: (base) => base.transpose() }),
  sliced: (shape) => ({
    base: shape.map((size) => 2 * size + 1),
    view: (base) =>
      base.sliceStrided(
        shape.map(() => 1),
        shape.map((size) => 2 * size + 1),
        shape.map(() => 2),
      ),
  }),
  flipped: (shape) => ({ base: shape, view: (base) => base.flip() }),
  broadcast: (shape) => ({
    base: shape.map((size, axis) => (axis === 0 ? 1 : size)),
    view: (base) => base.broadcastTo(shape),
  }),
};

export function makeOperand(operand: Operand, random: HostRandom): Made {
  const spec: OperandSpec = isShape(operand) ? { shape: operand } : operand;
  const { dtype = 'float32', values } = spec;
  const { base, view } = spec.view ? views[spec.view](spec.shape) : { base: spec.shape, view: (x: Tensor) => x };
  const count = sizeOf(base);
  const data = viewAs(dtype, new ArrayBuffer(count * bytesPerElement[dtype]));
  data.set(values ? viewedFrom(values, spec) : [...random.uniform(count)].map((u) => draw(u, dtype, spec)));
  return { base: Tensor.fromHost({ dtype, shape: base, data }), view };
}

function draw(u: number, dtype: ComputeDType, spec: OperandSpec): number {
  switch (dtype) {
    case 'float32': {
      const { low = -2, high = 2 } = spec;
      return low + u * (high - low);
    }
    case 'int32':
    case 'uint8': {
      const { low = dtype === 'uint8' ? 0 : -5, high = dtype === 'uint8' ? 9 : 5 } = spec;
      return low + Math.floor(u * (high - low + 1));
    }
    case 'bool':
      return u < 0.5 ? 0 : 1;
  }
}

function viewedFrom(values: readonly number[], { view, shape }: OperandSpec): readonly number[] {
  if (view) throw new Error(`values and a view (${view}) of [${shape}]: give one of them`);
  return values;
}

export function describeOperand(operand: Operand): string {
  if (isShape(operand)) return `[${operand}]`;
  const { shape, dtype = 'float32', view, values } = operand;
  const type = dtype === 'float32' ? '' : `${dtype} `;
  return `${view ? `${view} ` : ''}${type}[${shape}]${values ? ' of values' : ''}`;
}

/** Index along each axis of the element at `offset`: for oracles. */
export function indexOf(offset: number, shape: Shape): number[] {
  const strides = elementStridesOf(shape);
  return shape.map((size, axis) => Math.floor(offset / strides[axis]!) % size);
}
