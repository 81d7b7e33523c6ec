import { families, testAll } from '../../backends/self-test/index.js';
import { fail, KilnError } from '../../core/index.js';
import type { Context } from '../command.js';
import { startDevice } from '../devices.js';
import { measureDevice } from '../measure-device.js';
import { formatBytes, formatTable } from '../print.js';
import { surroundings } from '../surroundings.js';

/** What computes here, whether it computes rightly, and how fast it is. */
export async function doctor(context: Context): Promise<unknown> {
  const { out, options, version } = context;
  const { processor, memory, engine, node } = await surroundings();
  const { device, reason } = await startDevice(options);
  const { name, target, threads } = device;
  const facts: readonly (readonly [string, string])[] = [
    ['Kiln', `${version}, Node ${node.version} (V8 ${node.v8}), ${node.platform} ${node.architecture}`],
    ['Processor', `${processor.model}, ${processor.count} × ${processor.frequency}`],
    ['Instructions', processor.instructions.join(', ') || 'unknown'],
    ['Caches', processor.caches.map((cache) => `${cache.name} ${cacheText(cache.bytes)}`).join(', ') || 'unknown'],
    ['Memory', `${formatBytes(memory.free)} free of ${formatBytes(memory.total)}`],
    [
      'Engine',
      Object.entries(engine)
        .map(([feature, has]) => `${has ? '' : 'no '}${feature}`)
        .join(', '),
    ],
    ['Device', `${name} (${target}): ${reason}`],
    ['Threads', String(threads)],
  ];
  for (const [what, text] of facts) out.print(`${what.padEnd(13)}${text}`);
  const measured = await measureDevice(device);
  const outcomes = await testAll(device);
  const failures = outcomes.filter(({ failure }) => failure !== undefined);
  const rows = families.map((family) => {
    const own = outcomes.filter((outcome) => outcome.family === family);
    const wrong = own.filter(({ failure }) => failure !== undefined);
    return [family, String(own.length), wrong.length === 0 ? 'as the reference' : `${wrong.length} wrong`];
  });
  out.print();
  out.print(
    formatTable({ columns: [{ title: 'Self-test' }, { title: 'programs', align: 'right' }, { title: '' }], rows }),
  );
  for (const each of failures) out.print(`${each.family}: ${each.name}: ${each.failure}`);
  out.print();
  if (measured) {
    const { gflops, gemmGflops, copyGBs } = measured;
    out.print(`Multiply-adds on registers  ${gflops.toFixed(1)} GFLOP/s`);
    const part = (100 * gemmGflops) / gflops;
    out.print(`A product of 512 × 512      ${gemmGflops.toFixed(1)} GFLOP/s, ${part.toFixed(0)} % of it`);
    out.print(`A copy of memory            ${copyGBs.toFixed(1)} GB/s`);
  } else {
    out.print(`The ${name} device is not measured.`);
  }
  out.result({
    versions: { kiln: version, node: node.version, v8: node.v8 },
    ...{ platform: node.platform, architecture: node.architecture, processor, memory, engine },
    device: { name, target, threads, reason },
    selfTest: { programs: outcomes.length, failures },
    ...(measured ? { measured } : {}),
  });
  if (failures.length > 0)
    fail(
      `kiln doctor: ${failures.length} of ${outcomes.length} programs give wrong results on ${name}`,
      `Do not use it: set KILN_DEVICE=${name === 'wasm' ? 'reference' : 'wasm'}, and please report the lines above.`,
      KilnError,
    );
  return undefined;
}

/** Caches come in powers of two. */
const cacheText = (bytes: number): string =>
  bytes < 2 ** 20 ? `${Math.round(bytes / 2 ** 10)} KiB` : `${Number((bytes / 2 ** 20).toFixed(2))} MiB`;
