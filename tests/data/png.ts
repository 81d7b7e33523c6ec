/** PNG files built by hand, true and lying. */
import { crc32, deflateSync } from 'node:zlib';

export interface PngClaims {
  readonly width: number;
  readonly height: number;
  /** 8 unless told. */
  readonly depth?: number;
  /** 0 grey unless told. */
  readonly colorType?: number;
  readonly interlace?: number;
  /** Rows with their filter bytes, before compression. */
  readonly rows: Uint8Array;
}

export const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function pngOf({
  width,
  height,
  depth = 8,
  colorType = 0,
  interlace = 0,
  rows,
}: PngClaims): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([depth, colorType, 0, 0, interlace], 8);
  return joined(signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', new Uint8Array(0)));
}

export function chunk(type: string, content: Uint8Array): Uint8Array {
  const body = joined(new TextEncoder().encode(type), content);
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(body, 4);
  view.setUint32(8 + content.length, crc32(body));
  return bytes;
}

export const joined = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat(parts));

/** The same file with true checksums, as far as its chunks can be followed. */
export function withChecksums(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let i = signature.length; i + 12 <= copy.length; ) {
    const end = i + 12 + view.getUint32(i);
    if (end > copy.length) break;
    view.setUint32(end - 4, crc32(copy.subarray(i + 4, end - 4)));
    i = end;
  }
  return copy;
}
