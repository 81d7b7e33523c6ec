/** What commands print: results to stdout, all else to stderr. With --json only the result, as JSON. */

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface TableText {
  readonly columns: readonly { readonly title: string; readonly align?: 'left' | 'right' }[];
  readonly rows: readonly (readonly string[])[];
  /** Under a line. */
  readonly foot?: readonly (readonly string[])[];
}

export interface PrinterOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly isJson: boolean;
  /** Escape codes may be used on stderr. */
  readonly hasColor: boolean;
}

export class Printer {
  readonly stderr: Output;
  readonly isJson: boolean;
  readonly hasColor: boolean;
  readonly #stdout: Output;

  constructor({ stdout, stderr, isJson, hasColor }: PrinterOptions) {
    this.#stdout = stdout;
    this.stderr = stderr;
    this.isJson = isJson;
    this.hasColor = hasColor;
  }

  /** A line of the result; silent with --json. */
  print(text = ''): void {
    if (!this.isJson) this.#stdout.write(`${text}\n`);
  }

  table(table: TableText): void {
    this.print(formatTable(table));
  }

  /** A line about what goes on. */
  note(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /** The result for scripts; silent without --json. */
  result(value: unknown): void {
    if (this.isJson && value !== undefined) this.#stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }
}

/** Columns two spaces apart, a line under the head, numbers to the right. */
export function formatTable({ columns, rows, foot = [] }: TableText): string {
  const lines = [columns.map(({ title }) => title), ...rows, ...foot];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const format = (line: readonly string[]): string =>
    widths
      .map((width, i) => {
        const cell = line[i] ?? '';
        return columns[i]!.align === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1)));
  const end = foot.length > 0 ? [rule, ...foot.map(format)] : [];
  return [format(lines[0]!), rule, ...rows.map(format), ...end].join('\n');
}

/** 1234567 → '1,234,567', the same in every locale. */
export const formatCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** Bytes in the largest unit that keeps them above one. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1000 ** power).toPrecision(3)} ${units[power]}`;
}

/** 0:07, 1:43, 2:05:09 */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}
