/**
 * IDX, the format of MNIST: two zero bytes, a type, a rank, the sizes as big-endian 32-bit integers, the elements.
 *
 * @see http://yann.lecun.com/exdb/mnist, "the IDX file format"
 */
import { type DType, FormatError, fail, formatShape, type HostArray } from '../core/index.js';

interface IdxType {
  readonly bytes: number;
  readonly dtype: DType;
  readonly read: (view: DataView, offset: number) => number;
}

const idxTypes: Readonly<Record<number, IdxType>> = {
  8: { bytes: 1, dtype: 'uint8', read: (view, offset) => view.getUint8(offset) },
  9: { bytes: 1, dtype: 'int32', read: (view, offset) => view.getInt8(offset) },
  11: { bytes: 2, dtype: 'int32', read: (view, offset) => view.getInt16(offset) },
  12: { bytes: 4, dtype: 'int32', read: (view, offset) => view.getInt32(offset) },
  13: { bytes: 4, dtype: 'float32', read: (view, offset) => view.getFloat32(offset) },
  14: { bytes: 8, dtype: 'float32', read: (view, offset) => view.getFloat64(offset) },
};

export interface IdxHeader {
  readonly type: IdxType;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly dataOffset: number;
  /** The size of the whole file. */
  readonly fileBytes: number;
}

const maxElements = 2 ** 31;

/**
 * The header of an IDX file, or undefined while `bytes`, its beginning, are too few to hold all of it.
 *
 * @throws FormatError if it is no IDX file, or claims more elements than an array can hold
 */
export function parseIdxHeader(bytes: Uint8Array, file: string): IdxHeader | undefined {
  if (bytes.length < 4) return undefined;
  const [zero, alsoZero, code, rank] = bytes as unknown as [number, number, number, number];
  const type = idxTypes[code];
  if (zero !== 0 || alsoZero !== 0 || !type) {
    const begin = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    fail(
      `${file}: not an IDX file: begins with ${begin} (expected 00 00, one of ${Object.keys(idxTypes).map(hex).join(' ')}, a rank)`,
      zero === 0x1f && alsoZero === 0x8b ? 'It is gzip: read it with readIdx.' : 'Is it another file under this name?',
      FormatError,
    );
  }
  const dataOffset = 4 + 4 * rank;
  if (bytes.length < dataOffset) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  // exact, so that sizes which overflow together are not taken for small ones
  const elements = shape.reduce((product, size) => product * BigInt(size), 1n);
  if (elements > BigInt(maxElements)) {
    fail(
      `${file}: its header claims ${formatShape(shape)}, ${elements} elements (at most ${maxElements})`,
      'The file is damaged: get it again.',
      FormatError,
    );
  }
  return { type, shape, dataOffset, fileBytes: dataOffset + Number(elements) * type.bytes };
}

/**
 * The array in an IDX file. 8-bit unsigned elements share the memory of `bytes`; other integers become int32, floats
 * float32.
 *
 * @param file name for messages
 * @throws FormatError if the file is truncated, oversized or no IDX file
 */
export function decodeIdx(bytes: Uint8Array<ArrayBuffer>, file: string): HostArray {
  const header = parseIdxHeader(bytes, file);
  if (!header) failTruncated(file, bytes.length, undefined);
  const { type, shape, dataOffset, fileBytes } = header;
  if (bytes.length < fileBytes) failTruncated(file, bytes.length, header);
  if (bytes.length > fileBytes) failOversized(file, `${bytes.length}`, header);
  const { dtype } = type;
  // a view of its own, since `bytes` may be Node's Buffer, whose slice shares memory where a Uint8Array's copies
  if (dtype === 'uint8')
    return { dtype, shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + dataOffset, fileBytes - dataOffset) };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = (fileBytes - dataOffset) / type.bytes;
  const data = dtype === 'int32' ? new Int32Array(count) : new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = type.read(view, dataOffset + i * type.bytes);
  return { dtype, shape, data };
}

/** Says that a file ends early; `header` is undefined where it ends inside that. */
export function failTruncated(file: string, bytes: number, header: IdxHeader | undefined): never {
  const where = header ? `of ${header.fileBytes} bytes` : 'bytes, inside its header';
  fail(`${file}: ends after ${bytes} ${where}`, 'The download stopped early: get the file again.', FormatError);
}

/** Says that a file goes on where its header has it end; `bytes` may be 'more than …'. */
export function failOversized(file: string, bytes: string, { shape, fileBytes }: IdxHeader): never {
  fail(
    `${file}: has ${bytes} bytes, its header ${formatShape(shape)} tells of ${fileBytes}`,
    'The file is damaged, or two were joined: get it again.',
    FormatError,
  );
}

const hex = (code: string): string => Number(code).toString(16).padStart(2, '0');
