import { FormatError, fail } from '../core/index.js';

/** Larger pictures are refused before anything is decoded: 100 megapixels take 300 MB as colour. */
export const maxPixels = 100_000_000;

/** Refuses a picture whose header claims no pixels, too many, or more than its file could hold. */
export function checkImageSize(width: number, height: number, mostFromFile: number, file: string): void {
  const pixels = width * height;
  if (pixels === 0) {
    fail(`${file}: its header claims ${width} × ${height} pixels`, 'The file is damaged: get it again.', FormatError);
  }
  if (pixels > maxPixels) {
    fail(
      `${file}: has ${width} × ${height} pixels, ${pixels} (at most ${maxPixels})`,
      'Scale it down with another program first.',
      FormatError,
    );
  }
  if (pixels > mostFromFile) {
    fail(
      `${file}: its header claims ${width} × ${height} pixels, ${pixels}, its bytes can hold at most ${Math.floor(mostFromFile)}`,
      'The file is damaged or cut short: get it again.',
      FormatError,
    );
  }
}

/** Says that a picture file ends early. */
export function failCut(file: string, bytes: number, where: string): never {
  fail(
    `${file}: ends after ${bytes} bytes, ${where}`,
    'The file is not whole: copy or download it again.',
    FormatError,
  );
}

/** Says that a picture file is damaged, in the decoder's words where it has some. */
export function failBroken(file: string, format: string, reason: string): never {
  fail(`${file}: broken ${format}: ${reason}`, 'The file is damaged: get it again, or save it anew.', FormatError);
}
