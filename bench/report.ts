/** The rows of the bench, as JSON lines and as the table of bench/README.md. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

export interface Row {
  readonly case: string;
  readonly device: string;
  /** Kiln's median time; absent where Kiln cannot do the case. */
  readonly ms?: number;
  readonly gflops?: number;
  /** Of what multiply-adds on registers alone reach with the device's lanes; absent where nothing is multiplied. */
  readonly fractionOfLimit?: number;
  /** Median times by peer. */
  readonly peers: Readonly<Record<string, number>>;
  /** Time of the fastest peer over Kiln's: above 1 Kiln is faster. */
  readonly ratio?: number;
}

/** "AMD EPYC, 2 cores, AVX2 AVX-512": the flags where the system tells them. */
export function describeMachine(): string {
  const all = cpus();
  const flags = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const known = [
    ['avx2', 'AVX2'],
    ['avx512f', 'AVX-512'],
    ['amx_tile', 'AMX'],
  ] as const;
  const found = known.filter(([flag]) => new RegExp(`\\b${flag}\\b`).test(flags)).map(([, name]) => name);
  return [all[0]?.model.trim() ?? 'unknown CPU', `${all.length} cores`, found.join(' ')].filter(Boolean).join(', ');
}

/** A Markdown table, its columns aligned for reading as text too. */
export function formatTable(rows: readonly Row[]): string {
  const peers = [...new Set(rows.flatMap((row) => Object.keys(row.peers)))];
  const head = ['case', 'device', 'ms', 'GFLOP/s', 'of limit', ...peers, 'ratio'];
  const body = rows.map((row) => [
    row.case,
    row.device,
    formatMs(row.ms),
    row.gflops?.toFixed(1) ?? '',
    row.fractionOfLimit?.toFixed(2) ?? '',
    ...peers.map((name) => formatMs(row.peers[name])),
    row.ratio?.toFixed(2) ?? '',
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((cells) => cells[i]!.length)));
  const isText = (i: number) => i < 2;
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (isText(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...body.map(line)].join('\n');
}

/** Three digits, as far as the clock deserves them. */
function formatMs(ms: number | undefined): string {
  if (ms === undefined) return '';
  if (ms >= 100) return ms.toFixed(0);
  return ms.toFixed(ms >= 10 ? 1 : ms >= 1 ? 2 : 3);
}
