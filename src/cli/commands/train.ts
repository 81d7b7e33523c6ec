import { loadApp, type TrainOptions } from '../apps.js';
import type { Context } from '../command.js';
import { startDevice } from '../devices.js';
import { hostOf } from '../run-host.js';

export async function train(context: Context<TrainOptions>): Promise<unknown> {
  const { options, given, version } = context;
  const [[name]] = context.arguments as [[string]];
  const app = await loadApp(name, 'kiln train');
  await startDevice(options);
  return app.train(options, { ...hostOf(context), given, version });
}
