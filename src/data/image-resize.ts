import { fail, type HostArray } from '../core/index.js';
import { imageSize } from './image-transform.js';

export interface ResizeOptions {
  readonly height: number;
  readonly width: number;
  /**
   * 'area': each new pixel is the mean of what it covers; for shrinking, nothing is skipped. 'bilinear': between the
   * four nearest pixel centres, edges repeated, no smoothing; for enlarging. Default: 'area' where the picture
   * becomes smaller along both axes, else 'bilinear'.
   */
  readonly method?: 'area' | 'bilinear';
}

/** Where one new pixel comes from along an axis: neighbours from `start` on, with these weights, which sum to 1. */
interface Tap {
  readonly start: number;
  readonly weights: readonly number[];
}

/**
 * The picture at another size; pixel centres lie at half integers, as in Pillow, PyTorch and TensorFlow 2.
 *
 * @param image uint8 [height, width, channels]
 */
export function resize(image: HostArray, options: ResizeOptions): HostArray {
  const [fromHeight, fromWidth, channels] = imageSize('resize', image);
  const { height, width } = options;
  if (!(Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0)) {
    fail(`resize: ${height} × ${width} is no size`, 'Height and width are integers of at least 1.');
  }
  if (fromHeight * fromWidth === 0)
    fail(`resize: the picture is empty (${fromHeight} × ${fromWidth})`, 'Give one with pixels.');
  const { method = height <= fromHeight && width <= fromWidth ? 'area' : 'bilinear' } = options;
  const taps = method === 'area' ? areaTaps : bilinearTaps;
  // rows first: the rows that stay are then the fewest when a picture shrinks
  const rows = alongAxis(
    image.data,
    { outer: 1, size: fromHeight, inner: fromWidth * channels },
    taps(fromHeight, height),
  );
  const both = alongAxis(rows, { outer: height, size: fromWidth, inner: channels }, taps(fromWidth, width));
  // half up; the values are within 0 … 255 since the weights sum to 1
  return {
    dtype: 'uint8',
    shape: [height, width, channels],
    data: Uint8Array.from(both, (value) => Math.floor(value + 0.5)),
  };
}

function areaTaps(from: number, to: number): Tap[] {
  const step = from / to;
  return Array.from({ length: to }, (_, i) => {
    const begin = i * step;
    const end = Math.min(from, (i + 1) * step);
    const start = Math.floor(begin);
    const weights: number[] = [];
    for (let j = start; j < end; j++) weights.push((Math.min(end, j + 1) - Math.max(begin, j)) / (end - begin));
    return { start, weights };
  });
}

function bilinearTaps(from: number, to: number): Tap[] {
  return Array.from({ length: to }, (_, i) => {
    const center = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    const start = Math.floor(center);
    const fraction = center - start;
    return { start, weights: fraction === 0 ? [1] : [1 - fraction, fraction] };
  });
}

/** Weighted sums along the middle axis of [outer, size, inner]. */
function alongAxis(
  data: ArrayLike<number>,
  { outer, size, inner }: { readonly outer: number; readonly size: number; readonly inner: number },
  taps: readonly Tap[],
): Float32Array {
  const result = new Float32Array(outer * taps.length * inner);
  for (let o = 0, q = 0; o < outer; o++) {
    for (const { start, weights } of taps) {
      for (let k = 0; k < weights.length; k++) {
        const weight = weights[k]!;
        const p = (o * size + start + k) * inner;
        for (let i = 0; i < inner; i++) result[q + i]! += weight * data[p + i]!;
      }
      q += inner;
    }
  }
  return result;
}
