/** The command line as the host of an application: progress on stderr, results on stdout. */
import type { Host } from '../train/index.js';
import type { Context } from './command.js';
import { ProgressDisplay } from './progress.js';

export function hostOf({ out, signal }: Pick<Context, 'out' | 'signal'>): Host {
  const display = new ProgressDisplay({ output: out.stderr, hasColor: out.hasColor });
  return {
    signal,
    progress: (progress) => display.update(progress),
    print: (text) => {
      display.clear();
      out.print(text);
    },
    note: (text) => {
      display.clear();
      out.note(text);
    },
  };
}
