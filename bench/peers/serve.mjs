// A peer's side of the conversation with bench/peers.ts: JSON lines in, JSON lines out.
//   -> {"prepare": case}   <- {"prepared": true} or {"prepared": false, "why": "..."}
//   -> {"run": times}      <- {"ms": [...]}
// `build(problem)` gives a function that does the problem once, or throws where the package cannot.
import { createInterface } from 'node:readline';

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
// what a package prints must not stand between the answers
console.log = console.info = console.warn = console.error;

export async function serve(version, build) {
  say({ ready: version });
  let run;
  let dispose;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    try {
      if (request.prepare) {
        await dispose?.();
        run = dispose = undefined;
        ({ run, dispose } = await build(request.prepare));
        await run();
        say({ prepared: true });
      } else {
        const ms = [];
        for (let i = 0; i < request.run; i++) {
          const start = performance.now();
          await run();
          ms.push(performance.now() - start);
        }
        say({ ms });
      }
    } catch (error) {
      say({ prepared: false, why: String(error?.message ?? error).split('\n')[0] });
    }
  }
}

export const unable = (why) => {
  throw new Error(why);
};

/** Seeded numbers in [-1, 1), the same for every run. */
export function uniform(count) {
  const values = new Float32Array(count);
  let state = 12345;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 31 - 1;
  }
  return values;
}
