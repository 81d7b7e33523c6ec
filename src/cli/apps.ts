/** The applications that can be trained, each loaded when it is asked for. To add one: a line in the table. */
import { fail, KilnError, nearest } from '../core/index.js';
import type { Host, RunFolder } from '../train/index.js';
import type { trainOptions } from './commands.js';
import type { CommonOptions, OptionValues } from './options.js';

export type TrainOptions = CommonOptions & OptionValues<typeof trainOptions>;

/** What the door of an application exports. Each returns what `--json` prints. */
export interface App {
  /** `resume`: go on with this run; `given`: the options that were typed, which win over the run's own. */
  train(options: TrainOptions, host: Host & { given: ReadonlySet<string>; version: string }): Promise<unknown>;
  evaluate(
    run: RunFolder,
    options: CommonOptions & { readonly testLimit: number | undefined },
    host: Host,
  ): Promise<unknown>;
  predict(
    run: RunFolder,
    files: readonly string[],
    options: CommonOptions & { readonly top: number },
    host: Host,
  ): Promise<unknown>;
  /** Of the network that it builds, whose weights are in a run or a file. */
  summary(host: Host): Promise<unknown>;
}

const apps: Readonly<Record<string, () => Promise<App>>> = {
  mnist: () => import('../apps/mnist/index.js'),
};

export const appNames: readonly string[] = Object.keys(apps);

/** @param where who asks, for the error: the command, and the run whose run.json names the application */
export async function loadApp(name: string, where: string): Promise<App> {
  const load = apps[name];
  if (load) return load();
  const likely = nearest(name, appNames);
  return fail(
    `${where}: unknown application: ${name} (known: ${appNames.join(', ')})`,
    likely ? `Did you mean ${likely}?` : 'It was made by a newer Kiln, or edited.',
    KilnError,
  );
}
