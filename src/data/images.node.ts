/** The one place that knows sharp, fast-png and jpeg-js: picture files <-> arrays of bytes. */
import { readFile } from 'node:fs/promises';
import { convertIndexedToRgb, type DecodedPng, decode as decodeFastPng, encode as encodeFastPng } from 'fast-png';
import jpeg from 'jpeg-js';
import { FormatError, fail, failOnFile, type HostArray } from '../core/index.js';
import { failBroken, maxPixels } from './image-limits.js';
import { type Channels, imageSize, toChannels, turnUpright } from './image-transform.js';
import { type JpegHeader, parseJpegHeader } from './jpeg-segments.js';
import { checkPixelBytes, type PngChunks, parsePngChunks, pngSignature } from './png-chunks.node.js';

export interface ImageOptions {
  /** 1 grey, 3 colour (default), 4 with alpha. */
  readonly channels?: Channels;
  /** 'sharp' is several times faster, 'pure' needs nothing but JavaScript; default: sharp where it loads. */
  readonly decoder?: 'sharp' | 'pure';
}

/**
 * The picture in a PNG or JPEG file, upright, as uint8 [height, width, channels].
 *
 * Colour profiles are ignored, as everywhere in deep learning; 16-bit samples keep their upper byte. A JPEG's pixels
 * may differ by a few levels from decoder to decoder, since the standard leaves rounding and upsampling open.
 *
 * @throws FormatError if it is neither, cut short, damaged, or has more than 100 megapixels; KilnError if it cannot be read
 */
export async function readImage(path: string, options: ImageOptions = {}): Promise<HostArray> {
  const bytes = await readFile(path).catch((error: unknown) => failOnFile('read', path, error));
  return decodeImage(bytes, path, options);
}

/** As readImage, from the bytes of a file; `file` is its name for messages. */
export async function decodeImage(
  bytes: Uint8Array<ArrayBuffer>,
  file: string,
  options: ImageOptions = {},
): Promise<HostArray> {
  const { channels = 3, decoder } = options;
  const sharp = decoder === 'pure' ? undefined : await loadSharp();
  if (decoder === 'sharp' && !sharp) {
    fail(
      `${file}: sharp is not installed`,
      `Install it with \`npm install sharp\`, or take decoder: 'pure'.`,
      FormatError,
    );
  }
  const image = await decodeAsIs(bytes, file, sharp);
  return toChannels(image, channels);
}

async function decodeAsIs(bytes: Uint8Array<ArrayBuffer>, file: string, sharp: Sharp | undefined): Promise<HostArray> {
  switch (formatOf(bytes)) {
    case 'PNG': {
      const chunks = parsePngChunks(bytes, file);
      if (sharp) return withSharp(sharp, chunks.essential, file, 'PNG');
      checkPixelBytes(chunks, file);
      return decodePng(chunks, file);
    }
    case 'JPEG': {
      const header = parseJpegHeader(bytes, file);
      const image = sharp ? await withSharp(sharp, bytes, file, 'JPEG') : decodeJpeg(bytes, header, file);
      return turnUpright(image, header.orientation);
    }
    default: {
      const begin = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
      fail(
        `${file}: neither PNG nor JPEG: ${begin ? `begins with ${begin}` : 'is empty'}`,
        'Save the picture as PNG or JPEG.',
        FormatError,
      );
    }
  }
}

function formatOf(bytes: Uint8Array): 'PNG' | 'JPEG' | undefined {
  if (pngSignature.every((byte, i) => bytes[i] === byte)) return 'PNG';
  return bytes[0] === 0xff && bytes[1] === 0xd8 ? 'JPEG' : undefined;
}

type Sharp = typeof import('sharp').default;

/** sharp, or undefined where it or its library for this platform is not installed. */
async function loadSharp(): Promise<Sharp | undefined> {
  return import('sharp').then(
    (module) => module.default,
    () => undefined,
  );
}

async function withSharp(sharp: Sharp, bytes: Uint8Array, file: string, format: string): Promise<HostArray> {
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', ignoreIcc: true })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { dtype: 'uint8', shape: [info.height, info.width, info.channels], data: new Uint8Array(data) };
  } catch (error) {
    failBroken(file, format, reasonOf(error));
  }
}

function decodeJpeg(bytes: Uint8Array, { width, height }: JpegHeader, file: string): HostArray {
  // 4 bytes a coefficient, 1 a sample, 1 a colour, for up to four components, and room for tables
  const maxMemoryUsageInMB = 64 + Math.ceil((32 * width * height) / 2 ** 20);
  try {
    const { data } = jpeg.decode(bytes, { useTArray: true, formatAsRGBA: false, maxMemoryUsageInMB });
    return { dtype: 'uint8', shape: [height, width, 3], data };
  } catch (error) {
    failBroken(file, 'JPEG', reasonOf(error));
  }
}

/** The colour type of a PNG with a palette; others may carry one as a hint only. */
const indexed = 3;

function decodePng({ header, essential }: PngChunks, file: string): HostArray {
  const { width, height, depth, colorType, isInterlaced } = header;
  if (isInterlaced && depth < 8) {
    fail(
      `${file}: an interlaced PNG of ${depth} bits a sample, which only sharp reads`,
      'Install it with `npm install sharp`, or save the picture without interlacing.',
      FormatError,
    );
  }
  try {
    const png = decodeFastPng(essential);
    const data = colorType === indexed ? convertIndexedToRgb(png) : withKeyAsAlpha(png, toBytes(png));
    return { dtype: 'uint8', shape: [height, width, data.length / (height * width)], data };
  } catch (error) {
    failBroken(file, 'PNG', reasonOf(error));
  }
}

/** Samples of any depth as bytes: the upper half of 16 bits; fewer than 8 are unpacked and stretched to 0 … 255. */
function toBytes({ width, height, data, depth }: DecodedPng): Uint8Array {
  if (depth === 16) return Uint8Array.from(data, (sample) => sample >> 8);
  if (depth === 8) return data as Uint8Array;
  const samples = new Uint8Array(width * height);
  const rowBytes = Math.ceil((width * depth) / 8);
  const largest = 2 ** depth - 1;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = data[y * rowBytes + (bit >> 3)]!;
      samples[i++] = (((byte >> (8 - depth - (bit & 7))) & largest) * 255) / largest;
    }
  }
  return samples;
}

/** A PNG may name one colour that is transparent; that makes an alpha channel. */
function withKeyAsAlpha(
  { width, height, channels, depth, data, transparency }: DecodedPng,
  bytes: Uint8Array,
): Uint8Array {
  if (!transparency) return bytes;
  const largest = 2 ** depth - 1;
  const result = new Uint8Array(width * height * (channels + 1));
  for (let i = 0; i < width * height; i++) {
    let isKey = true;
    for (let c = 0; c < channels; c++) {
      const p = i * channels + c;
      const sample = depth < 8 ? (bytes[p]! * largest) / 255 : data[p]!;
      isKey &&= sample === transparency[c];
      result[i * (channels + 1) + c] = bytes[p]!;
    }
    result[i * (channels + 1) + channels] = isKey ? 0 : 255;
  }
  return result;
}

/** A decoder's own words; where it stumbled over damage that it did not look for, there are none worth reading. */
function reasonOf(error: unknown): string {
  const hasWords = error instanceof Error && !(error instanceof TypeError || error instanceof RangeError);
  return hasWords ? error.message.split('\n')[0]! : 'its parts contradict one another';
}

/**
 * The bytes of a PNG file; the same picture gives the same bytes on every machine, whether sharp is there or not.
 *
 * @param image uint8 [height, width, channels], or [height, width] for grey
 */
export function encodePng(image: HostArray): Uint8Array {
  const [height, width, channels] = imageSize('encodePng', image);
  if (height * width === 0) fail(`encodePng: the picture is empty (${height} × ${width})`, 'Give one with pixels.');
  return encodeFastPng({ width, height, channels, depth: 8, data: image.data as Uint8Array }, { zlib: { level: 6 } });
}
