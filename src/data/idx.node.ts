import { readFile } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { FormatError, fail, failOnFile, type HostArray } from '../core/index.js';
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
  let header: IdxHeader | undefined;
  let inflated = new Uint8Array(0);
  let length = 0;
  const take = (chunk: Uint8Array): void => {
    if (!header) {
      inflated = joined(inflated, chunk);
      header = parseIdxHeader(inflated, file);
      if (header && header.fileBytes > bytes.length * maxDeflateRatio) failTruncated(file, bytes.length, header);
      if (header && header.fileBytes > inflated.length)
        inflated = joined(inflated, new Uint8Array(header.fileBytes - inflated.length));
    } else if (length + chunk.length <= header.fileBytes) inflated.set(chunk, length);
    length += chunk.length;
    if (header && length > header.fileBytes) failOversized(file, `more than ${header.fileBytes}`, header);
  };
  try {
    // events, since reading by `for await` drops what was inflated before an error, and with it where the file ends
    await new Promise<void>((resolve, reject) => {
      gunzip.on('data', (chunk: Buffer) => {
        try {
          take(chunk);
        } catch (error) {
          reject(error);
          gunzip.destroy();
        }
      });
      gunzip.on('end', resolve).on('error', reject).end(bytes);
    });
  } catch (error) {
    failOnGzip(error, file, length, header);
  }
  if (!header || length < header.fileBytes) failTruncated(file, length, header);
  return inflated;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function failOnGzip(error: unknown, file: string, length: number, header: IdxHeader | undefined): never {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('Z_')) throw error;
  if (code === 'Z_BUF_ERROR') failTruncated(file, length, header);
  fail(
    `${file}: broken gzip: ${(error as Error).message} (${code})`,
    'The file is damaged: get it again.',
    FormatError,
  );
}
