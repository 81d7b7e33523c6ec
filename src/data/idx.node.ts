import { readFile } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type { HostArray } from '../core/dtype.js';
import { FormatError, fail } from '../core/errors.js';
import { failOnFile } from '../core/file-error.js';
import { decodeIdx, failOversized, failTruncated, type IdxHeader, parseIdxHeader } from './idx.js';

/**
 * The array in an IDX file, plain or gzip.
 *
 * @throws FormatError as decodeIdx, or if the gzip is damaged; KilnError if the file cannot be read
 */
export async function readIdx(path: string): Promise<HostArray> {
  const bytes = await readFile(path).catch((error: unknown) => failOnFile('read', path, error));
  return decodeIdxFile(bytes, path);
}

/** As decodeIdx, for bytes that may be gzip. */
export async function decodeIdxFile(bytes: Uint8Array<ArrayBuffer>, file: string): Promise<HostArray> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return decodeIdx(isGzip ? await inflate(bytes, file) : bytes, file);
}

/** Deflate makes nothing smaller than this: a run of 258 bytes takes at least two bits. */
const maxDeflateRatio = 1032;

/**
 * Inflates only as much as the header allows: a few kilobytes of gzip can hold gigabytes, and so can a lying header.
 * Chunks are copied into one array of the right size as they come.
 */
async function inflate(bytes: Uint8Array<ArrayBuffer>, file: string): Promise<Uint8Array<ArrayBuffer>> {
  const gunzip = createGunzip();
  gunzip.end(bytes);
  let header: IdxHeader | undefined;
  let inflated = new Uint8Array(0);
  let length = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      if (header) {
        if (length + chunk.length > header.fileBytes) failOversized(file, `more than ${header.fileBytes}`, header);
        inflated.set(chunk, length);
        length += chunk.length;
        continue;
      }
      const begin = new Uint8Array(length + chunk.length);
      begin.set(inflated);
      begin.set(chunk, length);
      length = begin.length;
      inflated = begin;
      header = parseIdxHeader(begin, file);
      if (!header) continue;
      if (begin.length > header.fileBytes) failOversized(file, `more than ${header.fileBytes}`, header);
      if (header.fileBytes > bytes.length * maxDeflateRatio) failTruncated(file, bytes.length, header);
      inflated = new Uint8Array(header.fileBytes);
      inflated.set(begin);
    }
  } catch (error) {
    failOnGzip(error, file, length, header);
  }
  if (!header || length < header.fileBytes) failTruncated(file, length, header);
  return inflated;
}

function failOnGzip(error: unknown, file: string, length: number, header: IdxHeader | undefined): never {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('Z_')) throw error;
  if (code === 'Z_BUF_ERROR') failTruncated(file, length, header);
  fail(
    `${file}: broken gzip after ${length} bytes of its content: ${(error as Error).message} (${code})`,
    'The file is damaged: get it again.',
    FormatError,
  );
}
