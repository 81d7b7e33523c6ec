import { fail, KilnError } from './errors.js';
import { philox4x32 } from './philox.js';

const bytesOf = new TextEncoder();

/**
 * The number of a random stream from what it is for, such as a layer's path: FNV-1a over the UTF-8 bytes, 32 bits.
 *
 * @see Fowler, Noll, Vo: http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function streamOf(path: string): number {
  let hash = 0x811c9dc5;
  for (const byte of bytesOf.encode(path)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * Random numbers on the host in float64, from a seed and the stream they are for: initial values, shuffles, splits.
 * The same on every device and machine; draws follow one another.
 *
 * Philox's counter is (block, 0, 0, 1): programs draw with 0 as the last word, so the two never meet.
 */
export class HostRandom {
  readonly #key: readonly [number, number];
  readonly #words = new Uint32Array(4);
  #block = 0;
  #used = 4;

  /** @param stream its number, or a path that names it */
  constructor(seed: number, stream: string | number = 0) {
    if (!Number.isInteger(seed) || seed < -(2 ** 31) || seed >= 2 ** 32)
      fail(`random: seed ${seed}`, 'A seed is an integer of 32 bits.', KilnError);
    this.#key = [seed >>> 0, typeof stream === 'number' ? stream >>> 0 : streamOf(stream)];
  }

  /** The next 32 bits. */
  #word(): number {
    if (this.#used === 4) {
      philox4x32([this.#block++, 0, 0, 1], this.#key, this.#words);
      this.#used = 0;
    }
    return this.#words[this.#used++]!;
  }

  /** In [0, 1), with all 53 bits of a double. */
  #unit(): number {
    const high = this.#word() >>> 5;
    return (high * 2 ** 26 + (this.#word() >>> 6)) * 2 ** -53;
  }

  /** Two independent standard normal numbers (Box & Muller 1958). */
  #normalPair(): readonly [number, number] {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#unit()));
    const angle = 2 * Math.PI * this.#unit();
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  }

  /** `n` numbers, 0 ≤ x < 1. */
  uniform(n: number): Float64Array {
    return Float64Array.from({ length: n }, () => this.#unit());
  }

  /** `n` numbers of mean 0 and standard deviation 1. */
  normal(n: number): Float64Array {
    const result = new Float64Array(n);
    for (let i = 0; i < n; i += 2) {
      const [a, b] = this.#normalPair();
      result[i] = a;
      if (i + 1 < n) result[i + 1] = b;
    }
    return result;
  }

  /** `n` normal numbers, those beyond two standard deviations drawn again: their own standard deviation is 0.8796. */
  truncatedNormal(n: number): Float64Array {
    const result = new Float64Array(n);
    for (let i = 0; i < n; ) {
      for (const z of this.#normalPair()) if (Math.abs(z) <= 2 && i < n) result[i++] = z;
    }
    return result;
  }

  /** 0 … n − 1 in random order. @see Durstenfeld 1964, algorithm 235 */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(this.#unit() * (i + 1));
      const other = order[j]!;
      order[j] = order[i]!;
      order[i] = other;
    }
    return order;
  }
}
