import { openRun } from '../../train/index.js';
import { appOf } from '../apps.js';
import type { Context } from '../command.js';
import { startDevice } from '../devices.js';
import type { CommonOptions } from '../options.js';
import { hostOf } from '../run-host.js';

export async function predict(context: Context<CommonOptions & { readonly top: number }>): Promise<unknown> {
  const [[path], files] = context.arguments as [[string], string[]];
  const run = await openRun(path, { command: 'kiln predict' });
  const app = await appOf(run, 'predict');
  await startDevice(context.options);
  return app.predict(run, files, context.options, hostOf(context));
}
