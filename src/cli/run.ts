/** One call of `kiln`: parse, run, and turn how it ended into an exit code. All of the outside comes as arguments. */
import { KilnError } from '../core/index.js';
import type { Command } from './command.js';
import { parseArguments } from './parse.js';
import { type Output, Printer } from './print.js';
import { UsageError } from './usage-error.js';
import { bugs, version } from './version.js';

export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export async function runKiln(
  argv: readonly string[],
  commands: readonly Command[],
  { stdout, stderr, environment, signal }: Surroundings,
): Promise<number> {
  try {
    const parsed = parseArguments(argv, commands);
    if (parsed.kind === 'text') {
      // without a command the help is an answer to a mistake
      (argv.length === 0 ? stderr : stdout).write(parsed.text);
      return argv.length === 0 ? exitCodes.usage : exitCodes.done;
    }
    const { command, options, given } = parsed;
    const hasColor = stderr.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
    const out = new Printer({ stdout, stderr, isJson: options.json, hasColor });
    out.result(await command.run({ options, given, arguments: parsed.arguments, out, signal, version }));
    return signal.aborted ? exitCodes.interrupted : exitCodes.done;
  } catch (error) {
    if (signal.aborted && error instanceof Error && error.name === 'AbortError') return exitCodes.interrupted;
    stderr.write(`${errorText(error)}\n`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
  }
}

/** What the person can mend is said without a stack; a fault of Kiln's own with it, and where to report it. */
export function errorText(error: unknown): string {
  if (error instanceof KilnError) return error.message;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return (
    `${stack}\n\nThis is a fault of Kiln ${version}, not yours. Please report it with the command and the lines above` +
    `${bugs ? `: ${bugs}` : ' to the project that kiln came from.'}`
  );
}
