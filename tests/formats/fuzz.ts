import assert from 'node:assert/strict';
import fc from 'fast-check';
import { KilnError } from '../../src/core/errors.js';

/** Where, as a fraction of the file; evenly, since fast-check's own doubles and integers crowd at the ends. */
const place = fc.noBias(fc.nat(999_999)).map((n) => n / 1e6);

/** What can happen to a file on its way: bytes overwritten, cut out, put in, the end lost. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: place, byte: fc.nat(255) }),
  fc.record({ kind: fc.constant('bit' as const), at: place, byte: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), at: place, byte: fc.nat(40) }),
  fc.record({ kind: fc.constant('put' as const), at: place, byte: fc.nat(255) }),
  fc.record({
    kind: fc.constant('end' as const),
    at: place,
    byte: fc.constant(0),
  }),
);
type Damage = typeof damage extends fc.Arbitrary<infer Value> ? Value : never;

function apply(bytes: Uint8Array, { kind, at, byte }: Damage, reach: number): Uint8Array {
  const i = Math.floor(at * Math.min(reach, bytes.length));
  switch (kind) {
    case 'set':
      return bytes.with(Math.min(i, bytes.length - 1), byte);
    case 'bit':
      return bytes.with(Math.min(i, bytes.length - 1), bytes[Math.min(i, bytes.length - 1)]! ^ (1 << byte));
    case 'cut':
      return Uint8Array.of(...bytes.subarray(0, i), ...bytes.subarray(i + byte));
    case 'put':
      return Uint8Array.of(...bytes.subarray(0, i), byte, ...bytes.subarray(i));
    case 'end':
      return bytes.slice(0, Math.floor(at * bytes.length));
  }
}

export interface FuzzOptions {
  /** How many damaged files are tried. */
  readonly runs?: number;
  /** Damage falls on this many first bytes; fewer than the file has where its header is what matters. */
  readonly reach?: number;
  /** Makes checksums true again, so that the damage gets past them. */
  readonly repair?: (bytes: Uint8Array) => Uint8Array;
}

/** Decodes damaged versions of a whole file: each must end in a result that `check` accepts, or in a KilnError. */
export async function survivesDamage<Result>(
  whole: Uint8Array,
  decode: (bytes: Uint8Array<ArrayBuffer>) => Result | Promise<Result>,
  check: (result: Result) => void,
  { runs = 300, reach = whole.length, repair = (bytes) => bytes }: FuzzOptions = {},
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (list) => {
      let bytes = whole;
      for (const entry of list) if (bytes.length > 0) bytes = apply(bytes, entry, reach);
      try {
        check(await decode(new Uint8Array(repair(bytes))));
      } catch (error) {
        if (!(error instanceof KilnError)) throw error;
        assert.match(error.message, /^.+\n {2}.+$/, 'two lines: what happened, how to mend it');
      }
    }),
    { numRuns: runs },
  );
}
