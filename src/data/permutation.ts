import { fail, philox4x32 } from '../core/index.js';

/** Tells these draws from all others of the same seed: 'perm' in ASCII. */
const stream = 0x7065726d;

/**
 * The numbers 0 … length − 1 in an order that is a pure function of seed and epoch: nothing needs to be remembered
 * to know the order of epoch 7. Fisher–Yates (Knuth, TAOCP 2, algorithm P) driven by Philox.
 */
export function permutation(length: number, seed: number, epoch = 0): Uint32Array {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    fail(`permutation: seed ${seed} is not a non-negative integer`, `Give one from 0 to ${Number.MAX_SAFE_INTEGER}.`);
  }
  const order = Uint32Array.from({ length }, (_, i) => i);
  const key = [seed, stream];
  const counter = [0, epoch, Math.floor(seed / 2 ** 32), 0];
  const draws = new Uint32Array(4);
  let used = 4;
  for (let i = length - 1; i > 0; i--) {
    const choices = i + 1;
    // draws above the last multiple of `choices` would favour small numbers: they are thrown away
    const limit = 2 ** 32 - (2 ** 32 % choices);
    let draw: number;
    do {
      if (used === 4) {
        philox4x32(counter, key, draws);
        counter[0]!++;
        used = 0;
      }
      draw = draws[used++]!;
    } while (draw >= limit);
    const j = draw % choices;
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}
