import { openRun } from '../../train/index.js';
import { appOf } from '../apps.js';
import type { Context } from '../command.js';
import { startDevice } from '../devices.js';
import type { CommonOptions } from '../options.js';
import { hostOf } from '../run-host.js';

export async function evaluate(
  context: Context<CommonOptions & { readonly testLimit: number | undefined }>,
): Promise<unknown> {
  const [[path]] = context.arguments as [[string]];
  const run = await openRun(path, { command: 'kiln evaluate' });
  const app = await appOf(run, 'evaluate');
  await startDevice(context.options);
  return app.evaluate(run, context.options, hostOf(context));
}
