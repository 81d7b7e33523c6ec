/**
 * safetensors: named arrays in one file. 8 bytes that tell the length of a JSON header, the header, the elements.
 *
 * @see https://github.com/huggingface/safetensors#format
 */
import { bytesPerElement, FormatError, fail, formatShape, type HostArray, ShapeError, sizeOf } from '../core/index.js';
import { decodeElements, fileDtypes } from './safetensors-dtypes.js';
import { headerLength, parseHeader, prefixBytes } from './safetensors-header.js';

export interface Safetensors {
  readonly tensors: Map<string, HostArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where the elements begin is a multiple of this, so that the widest ones are aligned. */
const alignment = 8;

/**
 * The bytes of a safetensors file. The same tensors give the same bytes, in whatever order they come.
 *
 * @param tensors  by name
 * @param metadata strings by name; JSON is usual for what is no string
 * @throws ShapeError  if an array's data do not fill its shape
 * @throws FormatError if a tensor is called '__metadata__', a name the format keeps for itself
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostArray> | Readonly<Record<string, HostArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = inFileOrder(tensors instanceof Map ? [...tensors] : Object.entries(tensors));
  const parts: string[] = [];
  if (Object.keys(metadata).length > 0) parts.push(`"__metadata__":${sortedJson(metadata)}`);
  let offset = 0;
  for (const [name, array] of entries) {
    checkArray(name, array);
    const end = offset + array.data.byteLength;
    const entry = { dtype: fileDtypes[array.dtype], shape: array.shape, data_offsets: [offset, end] };
    // as text, since an object would take '__proto__' for something else
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${parts.join(',')}}`);
  const dataOffset = Math.ceil((prefixBytes + json.length) / alignment) * alignment;
  const bytes = new Uint8Array(dataOffset + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataOffset - prefixBytes), true);
  bytes.set(json, prefixBytes);
  bytes.fill(0x20, prefixBytes + json.length, dataOffset);
  let position = dataOffset;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return bytes;
}

/**
 * The arrays and metadata of a safetensors file; arrays share the memory of `bytes` where alignment allows.
 *
 * F32, I32, U8, BOOL, F16 and BF16 are read as they are; F64 becomes float32, other integers int32, each checked.
 *
 * @param file name for messages
 * @throws FormatError if the file is truncated, oversized, damaged or lying, or holds what Kiln cannot
 */
export function decodeSafetensors(bytes: Uint8Array<ArrayBuffer>, file: string): Safetensors {
  const length = headerLength(bytes, bytes.length, file);
  const header = parseHeader(bytes.subarray(prefixBytes, prefixBytes + length), bytes.length, file);
  const data = bytes.subarray(header.dataOffset);
  const tensors = new Map(
    header.entries.map((entry) => [entry.name, decodeElements(entry, data.subarray(entry.begin, entry.end), file)]),
  );
  return { tensors, metadata: header.metadata };
}

/** Wide elements first, so that all are aligned without holes, which the format forbids; by name among equals. */
function inFileOrder(entries: readonly (readonly [string, HostArray])[]): (readonly [string, HostArray])[] {
  return entries.toSorted(([a, { dtype: x }], [b, { dtype: y }]) => {
    return bytesPerElement[y] - bytesPerElement[x] || (a < b ? -1 : a > b ? 1 : 0);
  });
}

function sortedJson(strings: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(strings).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
}

function checkArray(name: string, { shape, data }: HostArray): void {
  if (name === '__metadata__') {
    fail(`safetensors: a tensor is called '__metadata__'`, 'The format keeps this name. Choose another.', FormatError);
  }
  if (sizeOf(shape) === data.length) return;
  fail(
    `safetensors: tensor '${name}': ${data.length} elements do not fill ${formatShape(shape)} (${sizeOf(shape)})`,
    'Give data whose length is the product of the shape.',
    ShapeError,
  );
}
