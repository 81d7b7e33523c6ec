import type { FunctionBuilder, Local } from './assembler.js';

const low = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const high = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
const firstHalves = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const secondHalves = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];

/** Four vectors as a matrix of 4 × 4, transposed in place. */
export function transpose(f: FunctionBuilder, [a, b, c, d]: readonly [Local, Local, Local, Local]): void {
  const interleave = (x: Local, y: Local, lanes: readonly number[]): Local => {
    const local = f.local('v128');
    f.get(x).get(y).shuffle(lanes).set(local);
    return local;
  };
  const lowAB = interleave(a, b, low);
  const lowCD = interleave(c, d, low);
  const highAB = interleave(a, b, high);
  const highCD = interleave(c, d, high);
  f.get(lowAB).get(lowCD).shuffle(firstHalves).set(a);
  f.get(lowAB).get(lowCD).shuffle(secondHalves).set(b);
  f.get(highAB).get(highCD).shuffle(firstHalves).set(c);
  f.get(highAB).get(highCD).shuffle(secondHalves).set(d);
  for (const local of [lowAB, lowCD, highAB, highCD]) f.free(local);
}
