import { checkImageSize, failBroken, failCut } from './image-limits.js';

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** How the picture is to be turned, 1 … 8 as in Exif; 1 is upright. */
  readonly orientation: number;
}

/** A progressive picture has about ten; thousands of tiny ones keep a decoder busy for hours. */
const maxScans = 100;
/** An 8 × 8 block takes at least one bit. */
const pixelsPerByte = 8 * 64;

/**
 * Walks through the segments of a JPEG up to its end marker, decoding nothing.
 *
 * @throws FormatError if it is cut short, or claims a size that is too large or cannot be true
 * @see ITU-T T.81, annex B
 */
export function parseJpegHeader(bytes: Uint8Array, file: string): JpegHeader {
  let size: { width: number; height: number } | undefined;
  let orientation = 1;
  let scans = 0;
  let i = 2;
  for (;;) {
    i = nextMarker(bytes, i);
    if (i >= bytes.length) failCut(file, bytes.length, 'before its end marker');
    const marker = bytes[i]!;
    i++;
    if (marker === endOfImage) break;
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue; // these stand alone
    const length = i + 2 <= bytes.length ? bytes[i]! * 256 + bytes[i + 1]! : 0;
    if (length < 2 || i + length > bytes.length) {
      failCut(file, bytes.length, `inside segment ff ${marker.toString(16)} (${length} bytes from ${i})`);
    }
    const segment = bytes.subarray(i + 2, i + length);
    if (isFrame(marker) && !size) {
      if (segment.length < 6) failBroken(file, 'JPEG', `its frame header has ${segment.length} bytes`);
      size = { height: segment[1]! * 256 + segment[2]!, width: segment[3]! * 256 + segment[4]! };
      checkImageSize(size.width, size.height, bytes.length * pixelsPerByte, file);
    } else if (isFrame(marker)) failBroken(file, 'JPEG', 'it has two frame headers');
    if (marker === exifSegment && orientation === 1) orientation = exifOrientation(segment);
    if (marker === startOfScan && ++scans > maxScans) failBroken(file, 'JPEG', `it has more than ${maxScans} scans`);
    i += length;
  }
  if (!size || scans === 0) failBroken(file, 'JPEG', 'it holds no picture');
  return { ...size, orientation };
}

const endOfImage = 0xd9;
const startOfScan = 0xda;
const exifSegment = 0xe1;

/** Start of frame, of whatever process; c4, c8 and cc between them are tables. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** Where the byte after the next 0xff is: past coded data, in which 0xff is followed by 0 or by a restart marker. */
function nextMarker(bytes: Uint8Array, from: number): number {
  for (let i = bytes.indexOf(0xff, from); i >= 0; i = bytes.indexOf(0xff, i + 1)) {
    const next = bytes[i + 1];
    if (next !== undefined && next !== 0xff && next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return i + 1;
  }
  return bytes.length;
}

/** Tag 0x0112 of the first directory of an Exif segment; 1 where there is none. */
function exifOrientation(segment: Uint8Array): number {
  const isExif = segment.length >= 14 && String.fromCharCode(...segment.subarray(0, 6)) === 'Exif\0\0';
  if (!isExif) return 1;
  const tiff = new DataView(segment.buffer, segment.byteOffset + 6, segment.length - 6);
  const isLittleEndian = tiff.getUint16(0) === 0x4949;
  const directory = tiff.getUint32(4, isLittleEndian);
  if (directory + 2 > tiff.byteLength) return 1;
  const count = tiff.getUint16(directory, isLittleEndian);
  for (let entry = directory + 2; entry < directory + 2 + 12 * count && entry + 12 <= tiff.byteLength; entry += 12) {
    if (tiff.getUint16(entry, isLittleEndian) !== 0x0112) continue;
    const value = tiff.getUint16(entry + 8, isLittleEndian);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
