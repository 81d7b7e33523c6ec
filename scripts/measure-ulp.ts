/**
 * Prints the largest error of each function of src/compiler/math.ts as a table for docs/numerics.md.
 *
 * node dist/scripts/measure-ulp.js [arguments per function, 4000000]
 */
import { swept, worstOf } from '../tests/compiler/math-sweep.js';

const count = Number(process.argv[2] ?? 4_000_000);
console.log('| function | largest error, ulp | at |\n| --- | --- | --- |');
for (const f of swept) {
  const { ulps, at } = worstOf(f, count);
  console.log(`| ${f.name} | ${ulps.toFixed(2)} | ${at.join(', ')} |`);
}
