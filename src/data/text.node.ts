/** Text files: UTF-8, nothing else. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { FormatError, fail, failOnFile } from '../core/index.js';

export interface TextFiles {
  /** One after another. */
  readonly text: string;
  /** SHA-256 by path. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** @throws FormatError if one is empty or not UTF-8; KilnError if it cannot be read */
export async function readTexts(paths: readonly string[]): Promise<TextFiles> {
  const texts: string[] = [];
  const hashes: Record<string, string> = {};
  for (const path of paths) {
    const bytes = await readFile(path).catch((error: unknown) => failOnFile('read', path, error));
    if (bytes.length === 0)
      fail(`${path}: is empty`, 'Give a file with some thousand characters of text.', FormatError);
    texts.push(decodeUtf8(bytes, path));
    hashes[path] = createHash('sha256').update(bytes).digest('hex');
  }
  return { text: texts.join(''), hashes };
}

function decodeUtf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const at = firstBadByte(bytes);
    const line = bytes.subarray(0, at).reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 1);
    const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const from = isUtf16 ? 'utf-16' : 'latin1';
    return fail(
      `${path}: is not UTF-8: byte 0x${bytes[at]!.toString(16).padStart(2, '0')} at ${at}, line ${line}`,
      `Convert it, for example \`iconv -f ${from} -t utf-8 ${path} > text.txt\`, if it is text.`,
      FormatError,
    );
  }
}

/** Where the first character begins that is none, found by halving. */
function firstBadByte(bytes: Uint8Array): number {
  // a decoder in streaming mode allows the last character to be cut
  const isGood = (length: number, stream: boolean): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream });
      return true;
    } catch {
      return false;
    }
  };
  let [good, bad] = [0, bytes.length + 1];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isGood(middle, true)) good = middle;
    else bad = middle;
  }
  while (!isGood(good, false)) good--;
  return good;
}
