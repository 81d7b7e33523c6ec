import {
  bytesPerElement,
  type DType,
  FormatError,
  fail,
  type HostArray,
  type TypedArray,
  viewAs,
} from '../core/index.js';

/** How Kiln's dtypes are called in a safetensors file. */
export const fileDtypes: Readonly<Record<DType, string>> = {
  float32: 'F32',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
  float16: 'F16',
  bfloat16: 'BF16',
};

interface StoredDtype {
  readonly bytes: number;
  /** What it is read as. */
  readonly dtype: DType;
  /** Reads one element; absent where the bytes are Kiln's own and need no conversion. */
  readonly read?: (view: DataView, offset: number) => number | bigint;
}

/** Every dtype that can be read. Those that Kiln does not compute in are narrowed, and each element is checked. */
export const storedDtypes: ReadonlyMap<string, StoredDtype> = new Map(
  Object.entries({
    F32: { bytes: 4, dtype: 'float32' },
    I32: { bytes: 4, dtype: 'int32' },
    U8: { bytes: 1, dtype: 'uint8' },
    BOOL: { bytes: 1, dtype: 'bool' },
    F16: { bytes: 2, dtype: 'float16' },
    BF16: { bytes: 2, dtype: 'bfloat16' },
    F64: { bytes: 8, dtype: 'float32', read: (view, offset) => view.getFloat64(offset, true) },
    I64: { bytes: 8, dtype: 'int32', read: (view, offset) => view.getBigInt64(offset, true) },
    U64: { bytes: 8, dtype: 'int32', read: (view, offset) => view.getBigUint64(offset, true) },
    U32: { bytes: 4, dtype: 'int32', read: (view, offset) => view.getUint32(offset, true) },
    I16: { bytes: 2, dtype: 'int32', read: (view, offset) => view.getInt16(offset, true) },
    U16: { bytes: 2, dtype: 'int32', read: (view, offset) => view.getUint16(offset, true) },
    I8: { bytes: 1, dtype: 'int32', read: (view, offset) => view.getInt8(offset) },
  } satisfies Record<string, StoredDtype> as Record<string, StoredDtype>),
);

/** What the header of a file says of one tensor, after it was checked. */
export interface SafetensorsEntry {
  readonly name: string;
  /** The dtype in the file: F32, BF16, I64 … */
  readonly stored: string;
  /** The dtype it is read as. */
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Where its bytes lie, counted from the first byte after the header. */
  readonly begin: number;
  readonly end: number;
}

/**
 * The tensor whose bytes are `bytes`; it shares their memory where dtype and alignment allow.
 *
 * @throws FormatError if an element does not fit the dtype it is read as
 */
export function decodeElements(entry: SafetensorsEntry, bytes: Uint8Array<ArrayBuffer>, file: string): HostArray {
  const { dtype, shape } = entry;
  const { read, bytes: size } = storedDtypes.get(entry.stored)!;
  if (read) return { dtype, shape, data: narrow(entry, bytes, size, read, file) };
  if (dtype === 'bool') checkBooleans(entry, bytes, file);
  const isAligned = bytes.byteOffset % bytesPerElement[dtype] === 0;
  const source = isAligned ? bytes : bytes.slice();
  return { dtype, shape, data: viewAs(dtype, source.buffer, source.byteOffset, bytes.length / size) };
}

function narrow(
  entry: SafetensorsEntry,
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
  read: (view: DataView, offset: number) => number | bigint,
  file: string,
): TypedArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / size;
  const data = entry.dtype === 'float32' ? new Float32Array(count) : new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const value = read(view, i * size);
    data[i] = Number(value);
    // rounding a float is what float32 means; a finite one that becomes infinite, or an integer that wraps, is not
    const isKept =
      entry.dtype === 'float32' ? Number.isFinite(data[i]) || !Number.isFinite(value) : data[i] === Number(value);
    if (isKept) continue;
    fail(
      `${file}: tensor '${entry.name}': element ${i} is ${value}, which ${entry.dtype} cannot hold`,
      `The file stores ${entry.stored}, which is read as ${entry.dtype}. Write the tensor in a narrower dtype.`,
      FormatError,
    );
  }
  return data;
}

function checkBooleans(entry: SafetensorsEntry, bytes: Uint8Array, file: string): void {
  const wrong = bytes.findIndex((byte) => byte > 1);
  if (wrong < 0) return;
  fail(
    `${file}: tensor '${entry.name}': element ${wrong} of a BOOL is ${bytes[wrong]} (0 or 1)`,
    'The file is damaged, or its dtype should be U8.',
    FormatError,
  );
}
