import {
  copyLimit,
  MachineDevice,
  multiplyAddLimit,
  type Profile,
  ProfilingDevice,
} from '../../backends/machine/index.js';
import { fail, KilnError, useDevice } from '../../core/index.js';
import { readSafetensorsHeader, writeFileAtomic } from '../../formats/index.js';
import { openRun } from '../../train/index.js';
import { appNames, appOf, loadApp } from '../apps.js';
import type { Context } from '../command.js';
import { startDevice } from '../devices.js';
import { type Explanation, explain as explanationOf, kernelsText, type Limits, layersText } from '../explain.js';
import type { CommonOptions } from '../options.js';

interface ExplainOptions extends CommonOptions {
  readonly batchSize: number | undefined;
  readonly training: boolean;
  readonly listing: boolean;
}

/** Runs the network once, kernel by kernel, and says where the time goes. */
export async function explain(context: Context<ExplainOptions>): Promise<unknown> {
  const { options, out } = context;
  const [[path]] = context.arguments as [[string]];
  const { what, run } = await explainable(path, options);
  const { device } = await startDevice(options);
  if (!(device instanceof MachineDevice))
    fail(
      `kiln explain: the ${device.name} device has no kernels`,
      'Leave --device and KILN_DEVICE out, or name another device.',
      KilnError,
    );
  await device.ready();
  const limits = limitsOf(device);
  const profiling = new ProfilingDevice(device);
  useDevice(profiling);
  try {
    await run();
  } finally {
    useDevice(device);
  }
  const profile = longest(profiling.profiles);
  const explanation = explanationOf(profile, limits);
  const [large, small] = [limits.copy(2 ** 26), limits.copy(2 ** 20)];
  const text = [
    `${what}, on ${device.name} (${device.target}), ${device.threads} ${device.threads === 1 ? 'thread' : 'threads'}`,
    `Limits: ${limits.gflops.toFixed(1)} GFLOP/s of multiply-adds on registers; copies at ${large.toFixed(1)} GB/s, in the caches at ${small.toFixed(1)} GB/s`,
    '',
    layersText(explanation),
    '',
    kernelsText(explanation),
    ...(options.listing ? ['', listingText(profile, explanation)] : []),
  ].join('\n');
  out.print(text);
  const result = {
    what,
    device: { name: device.name, target: device.target, threads: device.threads },
    limits: { gflops: limits.gflops, copyGBs: large, cachedCopyGBs: small },
    ...explanation,
    ...(options.listing ? { listing: profile.listing } : {}),
  };
  if (options.out !== undefined) {
    await writeFileAtomic(options.out, out.isJson ? `${JSON.stringify(result, undefined, 2)}\n` : `${text}\n`);
    out.note(`Written to ${options.out}`);
  }
  return result;
}

/** Of a run, of a file whose network Kiln can build, or of an application by its name. */
async function explainable(path: string, options: ExplainOptions) {
  if (appNames.includes(path)) return withExplain(await loadApp(path, 'kiln explain'), path).explain(options);
  if (path.endsWith('.safetensors')) {
    const { architecture } = (await readSafetensorsHeader(path)).metadata;
    if (architecture === undefined)
      fail(
        `kiln explain: ${path}: names no architecture`,
        'Files that Kiln has saved do; name a run instead.',
        KilnError,
      );
    return withExplain(await loadApp(architecture, `kiln explain: ${path}`), path).explain(options);
  }
  const run = await openRun(path, { command: 'kiln explain' });
  return (await appOf(run, 'explain')).explain(options, run);
}

type App = Awaited<ReturnType<typeof loadApp>>;

function withExplain(app: App, path: string): App & { readonly explain: NonNullable<App['explain']> } {
  const { explain: own } = app;
  return own
    ? { ...app, explain: own }
    : fail(`kiln explain: ${path} cannot be explained`, 'Its application has no explain yet.', KilnError);
}

/** Copies are measured for each power of two once. */
function limitsOf(device: MachineDevice): Limits {
  const known = new Map<number, number>();
  return {
    gflops: multiplyAddLimit(device),
    copy: (bytes) => {
      const power = Math.min(26, Math.max(14, Math.round(Math.log2(Math.max(1, bytes)))));
      const limit = known.get(power) ?? copyLimit(device, 2 ** power);
      known.set(power, limit);
      return limit;
    },
  };
}

/** Beside the step itself a network may run something small. */
function longest(profiles: readonly Profile[]): Profile {
  const time = ({ steps }: Profile): number => steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const [first] = profiles.toSorted((a, b) => time(b) - time(a));
  return first ?? fail('kiln explain: nothing was computed', 'The network is empty.', KilnError);
}

function listingText({ listing }: Profile, { kernels }: Explanation): string {
  const nests = kernels.map(({ layer, pass, name, nest, schedule }) =>
    [`— ${name}: ${layer || 'no layer'}, ${pass} —`, nest, `  ${schedule}`].join('\n'),
  );
  return [...nests, listing || 'This device shows no machine code.'].join('\n\n');
}
