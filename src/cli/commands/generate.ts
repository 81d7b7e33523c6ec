import { openRun } from '../../train/index.js';
import { appOf } from '../apps.js';
import type { Context } from '../command.js';
import { startDevice } from '../devices.js';
import type { CommonOptions } from '../options.js';
import { hostOf } from '../run-host.js';

interface GenerateOptions extends CommonOptions {
  readonly prime: string | undefined;
  readonly temperature: number;
  readonly length: number;
}

export async function generate(context: Context<GenerateOptions>): Promise<unknown> {
  const [[path]] = context.arguments as [[string]];
  const run = await openRun(path, { command: 'kiln generate' });
  const app = await appOf(run, 'generate');
  const { options } = context;
  // a character is some microseconds of work: a second thread would only be waited for
  await startDevice({ ...options, threads: options.threads ?? 1 });
  return app.generate(run, options, hostOf(context));
}
