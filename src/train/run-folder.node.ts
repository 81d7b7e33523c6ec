/** The run folder `runs/<app>-<n>/`: run.json, metrics.jsonl, checkpoint, pictures, report. Files are replaced as a whole. */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError, fail, failOnFile, KilnError, nearest } from '../core/index.js';
import { writeFileAtomic } from '../formats/index.js';
import { type Append, MetricsFile, type MetricsRecord } from './run-folder-metrics.node.js';

export type { MetricsRecord } from './run-folder-metrics.node.js';

/** run.json: all that is needed to do the run again, or to go on with it. */
export interface RunDescription {
  readonly app: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** kiln, node */
  readonly versions: Readonly<Record<string, string>>;
  /** The machine's description that compiled programs depend on. */
  readonly target: Readonly<Record<string, unknown>>;
  /** SHA-256 of each file of data. */
  readonly dataHashes: Readonly<Record<string, string>>;
  /** Whatever else an application wants to find again. */
  readonly [name: string]: unknown;
}

const descriptionFile = 'run.json';
const metricsFile = 'metrics.jsonl';

/** A place for one run's files. `createRun` and `openRun` make it. */
export class RunFolder {
  /** As the person gave it, or `runs/<app>-<n>`. */
  readonly path: string;
  readonly #metrics: MetricsFile;

  constructor(path: string, append?: Append) {
    this.path = path;
    this.#metrics = new MetricsFile(join(path, metricsFile), append);
  }

  /** The path of a file in this folder. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** Writes a file as a whole, or not at all. */
  async writeFile(name: string, bytes: Uint8Array | string): Promise<void> {
    await writeFileAtomic(this.file(name), bytes);
  }

  /** Writes several, such as the files of a report. */
  async writeFiles(files: ReadonlyMap<string, Uint8Array | string>): Promise<void> {
    for (const [name, bytes] of files) await this.writeFile(name, bytes);
  }

  /** JSON with sorted keys, so that equal values are equal files. */
  async writeJson(name: string, value: unknown): Promise<void> {
    await this.writeFile(name, `${JSON.stringify(sortKeys(value), undefined, 2)}\n`);
  }

  async readJson(name: string): Promise<unknown> {
    const path = this.file(name);
    const text = await readFile(path, 'utf8').catch((error: unknown) => failOnFile('read', path, error));
    try {
      return JSON.parse(text);
    } catch (error) {
      return fail(
        `${path}: no JSON: ${(error as Error).message}`,
        'It was damaged or edited. Mend it, or start a new run.',
        FormatError,
      );
    }
  }

  async writeDescription(description: RunDescription): Promise<void> {
    await this.writeJson(descriptionFile, description);
  }

  async readDescription(): Promise<RunDescription> {
    const value = await this.readJson(descriptionFile);
    const { app, options, seed } =
      typeof value === 'object' && value !== null ? (value as Partial<RunDescription>) : {};
    if (typeof app !== 'string' || typeof options !== 'object' || options === null || typeof seed !== 'number') {
      fail(
        `${this.file(descriptionFile)}: app, options or seed are missing`,
        'It was damaged or edited. Mend it, or start a new run.',
        FormatError,
      );
    }
    return value as RunDescription;
  }

  /** Adds a line to metrics.jsonl. Calls must not overlap: await each. */
  async appendMetrics(record: MetricsRecord): Promise<void> {
    await this.#metrics.append(record);
  }

  /** All records; a last line torn by a kill is left out. */
  async readMetrics(): Promise<MetricsRecord[]> {
    return this.#metrics.read();
  }

  /** Drops records of steps after `step`, for a run that goes on from there. */
  async truncateMetrics(step: number): Promise<void> {
    await this.#metrics.truncateAfter(step);
  }

  /** Returns when metrics.jsonl is on the disk: call it with each checkpoint. */
  async syncMetrics(): Promise<void> {
    await this.#metrics.sync();
  }
}

export interface CreateRunOptions {
  readonly app: string;
  /** Where `<app>-<n>` is made ('runs'). */
  readonly root?: string;
  /** The folder itself, instead of root and number. */
  readonly out?: string | undefined;
  /** For tests: writes at the end of metrics.jsonl. */
  readonly append?: Append;
}

/** Makes the next free folder. Two processes that start together get two: mkdir of one of them fails and it counts on. */
export async function createRun({ app, root = 'runs', out, append }: CreateRunOptions): Promise<RunFolder> {
  if (out !== undefined) {
    await makeFolder(out);
    if (await exists(join(out, descriptionFile))) {
      fail(`${out}: holds a run already`, `Continue it with --resume ${out}, or choose another --out.`, KilnError);
    }
    return new RunFolder(out, append);
  }
  await makeFolder(root);
  for (let n = (await highestNumber(root, app)) + 1; ; n++) {
    const path = join(root, `${app}-${n}`);
    try {
      await mkdir(path);
      return new RunFolder(path, append);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') failOnFile('write', path, error);
    }
  }
}

export interface OpenRunOptions {
  /** Who asks, for the error: `kiln evaluate`. */
  readonly command?: string;
  readonly root?: string;
}

/** The folder of a run that was started before. `mnist-3` alone is found in `root` as well. */
export async function openRun(
  path: string,
  { command = 'kiln', root = 'runs' }: OpenRunOptions = {},
): Promise<RunFolder> {
  if (await exists(join(path, descriptionFile))) return new RunFolder(path);
  if (await exists(join(root, path, descriptionFile))) return new RunFolder(join(root, path));
  const what = (await exists(path)) ? 'no run.json: not a run folder' : 'no such run';
  const runs = await runsIn(root);
  const likely = nearest(path, [...runs.map((name) => join(root, name)), ...runs]);
  const mend = likely
    ? `Did you mean ${runs.includes(likely) ? join(root, likely) : likely}?`
    : runs.length > 0
      ? `Runs in ${root}: ${runs.slice(-8).join(', ')}.`
      : '`kiln train mnist` makes one.';
  return fail(`${command}: ${path}: ${what}`, mend, KilnError);
}

/** Names of the runs in `root`, sorted; none where there is no such folder. */
async function runsIn(root: string): Promise<string[]> {
  const names = await readdir(root).catch((): string[] => []);
  const found = await Promise.all(names.map((name) => exists(join(root, name, descriptionFile))));
  return names.filter((_, i) => found[i]).sort();
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => failOnFile('write', path, error));
}

async function highestNumber(root: string, app: string): Promise<number> {
  const names = await readdir(root).catch((error: unknown) => failOnFile('read', root, error));
  const numbers = names
    .filter((name) => name.startsWith(`${app}-`))
    .map((name) => Number(name.slice(app.length + 1)))
    .filter(Number.isSafeInteger);
  return numbers.reduce((a, b) => Math.max(a, b), 0);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
}
