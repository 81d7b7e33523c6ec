import { type FileHandle, open } from 'node:fs/promises';
import { FormatError, fail, failOnFile } from '../core/index.js';
import type { Safetensors } from './safetensors.js';
import { decodeElements } from './safetensors-dtypes.js';
import { headerLength, parseHeader, prefixBytes, type SafetensorsHeader } from './safetensors-header.js';

/** What a safetensors file holds; reads only its header, however large the file. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withFile(path, (file) => readHeader(file, path));
}

/**
 * The arrays and metadata of a safetensors file, each array in memory of its own.
 *
 * @throws FormatError as decodeSafetensors; KilnError if the file cannot be read
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  return withFile(path, async (file) => {
    const header = await readHeader(file, path);
    const tensors: Safetensors['tensors'] = new Map();
    for (const entry of header.entries) {
      const bytes = await readBytes(file, header.dataOffset + entry.begin, entry.end - entry.begin, path);
      tensors.set(entry.name, decodeElements(entry, bytes, path));
    }
    return { tensors, metadata: header.metadata };
  });
}

async function withFile<Result>(path: string, use: (file: FileHandle) => Promise<Result>): Promise<Result> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    return await use(file);
  } catch (error) {
    return failOnFile('read', path, error);
  } finally {
    await file?.close();
  }
}

async function readHeader(file: FileHandle, path: string): Promise<SafetensorsHeader> {
  const { size } = await file.stat();
  const prefix = await readBytes(file, 0, Math.min(size, prefixBytes), path);
  const length = headerLength(prefix, size, path);
  return parseHeader(await readBytes(file, prefixBytes, length, path), size, path);
}

/** One read call takes at most 2 GiB. */
const maxBytesPerRead = 2 ** 30;

async function readBytes(
  file: FileHandle,
  from: number,
  length: number,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const wanted = Math.min(length - done, maxBytesPerRead);
    const { bytesRead } = await file.read(bytes, done, wanted, from + done);
    if (bytesRead === 0) {
      fail(
        `${path}: ends after ${from + done} bytes, ${length - done} before it should`,
        'It was changed while it was read. Try again.',
        FormatError,
      );
    }
    done += bytesRead;
  }
  return bytes;
}
