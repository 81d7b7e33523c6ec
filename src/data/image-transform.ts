/** Pictures as arrays [height, width, channels] of bytes: colours, turning, scaling. */
import { fail, formatShape, type HostArray } from '../core/index.js';

/** 1 grey, 3 red green blue, 4 with alpha; 2, grey with alpha, is read but never made. */
export type Channels = 1 | 3 | 4;

/** Height, width and channels of a picture; grey ones may leave out the last axis. */
export function imageSize(
  where: string,
  { dtype, shape }: HostArray,
): [height: number, width: number, channels: number] {
  const [height = 0, width = 0, channels = 1] = shape;
  const isImage = (shape.length === 2 || shape.length === 3) && channels >= 1 && channels <= 4;
  if (dtype !== 'uint8' || !isImage) {
    fail(
      `${where}: ${dtype} ${formatShape(shape)} is no picture (uint8 [height, width, 1 to 4])`,
      'Give bytes with the channels last.',
    );
  }
  return [height, width, channels];
}

/**
 * A picture with that many channels.
 *
 * Grey is Rec. 601 luma, 0.299 red + 0.587 green + 0.114 blue, in 16-bit fixed point, to the bit as Pillow has it.
 * Where alpha goes, what is transparent becomes white, as on paper and on a page.
 */
export function toChannels(image: HostArray, channels: Channels): HostArray {
  const [height, width, from] = imageSize('toChannels', image);
  if (from === channels) return image;
  const { data } = image;
  const hasAlpha = from === 2 || from === 4;
  const isGrey = from < 3;
  const result = new Uint8Array(height * width * channels);
  for (let i = 0, p = 0, q = 0; i < height * width; i++, p += from, q += channels) {
    const alpha = hasAlpha ? data[p + from - 1]! : 255;
    const fade = channels === 4 ? 255 : alpha;
    const red = overWhite(data[p]!, fade);
    const green = isGrey ? red : overWhite(data[p + 1]!, fade);
    const blue = isGrey ? red : overWhite(data[p + 2]!, fade);
    if (channels === 1) {
      result[q] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
      continue;
    }
    result[q] = red;
    result[q + 1] = green;
    result[q + 2] = blue;
    if (channels === 4) result[q + 3] = alpha;
  }
  return { dtype: 'uint8', shape: [height, width, channels], data: result };
}

const overWhite = (value: number, alpha: number): number =>
  alpha === 255 ? value : Math.round((value * alpha + 255 * (255 - alpha)) / 255);

/**
 * The picture turned upright.
 *
 * @param orientation where its first row and column lie, 1 … 8 as in Exif: 3 upside down, 6 and 8 on its side
 */
export function turnUpright(image: HostArray, orientation: number): HostArray {
  if (orientation === 1) return image;
  const [height, width, channels] = imageSize('turnUpright', image);
  const isOnSide = orientation >= 5;
  const [rows, columns] = isOnSide ? [width, height] : [height, width];
  const flipsX = orientation === 2 || orientation === 3 || orientation === 7 || orientation === 8;
  const flipsY = orientation === 3 || orientation === 4 || orientation === 6 || orientation === 7;
  const result = new Uint8Array(image.data.length);
  for (let row = 0, q = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const y = isOnSide ? column : row;
      const x = isOnSide ? row : column;
      const p = ((flipsY ? height - 1 - y : y) * width + (flipsX ? width - 1 - x : x)) * channels;
      for (let c = 0; c < channels; c++) result[q++] = image.data[p + c]!;
    }
  }
  return { dtype: 'uint8', shape: [rows, columns, channels], data: result };
}
