import type { DType } from '../dtype.js';
import { fail, InternalError } from '../errors.js';
import type { TensorType } from '../graph.js';
import { formatShape, sameShape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { filledLike } from './filled.js';
import { type Primitive, primitive } from './primitive.js';

type NoParams = Record<string, never>;
/** A primitive without parameters. */
export type Elementwise = Primitive<NoParams>;

interface UnaryDefinition {
  readonly accepts: readonly DType[];
  readonly reference: (x: number) => number;
  readonly gradient?: (dy: Tensor, context: { readonly x: Tensor; readonly y: Tensor }) => Tensor;
}

interface BinaryDefinition {
  readonly accepts: readonly DType[];
  /** 'bool' for comparisons; otherwise the operands' dtype. */
  readonly result?: 'bool';
  readonly reference: (a: number, b: number, dtype: DType) => number;
  readonly gradient?: (
    dy: Tensor,
    context: { readonly a: Tensor; readonly b: Tensor; readonly y: Tensor },
  ) => readonly [Tensor | undefined, Tensor | undefined];
}

export const floats: readonly DType[] = ['float32'];
export const numbers: readonly DType[] = ['float32', 'int32', 'uint8'];
export const integers: readonly DType[] = ['int32', 'uint8'];
export const anyType: readonly DType[] = ['float32', 'int32', 'uint8', 'bool'];

function checkDType(op: string, { dtype }: TensorType, accepts: readonly DType[]): void {
  if (!accepts.includes(dtype))
    fail(`${op}: takes ${accepts.join(', ')}: got ${dtype}`, `Cast first: x.cast('${accepts[0]}').`);
}

function checkAlike(op: string, inputs: readonly TensorType[]): void {
  const [first] = inputs as [TensorType];
  for (const input of inputs) {
    if (!sameShape(input.shape, first.shape))
      throw new InternalError(
        `${op}: shapes differ in the graph: ${formatShape(first.shape)} and ${formatShape(input.shape)}`,
      );
  }
}

export function unary(op: string, { accepts, reference, gradient }: UnaryDefinition): Primitive<NoParams> {
  return primitive<NoParams>({
    category: 'elementwise',
    infer: ([x]) => {
      checkDType(op, x!, accepts);
      return { shape: x!.shape, dtype: x!.dtype };
    },
    ...(gradient && { gradient: (dy: Tensor, { inputs: [x], y }) => [gradient(dy, { x: x!, y })] }),
    reference: ([x], _, { dtype }) => x!.data.map((value) => wrap(reference(value), dtype)),
  });
}

export function binary(op: string, { accepts, result, reference, gradient }: BinaryDefinition): Primitive<NoParams> {
  return primitive<NoParams>({
    category: 'elementwise',
    infer: (inputs) => {
      const [a, b] = inputs as readonly [TensorType, TensorType];
      checkAlike(op, inputs);
      checkDType(op, a, accepts);
      if (a.dtype !== b.dtype) throw new InternalError(`${op}: dtypes differ in the graph: ${a.dtype} and ${b.dtype}`);
      return { shape: a.shape, dtype: result ?? a.dtype };
    },
    ...(gradient && { gradient: (dy: Tensor, { inputs: [a, b], y }) => gradient(dy, { a: a!, b: b!, y }) }),
    reference: ([a, b], _, { dtype }) =>
      a!.data.map((value, i) => wrap(reference(value, b!.data[i]!, a!.dtype), dtype)),
  });
}

/** The value as its dtype holds it: integers wrap around, as on every machine. */
export function wrap(value: number, dtype: DType): number {
  switch (dtype) {
    case 'int32':
      return value | 0;
    case 'uint8':
      return value & 255;
    case 'bool':
      return value === 0 ? 0 : 1;
    default:
      return value;
  }
}

/** select(condition, a, b): a where the condition holds, else b. */
export const select: Primitive<NoParams> = primitive({
  category: 'elementwise',
  infer: (inputs) => {
    const [condition, a, b] = inputs as readonly [TensorType, TensorType, TensorType];
    checkAlike('select', inputs);
    checkDType('select', condition, ['bool']);
    if (a.dtype !== b.dtype) throw new InternalError(`select: dtypes differ in the graph: ${a.dtype} and ${b.dtype}`);
    return { shape: a.shape, dtype: a.dtype };
  },
  gradient: (dy, { inputs: [condition] }) => {
    const zero = filledLike(dy, 0);
    return [undefined, condition!.select(dy, zero), condition!.select(zero, dy)];
  },
  reference: ([condition, a, b]) => a!.data.map((value, i) => (condition!.data[i] ? value : b!.data[i]!)),
});

/** The same values in another dtype; floats are cut towards zero and saturate at the ends of an integer type, NaN becomes 0. */
export const cast: Primitive<{ readonly dtype: DType }> = primitive({
  category: 'elementwise',
  infer: ([x], { dtype }) => ({ shape: x!.shape, dtype }),
  gradient: (dy, { inputs: [x], params }) => [x!.dtype === 'float32' && params.dtype === 'float32' ? dy : undefined],
  reference: ([x], { dtype }) =>
    x!.data.map((value) => {
      if (dtype === 'float32') return value;
      if (dtype === 'bool') return value === 0 ? 0 : 1;
      if (x!.dtype !== 'float32') return wrap(value, dtype);
      const whole = Number.isNaN(value) ? 0 : Math.trunc(Math.min(2147483647, Math.max(-2147483648, value)));
      return dtype === 'uint8' ? Math.min(255, Math.max(0, whole)) : whole;
    }),
});
