import { apply, asTensor } from '../apply.js';
import { bytesPerElement, type ComputeDType, type TypedArray, viewAs } from '../dtype.js';
import { fail } from '../errors.js';
import { checkShape, type Shape } from '../shape.js';
import { type Nested, Tensor } from './tensor.js';

function shapeOf(values: Nested): number[] {
  return Array.isArray(values) ? [values.length, ...(values.length > 0 ? shapeOf(values[0] as Nested) : [])] : [];
}

/**
 * A tensor of the given numbers.
 *
 * @param values nested arrays, a number, or a typed array (then `shape` says its shape, [length] unless given)
 * @param options dtype: float32 for numbers, bool for booleans, a typed array's own, unless given
 * @example tensor([[1, 2], [3, 4]])
 */
export function tensor(
  values: Nested | TypedArray,
  { dtype, shape }: { readonly dtype?: ComputeDType; readonly shape?: Shape } = {},
): Tensor {
  if (ArrayBuffer.isView(values)) {
    if (values instanceof Uint16Array)
      fail('tensor: a Uint16Array has no dtype of its own', 'Give a Float32Array, Int32Array or Uint8Array.');
    const own: ComputeDType =
      values instanceof Float32Array ? 'float32' : values instanceof Int32Array ? 'int32' : 'uint8';
    const made = Tensor.fromHost({ dtype: own, shape: shape ?? [values.length], data: values as TypedArray });
    return dtype ? made.cast(dtype) : made;
  }
  const nested = shapeOf(values as Nested);
  const flat: (number | boolean)[] = [];
  const collect = (item: Nested, depth: number): void => {
    if (!Array.isArray(item)) {
      if (depth !== nested.length)
        fail(
          `tensor: a number stands where a row of ${nested[depth]} was expected`,
          'All rows must have the same depth.',
        );
      flat.push(item as number | boolean);
      return;
    }
    if (depth === nested.length)
      fail(`tensor: a row of ${item.length} stands where a number was expected`, 'All rows must have the same depth.');
    if (item.length !== nested[depth])
      fail(
        `tensor: rows of ${nested[depth]} and of ${item.length} at depth ${depth}`,
        'All rows must have the same length.',
      );
    for (const inner of item) collect(inner as Nested, depth + 1);
  };
  collect(values as Nested, 0);
  const type = dtype ?? (flat.length > 0 && flat.every((value) => typeof value === 'boolean') ? 'bool' : 'float32');
  const data = viewAs(type, new ArrayBuffer(flat.length * bytesPerElement[type]));
  flat.forEach((value, i) => {
    data[i] = type === 'bool' ? Number(Boolean(value)) : Number(value);
  });
  return Tensor.fromHost({ dtype: type, shape: shape ?? nested, data });
}

/** A tensor filled with one number. */
export function full(
  shape: Shape,
  value: number | boolean,
  { dtype = typeof value === 'boolean' ? 'bool' : 'float32' }: { readonly dtype?: ComputeDType } = {},
): Tensor {
  checkShape('full', shape);
  return asTensor(value, dtype).broadcastTo(shape);
}

export const zeros = (shape: Shape, options: { readonly dtype?: ComputeDType } = {}): Tensor =>
  full(shape, 0, { dtype: 'float32', ...options });
export const ones = (shape: Shape, options: { readonly dtype?: ComputeDType } = {}): Tensor =>
  full(shape, 1, { dtype: 'float32', ...options });

/** Integers 0 … stop − 1, or start … below stop in steps, as int32. */
export function arange(start: number, stop?: number, step = 1): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (![from, to, step].every(Number.isInteger) || step === 0)
    fail(
      `arange: ${from} to ${to} by ${step}`,
      'arange takes integers and a step other than 0; use linspace for fractions.',
    );
  const index = apply('iota', [], { shape: [Math.max(0, Math.ceil((to - from) / step))], axis: 0 });
  return from === 0 && step === 1 ? index : index.mul(step).add(from);
}

/** `count` evenly spaced numbers from start to stop, both included. */
export function linspace(start: number, stop: number, count: number): Tensor {
  if (!Number.isInteger(count) || count < 1) fail(`linspace: ${count} numbers`, 'Ask for at least one.');
  return arange(count)
    .cast('float32')
    .mul(count === 1 ? 0 : (stop - start) / (count - 1))
    .add(start);
}

/** The identity matrix. */
export const eye = (size: number): Tensor => {
  const rows = apply('iota', [], { shape: [size, size], axis: 0 });
  return rows.equal(rows.transpose()).cast('float32');
};
