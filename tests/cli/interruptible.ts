/** A program whose commands wait to be interrupted: run by the test of signals as a process of its own. */
import { command } from '../../src/cli/command.js';
import { runInProcess } from '../../src/cli/process.js';

const longMs = 60_000;

await runInProcess([
  command({
    name: 'polite',
    summary: 'saves when it is asked to end',
    arguments: [],
    options: [],
    examples: ['kiln polite'],
    run: ({ out, signal }) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, longMs);
        signal.addEventListener('abort', () => {
          clearTimeout(timer);
          out.print('saved');
          resolve();
        });
        out.print('ready');
      }),
  }),
  command({
    name: 'deaf',
    summary: 'goes on when it is asked to end',
    arguments: [],
    options: [],
    examples: ['kiln deaf'],
    run: ({ out }) =>
      new Promise<void>((resolve) => {
        setTimeout(resolve, longMs);
        out.print('ready');
      }),
  }),
]);
