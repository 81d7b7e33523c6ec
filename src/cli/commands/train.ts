import { loadApp, type TrainOptions } from '../apps.js';
import type { Context } from '../command.js';
import { hostOf } from '../run-host.js';

export async function train(context: Context<TrainOptions>): Promise<unknown> {
  const { options, given, version } = context;
  const [[name]] = context.arguments as [[string]];
  const app = await loadApp(name, 'kiln train');
  return app.train(options, { ...hostOf(context), given, version });
}
