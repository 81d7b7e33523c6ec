/**
 * Philox 4x32-10: random bits as a pure function of a counter and a key, so that a draw depends on what it is for
 * (seed, stream, step, element) and never on what was drawn before it, on threads or on devices.
 *
 * @see Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3; constants from
 *      their Random123 library, whose known answers the tests hold.
 */

export const philoxRounds = 10;
/** Multipliers of the first and third counter word. */
export const philoxMultipliers = [0xd2511f53, 0xcd9e8d57] as const;
/** What the two key words grow by from round to round: the golden ratio and √3 − 1. */
export const philoxWeyl = [0x9e3779b9, 0xbb67ae85] as const;

/**
 * Four 32-bit draws.
 *
 * @param counter four unsigned 32-bit words
 * @param key     two unsigned 32-bit words
 * @param out     where the draws go; pass the same array again in a loop, so that nothing is allocated
 */
export function philox4x32(
  counter: ArrayLike<number>,
  key: ArrayLike<number>,
  out: Uint32Array = new Uint32Array(4),
): Uint32Array {
  const [m0, m1] = philoxMultipliers;
  const [w0, w1] = philoxWeyl;
  let c0 = counter[0]! >>> 0;
  let c1 = counter[1]! >>> 0;
  let c2 = counter[2]! >>> 0;
  let c3 = counter[3]! >>> 0;
  let k0 = key[0]! >>> 0;
  let k1 = key[1]! >>> 0;
  for (let round = 0; round < philoxRounds; round++) {
    const high0 = multiplyHigh(m0, c0);
    const low0 = Math.imul(m0, c0);
    const high1 = multiplyHigh(m1, c2);
    const low1 = Math.imul(m1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + w0) >>> 0;
    k1 = (k1 + w1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
  return out;
}

/** The upper 32 bits of a 32 × 32 bit product, from 16-bit halves: a double holds only 53 bits of it. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const cross1 = aLow * bHigh;
  const cross2 = aHigh * bLow;
  const middle = ((aLow * bLow) >>> 16) + (cross1 & 0xffff) + (cross2 & 0xffff);
  return aHigh * bHigh + (cross1 >>> 16) + (cross2 >>> 16) + (middle >>> 16);
}
