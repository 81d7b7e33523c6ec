/** Runs `kiln` inside the test's own process, with collected output. */

import type { Command } from '../../src/cli/command.js';
import { commands } from '../../src/cli/commands.js';
import { runKiln } from '../../src/cli/run.js';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function kiln(
  line: string,
  table: readonly Command[] = commands,
  signal: AbortSignal = new AbortController().signal,
): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  const output = (name: keyof typeof text) => ({ write: (part: string) => void (text[name] += part) });
  const argv = line.split(' ').filter((part) => part !== '');
  const code = await runKiln(argv, table, {
    stdout: output('stdout'),
    stderr: output('stderr'),
    environment: {},
    signal,
  });
  return { code, ...text };
}
