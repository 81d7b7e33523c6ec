import type { Accumulator } from '../../compiler/index.js';
import type { Code, Local } from './code.js';

export const isFloatSum = ({ combine, type }: Accumulator): boolean => combine === 'sum' && type === 'f32';

/** A sum of blocks, and what its last addition lost of a block. */
interface Total {
  readonly sum: Local;
  readonly lost: Local;
}

/**
 * Totals of float sums that are taken in blocks, or of running sums, whose blocks are single numbers: each block is added with the rounding error of the addition before it taken
 * off, so that only additions within a block lose anything.
 * @see Kahan 1965, "Further remarks on reducing truncation errors"
 */
export class LongSums {
  readonly #f: Code;
  readonly #isVector: boolean;
  readonly #totals: readonly (Total | undefined)[];

  constructor(f: Code, accumulators: readonly Accumulator[], isVector: boolean) {
    this.#f = f;
    this.#isVector = isVector;
    this.#totals = accumulators.map((accumulator) => {
      if (!isFloatSum(accumulator)) return undefined;
      const total = { sum: this.#local(), lost: this.#local() };
      for (const local of [total.sum, total.lost]) this.#pushZero().set(local);
      return total;
    });
  }

  #local(): Local {
    return this.#f.local(this.#isVector ? 'vector' : 'f32');
  }

  #pushZero(): Code {
    return this.#isVector ? this.#f.vector('f32', 0) : this.#f.f32(0);
  }

  /** Adds a block's sums, and makes them zero for the next block. */
  add(values: readonly Local[]): void {
    const f = this.#f;
    const type = this.#isVector ? ('vector.f32' as const) : ('f32' as const);
    const [next, more] = [this.#local(), this.#local()];
    this.#totals.forEach((total, i) => {
      if (!total) return;
      const { sum, lost } = total;
      f.get(values[i]!).get(lost).op(`${type}.sub`).set(more);
      f.get(sum).get(more).op(`${type}.add`).set(next);
      f.get(next).get(sum).op(`${type}.sub`).get(more).op(`${type}.sub`).set(lost);
      // where the sum is infinite, what was lost is not a number: it must not become the sum
      if (this.#isVector) {
        f.get(lost).get(lost).get(lost).op('vector.f32.equal').op('vector.and').set(lost);
      } else {
        f.get(lost).f32(0).get(lost).get(lost).op('f32.equal').select().set(lost);
      }
      f.get(next).set(sum);
    });
    for (const local of [next, more]) f.free(local);
    this.clear(values);
  }

  /** Makes sums zero, without adding them. */
  clear(values: readonly Local[]): void {
    this.#totals.forEach((total, i) => {
      if (total) this.#pushZero().set(values[i]!);
    });
  }

  /** Puts the totals where the sums are looked for. */
  show(values: readonly Local[]): void {
    this.#totals.forEach((total, i) => {
      if (total) this.#f.get(total.sum).set(values[i]!);
    });
  }

  release(): void {
    for (const total of this.#totals) if (total) this.#f.free(total.sum).free(total.lost);
  }
}
