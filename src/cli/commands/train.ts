import type { Host } from '../../train/index.js';
import type { Context } from '../command.js';
import { startDevice } from '../devices.js';
import type { CommonOptions } from '../options.js';
import { hostOf } from '../run-host.js';

/** What the door of an application that is trained exports. Returns what `--json` prints. */
interface Trainable<Options> {
  /** `given`: the options that were typed, which win over those of a run that is resumed. */
  train(
    options: Options & { readonly files: readonly string[] },
    host: Host & { readonly given: ReadonlySet<string>; readonly version: string },
  ): Promise<unknown>;
}

/** Trains an application, whose files are the command's argument if it takes any. */
export async function train<Options extends CommonOptions>(
  context: Context<Options>,
  app: Trainable<Options>,
): Promise<unknown> {
  const { options, given, version } = context;
  await startDevice(options);
  const [files = []] = context.arguments;
  return app.train({ ...options, files }, { ...hostOf(context), given, version });
}
