import { FormatError, fail, formatShape } from '../core/index.js';
import { jsonKeys } from './json-keys.js';
import { type SafetensorsEntry, storedDtypes } from './safetensors-dtypes.js';

/** What a safetensors file holds, without the elements. */
export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the elements begin in the file. */
  readonly dataOffset: number;
}

/** Bytes before the header: its length as an unsigned 64-bit integer. */
export const prefixBytes = 8;
/** The format's own limit, as in its reference implementation. */
const maxHeaderBytes = 100_000_000;

/** The length of the header, from the file's first 8 bytes; checked against the size of the file. */
export function headerLength(prefix: Uint8Array, fileBytes: number, file: string): number {
  if (fileBytes < prefixBytes) {
    broken(`${file}: has ${fileBytes} bytes, a safetensors file at least ${prefixBytes + 2}`, whole);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset, prefixBytes).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    broken(
      `${file}: not a safetensors file: its first 8 bytes tell a header of ${length} bytes (at most ${maxHeaderBytes})`,
      'Is it a file of another format under this name?',
    );
  }
  if (BigInt(fileBytes - prefixBytes) < length) {
    broken(
      `${file}: ends after ${fileBytes} of at least ${prefixBytes + Number(length)} bytes, inside its header`,
      whole,
    );
  }
  return Number(length);
}

/**
 * Reads and checks a header: nothing that it claims is believed or allocated before it fits the file.
 *
 * @param bytes     the JSON, without the 8 bytes before it
 * @param fileBytes size of the whole file
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number, file: string): SafetensorsHeader {
  const dataOffset = prefixBytes + bytes.length;
  const header = parseJson(bytes, file);
  const entries: SafetensorsEntry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = checkMetadata(value, file);
    else entries.push(checkEntry(name, value, file));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end || (a.name < b.name ? -1 : 1));
  checkCover(entries, fileBytes - dataOffset, file);
  return { entries, metadata, dataOffset };
}

function parseJson(bytes: Uint8Array, file: string): object {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    broken(`${file}: its header of ${bytes.length} bytes is no JSON: ${(error as Error).message}`, damaged);
  }
  if (!isObject(header)) broken(`${file}: its header is ${describe(header)}, not an object`, damaged);
  // JSON.parse keeps the last of two equal keys in silence
  const seen = new Set<string>();
  for (const key of jsonKeys(text)) {
    if (seen.has(key)) broken(`${file}: tensor '${key}' is there twice`, 'Names must be distinct.');
    seen.add(key);
  }
  return header;
}

function checkMetadata(value: unknown, file: string): Record<string, string> {
  if (!isObject(value)) broken(`${file}: __metadata__ is ${describe(value)}, not an object of strings`, damaged);
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== 'string')
      broken(`${file}: __metadata__ '${key}' is ${describe(entry)}, not a string`, damaged);
  }
  return value as Record<string, string>;
}

function checkEntry(name: string, value: unknown, file: string): SafetensorsEntry {
  const where = `${file}: tensor '${name}'`;
  if (!isObject(value)) broken(`${where}: is ${describe(value)}, not an object`, damaged);
  const { dtype: stored, shape, data_offsets: offsets } = value as Record<string, unknown>;
  const known = typeof stored === 'string' ? storedDtypes.get(stored) : undefined;
  if (!known) {
    broken(
      `${where}: dtype ${describe(stored)} is none that Kiln reads`,
      `Convert it to one of ${[...storedDtypes.keys()].join(', ')}.`,
    );
  }
  if (!isSizes(shape)) broken(`${where}: shape ${describe(shape)} is no list of sizes`, damaged);
  if (!isSizes(offsets) || offsets.length !== 2) {
    broken(`${where}: data_offsets ${describe(offsets)} are no pair of offsets`, damaged);
  }
  const [begin, end] = offsets as [number, number];
  if (end < begin) broken(`${where}: ends before it begins (${end} < ${begin})`, damaged);
  // in exact integers: a product of doubles that overflows could round to the length it should differ from
  const bytes = shape.reduce((product, size) => product * BigInt(size), BigInt(known.bytes));
  if (bytes !== BigInt(end - begin)) {
    broken(`${where}: ${stored} ${formatShape(shape)} takes ${bytes} bytes, its offsets hold ${end - begin}`, damaged);
  }
  return { name, stored: stored as string, dtype: known.dtype, shape, begin, end };
}

/** The tensors must cover the bytes after the header exactly: no hole, no overlap, nothing behind. */
function checkCover(sorted: readonly SafetensorsEntry[], dataBytes: number, file: string): void {
  let covered = 0;
  let before = '';
  for (const { name, begin, end } of sorted) {
    if (begin < covered) {
      broken(`${file}: tensors '${before}' and '${name}' overlap (${begin} < ${covered})`, damaged);
    }
    if (begin > covered) {
      broken(
        `${file}: ${begin - covered} bytes before tensor '${name}' belong to none (${covered} to ${begin})`,
        damaged,
      );
    }
    covered = end;
    before = name;
  }
  if (covered > dataBytes) broken(`${file}: holds ${dataBytes} of ${covered} bytes of elements`, whole);
  if (covered < dataBytes) {
    broken(`${file}: holds ${dataBytes} bytes of elements, its header tells of ${covered}`, damaged);
  }
}

const whole = 'The file is not whole: copy or download it again.';
const damaged = 'The file is damaged, or the program that wrote it is at fault: get or write it again.';

function broken(message: string, mend: string): never {
  fail(message, mend, FormatError);
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length <= 64 && value.every((size) => Number.isSafeInteger(size) && size >= 0);

/** A value of the header for a message: short, whatever a hostile file holds. */
function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
