/**
 * Prints the largest error of each function of src/compiler/math.ts as a table for docs/numerics.md: over random
 * arguments, or of one function over every float32 of a range of magnitudes, which takes a minute or so.
 *
 * node dist/scripts/measure-ulp.js
 * node dist/scripts/measure-ulp.js sin 0.001 100000
 */
import { swept, type Worst, worstBetween, worstOf } from '../tests/compiler/math-sweep.js';

const [only, low, high] = process.argv.slice(2);
const count = 4_000_000;

console.log('| function | largest error, ulp | at |\n| --- | --- | --- |');
for (const f of swept) {
  if (only !== undefined && f.name !== only) continue;
  const { ulps, at }: Worst = low && high ? worstBetween(f, Number(low), Number(high)) : worstOf(f, count);
  console.log(`| ${f.name} | ${ulps.toFixed(2)} | ${at.join(', ')} |`);
}
