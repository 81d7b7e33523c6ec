import { readSafetensorsHeader, writeFileAtomic } from '../../formats/index.js';
import { openRun } from '../../train/index.js';
import { appNames, appOf, loadApp } from '../apps.js';
import type { Context } from '../command.js';
import { formatBytes, formatCount, formatTable } from '../print.js';
import { hostOf } from '../run-host.js';

export async function summary(context: Context): Promise<unknown> {
  const [[path]] = context.arguments as [[string]];
  if (path.endsWith('.safetensors')) return summarizeFile(path, context);
  const run = await openRun(path, { command: 'kiln summary' });
  const app = await appOf(run, 'summary');
  return { run: run.path, layers: await app.summary(hostOf(context), run) };
}

/** The layers of a file whose network Kiln can build; the tensors from its header alone: as quick for 10 GB as for 10 KB. */
async function summarizeFile(path: string, context: Context): Promise<unknown> {
  const { out, options } = context;
  const { entries, metadata } = await readSafetensorsHeader(path);
  const { architecture } = metadata;
  const app =
    architecture !== undefined && appNames.includes(architecture) ? await loadApp(architecture, path) : undefined;
  const layers = await app?.summary(hostOf(context));
  const tensors = entries.map(({ name, dtype, shape, begin, end }) => ({
    name,
    dtype,
    shape,
    elements: shape.reduce((product, size) => product * size, 1),
    bytes: end - begin,
  }));
  const total = (key: 'elements' | 'bytes'): number => tensors.reduce((sum, tensor) => sum + tensor[key], 0);
  const result = {
    file: path,
    ...(layers === undefined ? {} : { layers }),
    tensors,
    metadata,
    elements: total('elements'),
    bytes: total('bytes'),
  };
  const table = formatTable({
    columns: [
      { title: 'Tensor' },
      { title: 'Type' },
      { title: 'Shape' },
      { title: 'Elements', align: 'right' },
      { title: 'Size', align: 'right' },
    ],
    rows: tensors.map(({ name, dtype, shape, elements, bytes }) => [
      name,
      dtype,
      `[${shape.join(', ')}]`,
      formatCount(elements),
      formatBytes(bytes),
    ]),
    foot: [[`${formatCount(tensors.length)} tensors`, '', '', formatCount(result.elements), formatBytes(result.bytes)]],
  });
  out.print(table);
  for (const [key, value] of Object.entries(metadata)) out.print(`${key}: ${shortened(value)}`);
  if (options.out !== undefined) {
    await writeFileAtomic(options.out, out.isJson ? `${JSON.stringify(result, undefined, 2)}\n` : `${table}\n`);
    out.note(`Written to ${options.out}`);
  }
  return result;
}

/** Metadata may hold whole documents. */
const shortened = (text: string, most = 200): string => (text.length > most ? `${text.slice(0, most)}…` : text);
