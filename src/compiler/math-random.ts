import { philoxMultipliers, philoxRounds, philoxWeyl } from '../core/index.js';
import { type Expression, int, operation, selectOf } from './expression.js';
import { add, and, equal, mul, shiftLeft, xor } from './math-operations.js';

/**
 * Philox 4x32-10 of the counter (block, step, index, 0) under the key (key0, stream): four 32-bit words.
 *
 * @see core's philox4x32, which says the same of numbers
 */
export function philox(
  block: Expression,
  step: Expression,
  index: Expression,
  key0: Expression,
  stream: number,
): readonly [Expression, Expression, Expression, Expression] {
  const [m0, m1] = philoxMultipliers;
  const [w0, w1] = philoxWeyl;
  let words: readonly [Expression, Expression, Expression, Expression] = [block, step, index, int(0)];
  let key = key0;
  for (let round = 0; round < philoxRounds; round++) {
    const [c0, c1, c2, c3] = words;
    words = [
      xor(xor(operation('mulHigh', c2, int(m1 | 0)), c1), key),
      mul(c2, m1),
      xor(xor(operation('mulHigh', c0, int(m0 | 0)), c3), (stream + Math.imul(round, w1)) | 0),
      mul(c0, m0),
    ];
    key = add(key, w0);
  }
  return words;
}

/** The draw of element e: word ⌊e/4⌋ mod 4 of block ⌊e/16⌋·4 + e mod 4, as the primitive `randomBits` has it. */
export function randomWord(
  element: Expression,
  seed: Expression,
  step: Expression,
  index: Expression,
  stream: number,
): Expression {
  const block = add(shiftLeft(operation('shiftRightLogical', element, int(4)), 2), and(element, 3));
  const [w0, w1, w2, w3] = philox(block, step, index, seed, stream);
  const isEven = equal(and(element, 4), 0);
  return selectOf(equal(and(element, 8), 0), selectOf(isEven, w0, w1), selectOf(isEven, w2, w3));
}
