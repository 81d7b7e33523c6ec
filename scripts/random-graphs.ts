/**
 * Tries random graphs: `node dist/scripts/random-graphs.js [count] [first seed] [all]`. Each is lowered with passes switched on
 * and off, and must give what the reference gives; with `all` it goes on after a failure and says how many there were.
 */
import { checkLowering } from '../tests/compiler/lowering.js';
import { randomCase } from '../tests/random-graph.js';

const [count = 10_000, first = 0] = process.argv.slice(2, 4).map(Number);
const goesOn = process.argv.includes('all');
let failures = 0;
for (let seed = first; seed < first + count; seed++) {
  try {
    checkLowering(randomCase(seed));
  } catch (error) {
    failures++;
    const { message } = error as Error;
    if (!goesOn) {
      console.error(message);
      process.exit(1);
    }
    console.error(message.split('\n').slice(0, 6).join('\n'));
  }
}
console.log(`${count} graphs, ${failures} failures`);
process.exit(failures > 0 ? 1 : 0);
