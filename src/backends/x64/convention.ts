import type { RegisterType } from '../machine/index.js';

/**
 * How Kiln's functions call one another. The first integers come in registers (the first six as System V has it), the
 * others on the stack, 8 bytes each; the first floats and vectors in vector registers. Results are in eax or vector
 * register 0. Nothing is preserved but the stack pointer, which is a multiple of 64 before a call, and the base.
 */
export const registersOf = {
  /** The mapped region's address. */
  base: 3,
  /** Free for the inside of any one instruction: eax. */
  scratch: 0,
  integerArguments: [7, 6, 2, 1, 8, 9, 10, 11, 12, 13, 14, 15, 5],
  /** In the order in which they are given away. */
  integers: [1, 2, 6, 7, 5, 8, 9, 10, 11, 12, 13, 14, 15],
  vectorArguments: [0, 1, 2, 3, 4, 5, 6, 7],
} as const;

export type ArgumentPlace =
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'stack'; readonly slot: number };

/** Where each argument is at a call. */
export function argumentPlaces(types: readonly RegisterType[]): ArgumentPlace[] {
  let integers = 0;
  let vectors = 0;
  let slots = 0;
  return types.map((type) => {
    const register = type === 'i32' ? registersOf.integerArguments[integers++] : registersOf.vectorArguments[vectors++];
    if (register !== undefined) return { kind: 'register', register };
    const slot = slots;
    // vectors of 64 bytes at most, where they do not need to be aligned
    slots += type === 'vector' ? 8 : 1;
    return { kind: 'stack', slot };
  });
}

export const stackSlots = (types: readonly RegisterType[]): number =>
  argumentPlaces(types).reduce(
    (slots, place, i) => (place.kind === 'stack' ? place.slot + (types[i] === 'vector' ? 8 : 1) : slots),
    0,
  );
