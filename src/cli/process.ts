/** runKiln, tied to the process: its streams, its signals, its exit code. */
import type { Command } from './command.js';
import type { Output } from './print.js';
import { exitCodes, runKiln } from './run.js';

/** Runs the command in `process.argv` and sets the exit code. */
export async function runInProcess(commands: readonly Command[]): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const stderr = outputTo(process.stderr);
  /** The first asks the work to end and save; the second ends at once. */
  const interrupt = (): void => {
    if (signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
    stderr.write('\nEnding this step and saving. Once more ends at once.\n');
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.exitCode = await runKiln(process.argv.slice(2), commands, {
    stdout: outputTo(process.stdout),
    stderr,
    environment: process.env,
    signal,
  });
}

/** A reader that went away (`| head`) is no error: what follows is dropped, and the work goes on. */
function outputTo(stream: NodeJS.WriteStream): Output {
  let isOpen = true;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    isOpen = false;
  });
  return {
    write: (text) => isOpen && stream.write(text),
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
  };
}
