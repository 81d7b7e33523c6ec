/** metrics.jsonl: a record a line, appended while the run goes on. A kill leaves at most its last line torn. */
import { appendFile, open, readFile, truncate } from 'node:fs/promises';
import { FormatError, fail, failOnFile } from '../core/index.js';
import { writeFileAtomic } from '../formats/index.js';

/** One line. `step` counts from the run's beginning; NaN and infinities are kept. */
export interface MetricsRecord {
  readonly kind: 'step' | 'epoch';
  readonly step: number;
  readonly [name: string]: number | string | boolean | undefined;
}

export type Append = (path: string, text: string) => Promise<void>;

export class MetricsFile {
  readonly path: string;
  readonly #append: Append;
  /** Whether the file ends with a whole line: not known before the first append, nor after one that failed. */
  #endsWhole = false;

  /** @param append writes at the end of a file; tests hand in a full disk */
  constructor(path: string, append: Append = (file, text) => appendFile(file, text)) {
    this.path = path;
    this.#append = append;
  }

  /** Adds a line in one write. What the system has taken survives kill -9; `sync` makes it survive a power cut. */
  async append(record: MetricsRecord): Promise<void> {
    try {
      if (!this.#endsWhole) await this.#dropTornLine();
      this.#endsWhole = false;
      await this.#append(this.path, `${JSON.stringify(record, keepNonFinite)}\n`);
      this.#endsWhole = true;
    } catch (error) {
      failOnFile('write', this.path, error);
    }
  }

  /** Returns when all lines are on the disk. */
  async sync(): Promise<void> {
    try {
      const file = await open(this.path, 'a');
      await file.sync().finally(() => file.close());
    } catch (error) {
      failOnFile('write', this.path, error);
    }
  }

  /** All whole lines; none where the file is not there yet. */
  async read(): Promise<MetricsRecord[]> {
    const lines = (await this.#text()).split('\n');
    // after the last line feed there is nothing, or a line that a kill has torn
    lines.pop();
    return lines.map((line, i) => parseRecord(line, `${this.path}:${i + 1}`));
  }

  /** Drops what was written after `step`: a resumed run writes those lines again. */
  async truncateAfter(step: number): Promise<void> {
    const records = await this.read();
    const kept = records.filter((record) => record.step <= step);
    if (kept.length < records.length) {
      await writeFileAtomic(this.path, kept.map((record) => `${JSON.stringify(record, keepNonFinite)}\n`).join(''));
    }
    this.#endsWhole = false;
  }

  async #dropTornLine(): Promise<void> {
    const text = await this.#text();
    if (text !== '' && !text.endsWith('\n')) {
      await truncate(this.path, Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1)));
    }
  }

  async #text(): Promise<string> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      return failOnFile('read', this.path, error);
    }
  }
}

const nonFinite = ['NaN', 'Infinity', '-Infinity'];

/** JSON has no word for them and would write null. */
const keepNonFinite = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

function parseRecord(line: string, where: string): MetricsRecord {
  let value: unknown;
  try {
    value = JSON.parse(line, (_, item) => (nonFinite.includes(item) ? Number(item) : item));
  } catch (error) {
    fail(
      `${where}: not a record: ${(error as Error).message}`,
      'Only the last line may be torn. Remove this one.',
      FormatError,
    );
  }
  const { kind, step } = typeof value === 'object' && value !== null ? (value as Partial<MetricsRecord>) : {};
  if ((kind !== 'step' && kind !== 'epoch') || typeof step !== 'number') {
    fail(
      `${where}: not a record: kind and step are missing`,
      'Every line is {"kind":"step"|"epoch","step":N,…}.',
      FormatError,
    );
  }
  return value as MetricsRecord;
}
