import { crc32, inflateSync } from 'node:zlib';
import { checkImageSize, failBroken, failCut } from './image-limits.js';

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits a sample. */
  readonly depth: number;
  readonly colorType: number;
  readonly isInterlaced: boolean;
}

export interface PngChunks {
  readonly header: PngHeader;
  /** The file without what is not needed for its pixels: profiles and texts are where small files hide large ones. */
  readonly essential: Uint8Array<ArrayBuffer>;
  /** Compressed bytes of the pixels. */
  readonly pixels: readonly Uint8Array<ArrayBuffer>[];
}

export const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;

/** Samples a pixel and the depths allowed, by colour type; PNG specification, table 11.1. */
const colorTypes: Readonly<Record<number, { readonly samples: number; readonly depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};

const essentialChunks = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

/** Deflate makes nothing smaller than this: a run of 258 bytes takes at least two bits. */
const maxDeflateRatio = 1032;

/**
 * Walks through the chunks of a PNG, checking order, lengths and checksums of those that make the picture.
 *
 * @throws FormatError if it is cut short or damaged, or claims a size that is too large or cannot be true
 * @see https://www.w3.org/TR/png-3, section 5
 */
export function parsePngChunks(bytes: Uint8Array<ArrayBuffer>, file: string): PngChunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array<ArrayBuffer>[] = [bytes.subarray(0, pngSignature.length)];
  const pixels: Uint8Array<ArrayBuffer>[] = [];
  let header: PngHeader | undefined;
  for (let i: number = pngSignature.length, type = ''; type !== 'IEND'; ) {
    if (i + 12 > bytes.length) failCut(file, bytes.length, 'before its last chunk');
    const length = view.getUint32(i);
    type = String.fromCharCode(...bytes.subarray(i + 4, i + 8));
    if (!/^[A-Za-z]{4}$/.test(type)) failBroken(file, 'PNG', `there is no chunk at byte ${i}`);
    const end = i + 12 + length;
    if (end > bytes.length) failCut(file, bytes.length, `inside chunk ${type} (${length} bytes from ${i + 8})`);
    if (!header && type !== 'IHDR') failBroken(file, 'PNG', `it begins with chunk ${type} instead of IHDR`);
    if (essentialChunks.has(type)) {
      const checksum = crc32(bytes.subarray(i + 4, end - 4));
      if (checksum !== view.getUint32(end - 4))
        failBroken(file, 'PNG', `chunk ${type} at byte ${i} fails its checksum`);
      const content = bytes.subarray(i + 8, end - 4);
      if (type === 'IHDR') {
        if (header) failBroken(file, 'PNG', 'it has two headers');
        header = parseHeader(content, file);
      }
      if (type === 'IDAT') pixels.push(content);
      kept.push(bytes.subarray(i, end));
    }
    i = end;
  }
  const compressed = pixels.reduce((sum, { length }) => sum + length, 0);
  const bytesPerPixel = scanlineBytes({ ...header!, isInterlaced: false }) / (header!.width * header!.height);
  checkImageSize(header!.width, header!.height, (compressed * maxDeflateRatio) / bytesPerPixel, file);
  return { header: header!, essential: join(kept), pixels };
}

/**
 * Checks that the pixels inflate to exactly what the header tells, with no more room than that: a decoder that is
 * handed the file afterwards cannot run away.
 */
export function checkPixelBytes({ header, pixels }: PngChunks, file: string): void {
  const expected = scanlineBytes(header);
  let inflated: number;
  try {
    inflated = inflateSync(join(pixels), { maxOutputLength: expected }).length;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    failBroken(
      file,
      'PNG',
      code === 'ERR_BUFFER_TOO_LARGE' ? `its pixels inflate to more than ${expected} bytes` : message,
    );
  }
  if (inflated !== expected) failBroken(file, 'PNG', `its pixels inflate to ${inflated} of ${expected} bytes`);
}

function parseHeader(content: Uint8Array, file: string): PngHeader {
  if (content.length !== 13) failBroken(file, 'PNG', `its header has ${content.length} bytes instead of 13`);
  const view = new DataView(content.buffer, content.byteOffset);
  const [depth, colorType, compression, filter, interlace] = content.subarray(8) as unknown as number[];
  const isKnown =
    colorTypes[colorType!]?.depths.includes(depth!) && compression === 0 && filter === 0 && interlace! < 2;
  if (!isKnown)
    failBroken(file, 'PNG', `its header has depth, colour type and methods ${[...content.subarray(8)].join(' ')}`);
  const header = { width: view.getUint32(0), height: view.getUint32(4), depth: depth!, colorType: colorType! };
  checkImageSize(header.width, header.height, Number.POSITIVE_INFINITY, file);
  return { ...header, isInterlaced: interlace === 1 };
}

/** Steps and starts of the seven passes of Adam7, x then y; PNG specification, section 8.2. */
const adam7 = [
  [8, 0, 8, 0],
  [8, 4, 8, 0],
  [4, 0, 8, 4],
  [4, 2, 4, 0],
  [2, 0, 4, 2],
  [2, 1, 2, 0],
  [1, 0, 2, 1],
] as const;

/** Bytes of all rows, each with the byte that names its filter. */
function scanlineBytes({ width, height, depth, colorType, isInterlaced }: PngHeader): number {
  const bits = depth * colorTypes[colorType]!.samples;
  const ofRows = (columns: number, rows: number): number =>
    columns > 0 ? rows * (1 + Math.ceil((columns * bits) / 8)) : 0;
  if (!isInterlaced) return ofRows(width, height);
  return adam7.reduce((sum, [stepX, x, stepY, y]) => {
    return sum + ofRows(Math.ceil((width - x) / stepX), Math.max(0, Math.ceil((height - y) / stepY)));
  }, 0);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
