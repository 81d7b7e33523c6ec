/** Element types. float16 and bfloat16 are storage only: they are read and written, arithmetic is done in float32. */
export type DType = 'float32' | 'int32' | 'uint8' | 'bool' | 'float16' | 'bfloat16';

/** Types that operations compute in. */
export type ComputeDType = 'float32' | 'int32' | 'uint8' | 'bool';

export const bytesPerElement: Readonly<Record<DType, number>> = {
  float32: 4,
  int32: 4,
  uint8: 1,
  bool: 1,
  float16: 2,
  bfloat16: 2,
};

export type TypedArray = Float32Array | Int32Array | Uint8Array | Uint16Array;

/** A view of `bytes` as elements of `dtype`; float16 and bfloat16 are seen as their 16-bit patterns. */
export function viewAs(dtype: DType, bytes: ArrayBuffer, byteOffset = 0, length?: number): TypedArray {
  const count = length ?? (bytes.byteLength - byteOffset) / bytesPerElement[dtype];
  switch (dtype) {
    case 'float32':
      return new Float32Array(bytes, byteOffset, count);
    case 'int32':
      return new Int32Array(bytes, byteOffset, count);
    case 'uint8':
    case 'bool':
      return new Uint8Array(bytes, byteOffset, count);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(bytes, byteOffset, count);
  }
}

/** Named elements on the host: what files and data sets hold, and what tensors are made from. */
export interface HostArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Row-major elements; for float16 and bfloat16 their 16-bit patterns. */
  readonly data: TypedArray;
}

/** The dtype of arithmetic between two operands: bool < uint8 < int32 < float32, as NumPy orders kinds. */
export function promote(a: DType, b: DType): DType {
  const order: readonly DType[] = ['bool', 'uint8', 'int32', 'float16', 'bfloat16', 'float32'];
  return order[Math.max(order.indexOf(a), order.indexOf(b))]!;
}
