/**
 * Any picture of a digit as MNIST would have it: white on black, in a box of 20 × 20, its centre of mass in the middle
 * of 28 × 28.
 *
 * @see LeCun's page on MNIST: "size normalized to fit in a 20x20 pixel box while preserving their aspect ratio …
 *      centered in a 28x28 image by computing the center of mass of the pixels"
 */
import { fail, type HostArray, KilnError } from '../core/index.js';
import { resize } from './image-resize.js';
import { imageSize, toChannels } from './image-transform.js';

const side = 28;
const boxSide = 20;

/** Ink must stand out from the paper by so many of 255 levels, or the picture counts as blank. */
const leastContrast = 24;
/** What is fainter than this fraction of the darkest ink is paper: the shadow of a fold, the noise of a camera. */
const faintest = 0.12;

/**
 * @param image uint8 [height, width, channels], dark on light or light on dark
 * @returns     uint8 [28, 28, 1]
 * @throws KilnError if nothing stands out from the paper
 */
export function digitFromImage(image: HostArray): HostArray {
  const ink = inkOf(toChannels(image, 1));
  const cropped = crop(ink);
  const [height, width] = imageSize('digitFromImage', cropped);
  const scale = boxSide / Math.max(height, width);
  const box = resize(cropped, {
    height: Math.max(1, Math.round(height * scale)),
    width: Math.max(1, Math.round(width * scale)),
  });
  return centred(stretched(box));
}

/** How far each pixel stands out from the paper, 0 … 255; the paper is the median of the border. */
function inkOf(grey: HostArray): HostArray {
  const [height, width] = imageSize('digitFromImage', grey);
  const { data, shape } = grey;
  const border: number[] = [];
  for (let y = 0; y < height; y++) {
    const step = y === 0 || y === height - 1 ? 1 : Math.max(1, width - 1);
    for (let x = 0; x < width; x += step) border.push(data[y * width + x]!);
  }
  const paper = median(border);
  const noise = median(border.map((value) => Math.abs(value - paper)));
  const sign = paper > 127 ? -1 : 1;
  let most = 0;
  for (const value of data) most = Math.max(most, sign * (value - paper));
  if (most < leastContrast) {
    fail(
      `digitFromImage: the picture of ${height} × ${width} pixels is blank: nothing differs from the paper (grey ${paper}) by more than ${most} of 255`,
      'Take a picture with a darker pen on white paper, or light on dark.',
      KilnError,
    );
  }
  // noise is a median deviation, about 0.67 sigma: six of them are four sigma
  const threshold = Math.max(faintest * most, 6 * noise);
  const ink = Uint8Array.from(data, (value) => {
    const height = sign * (value - paper);
    return height < threshold ? 0 : Math.round((height * 255) / most);
  });
  return { dtype: 'uint8', shape, data: ink };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** The smallest rectangle that holds all ink. */
function crop(ink: HostArray): HostArray {
  const [height, width] = imageSize('digitFromImage', ink);
  const { data } = ink;
  let [top, bottom, left, right] = [height, -1, width, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] === 0) continue;
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
      left = Math.min(left, x);
      right = Math.max(right, x);
    }
  }
  const shape = [bottom - top + 1, right - left + 1, 1];
  const cropped = new Uint8Array(shape[0]! * shape[1]!);
  for (let y = top; y <= bottom; y++) {
    cropped.set(data.subarray(y * width + left, y * width + right + 1), (y - top) * shape[1]!);
  }
  return { dtype: 'uint8', shape, data: cropped };
}

/** Thin strokes turn faint when they shrink: the strongest pixel becomes white again. */
function stretched(box: HostArray): HostArray {
  let most = 1;
  for (const value of box.data) most = Math.max(most, value);
  return { ...box, data: Uint8Array.from(box.data, (value) => Math.round((value * 255) / most)) };
}

function centred(box: HostArray): HostArray {
  const [height, width] = imageSize('digitFromImage', box);
  let [mass, momentY, momentX] = [0, 0, 0];
  box.data.forEach((value, i) => {
    mass += value;
    momentY += value * (Math.floor(i / width) + 0.5);
    momentX += value * ((i % width) + 0.5);
  });
  const top = placed(momentY / mass, height);
  const left = placed(momentX / mass, width);
  const data = new Uint8Array(side * side);
  for (let y = 0; y < height; y++) {
    data.set(box.data.subarray(y * width, (y + 1) * width), (top + y) * side + left);
  }
  return { dtype: 'uint8', shape: [side, side, 1], data };
}

/**
 * Where a box begins whose centre of mass comes to the middle, without leaving the picture. MNIST's middle is the centre
 * of pixel 14: measured, the centres of its images lie evenly between 14.0 and 15.0.
 */
const placed = (center: number, size: number): number =>
  Math.min(side - size, Math.max(0, Math.round(side / 2 + 0.5 - center)));
