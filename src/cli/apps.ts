/** The applications whose runs commands are asked about, each loaded then. To add one: a line in the table. */
import type { Explainable, ExplainOptions } from '../apps/index.js';
import { fail, KilnError, nearest } from '../core/index.js';
import type { Host, RunFolder } from '../train/index.js';
import type { CommonOptions } from './options.js';

/** What an application does with a run of its own, as far as it does. Each returns what `--json` prints. */
export interface App {
  evaluate?(
    run: RunFolder,
    options: CommonOptions & { readonly testLimit: number | undefined },
    host: Host,
  ): Promise<unknown>;
  predict?(
    run: RunFolder,
    files: readonly string[],
    options: CommonOptions & { readonly top: number },
    host: Host,
  ): Promise<unknown>;
  generate?(
    run: RunFolder,
    options: CommonOptions & {
      readonly prime: string | undefined;
      readonly temperature: number;
      readonly length: number;
    },
    host: Host,
  ): Promise<unknown>;
  /** One pass of its network, to be profiled; without a run of the network that it builds by default. */
  explain?(options: ExplainOptions, run?: RunFolder): Promise<Explainable>;
  /** Of the network that it builds; without a run `undefined` where the run decides what it builds. */
  summary(host: Host, run?: RunFolder): Promise<unknown>;
}

const apps: Readonly<Record<string, () => Promise<App>>> = {
  mnist: () => import('../apps/mnist/index.js'),
  text: () => import('../apps/text/index.js'),
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

/** The application of a run, if it has this verb. */
export async function appOf<Verb extends keyof App>(
  run: RunFolder,
  verb: Verb,
): Promise<App & { readonly [V in Verb]-?: NonNullable<App[V]> }> {
  const { app: name } = await run.readDescription();
  const app = await loadApp(name, `kiln ${verb}: ${run.path}`);
  if (!app[verb])
    fail(
      `kiln ${verb}: ${run.path} is a run of ${name}, which has no ${verb}`,
      `It has ${(['evaluate', 'predict', 'generate', 'explain', 'summary'] as const).filter((each) => app[each]).join(', ')}.`,
      KilnError,
    );
  return app as App & { readonly [V in Verb]-?: NonNullable<App[V]> };
}
