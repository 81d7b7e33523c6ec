import type { DType } from '../dtype.js';
import { philox4x32 } from '../philox.js';
import { elementStridesOf, type Shape, sizeOf } from '../shape.js';
import { type Primitive, primitive } from './primitive.js';

const noReference = (): never => {
  throw new Error('inputs have no reference semantics: they are given');
};

/** A tensor given from outside. */
export const input: Primitive<{ readonly index: number; readonly shape: Shape; readonly dtype: DType }> = primitive({
  category: 'source',
  infer: (_, { shape, dtype }) => ({ shape, dtype }),
  reference: noReference,
});

/** One number known while tracing. Larger constants are inputs. */
export const constant: Primitive<{ readonly value: number; readonly dtype: DType }> = primitive({
  category: 'source',
  infer: (_, { dtype }) => ({ shape: [], dtype }),
  reference: (_, { value }) => Float64Array.of(value),
});

/** The index along `axis`, as int32. */
export const iota: Primitive<{ readonly shape: Shape; readonly axis: number }> = primitive({
  category: 'source',
  infer: (_, { shape }) => ({ shape, dtype: 'int32' }),
  reference: (_, { shape, axis }) => {
    const stride = elementStridesOf(shape)[axis]!;
    return Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.floor(i / stride) % shape[axis]!);
  },
});

/**
 * Uniform 32-bit integers of a counter-based generator, Philox 4x32-10 (Salmon et al. 2011).
 *
 * Input: key int32[3] = (seed, step, scan index). Element e (row-major) is word ⌊e/4⌋ mod 4 of the block whose counter is
 * (⌊e/16⌋·4 + e mod 4, step, scan index, 0) under the key (seed, stream): sixteen neighbours are four blocks side by side,
 * so that a machine with lanes computes a block a lane and never shuffles.
 */
export const randomBits: Primitive<{ readonly shape: Shape; readonly stream: number }> = primitive({
  category: 'source',
  infer: (_, { shape }) => ({ shape, dtype: 'int32' }),
  reference: ([key], { shape, stream }) => {
    const [seed, step, index] = key!.data as unknown as [number, number, number];
    return Float64Array.from({ length: sizeOf(shape) }, (_, e) => {
      const block = (e >>> 4) * 4 + (e & 3);
      return philox4x32([block, step, index, 0], [seed, stream])[(e >>> 2) & 3]! | 0;
    });
  },
});
