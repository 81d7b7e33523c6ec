/** What a profile says of a network: where the time goes, layer by layer and kernel by kernel, and how near the limits that is. */
import type { Profile, StepProfile } from '../backends/machine/index.js';
import { formatTable } from './print.js';

/** What the machine does at most. */
export interface Limits {
  /** Multiply-adds on registers alone, in GFLOP/s. */
  readonly gflops: number;
  /** A copy that reads and writes so many bytes in all, in GB/s: small ones stay in the caches. */
  copy(bytes: number): number;
}

export const passes = ['forward', 'gradient', 'update'] as const;
export type Pass = (typeof passes)[number];

export interface KernelRow {
  /** Path of the layer; empty for what belongs to none: loss, metrics, the optimiser's own. */
  readonly layer: string;
  readonly pass: Pass;
  /** The function's number in the program and what is fused in it: `k5 conv+select`. */
  readonly name: string;
  readonly kind: StepProfile['kind'];
  /** Whether it also writes parameters anew. */
  readonly updates: boolean;
  readonly jobs: number;
  readonly flops: number;
  readonly bytes: number;
  readonly milliseconds: number;
  /** The time that the limits allow, as a part of the time it takes. */
  readonly fractionOfLimit: number;
  /** Which of the limits that is. */
  readonly boundBy: 'arithmetic' | 'memory';
  readonly nest: string;
  readonly schedule: string;
}

export interface LayerRow extends Record<Pass, number> {
  readonly layer: string;
  readonly milliseconds: number;
  readonly fractionOfLimit: number;
}

export interface Explanation {
  readonly milliseconds: number;
  readonly launchMilliseconds: number;
  readonly layers: readonly LayerRow[];
  readonly kernels: readonly KernelRow[];
}

export function explain({ steps, launchMilliseconds }: Profile, limits: Limits): Explanation {
  const kernels = steps.map((step) => kernelRow(step, limits));
  const milliseconds = kernels.reduce((sum, kernel) => sum + kernel.milliseconds, 0);
  return { milliseconds, launchMilliseconds, layers: layerRows(kernels), kernels };
}

function kernelRow(step: StepProfile, limits: Limits): KernelRow {
  const { functions, kernel, schedule, label, kind, updates, jobs, flops, bytes, milliseconds } = step;
  const [arithmetic, memory] = [flops / limits.gflops / 1e6, bytes / limits.copy(bytes) / 1e6];
  const pass = passes.find((each) => label === each || label.endsWith(` ${each}`)) ?? 'forward';
  const isOwnPass = label.endsWith(pass) && pass !== 'forward';
  return {
    layer: isOwnPass ? label.slice(0, label.length - pass.length).trim() : label,
    ...{ pass, name: nameOf(step), kind, updates, jobs, flops, bytes, milliseconds },
    fractionOfLimit: milliseconds > 0 ? Math.max(arithmetic, memory) / milliseconds : 0,
    boundBy: arithmetic > memory ? 'arithmetic' : 'memory',
    ...{ nest: kernel, schedule },
  };

  function nameOf({ kind: what }: StepProfile): string {
    if (what === 'loop' || what === 'contraction') return functions[0] ?? '';
    const count = functions.length;
    return `${what} of ${count} ${count === 1 ? 'kernel' : 'kernels'}, ${functions[0] ?? ''}${count > 1 ? ' …' : ''}`;
  }
}

function layerRows(kernels: readonly KernelRow[]): LayerRow[] {
  const names = [...new Set(kernels.map(({ layer }) => layer))].sort((a, b) => Number(a === '') - Number(b === ''));
  return names.map((layer) => {
    const own = kernels.filter((kernel) => kernel.layer === layer);
    const total = (list: readonly KernelRow[]): number => list.reduce((sum, kernel) => sum + kernel.milliseconds, 0);
    const of = (pass: Pass): number => total(own.filter((kernel) => kernel.pass === pass));
    const milliseconds = total(own);
    const allowed = own.reduce((sum, kernel) => sum + kernel.fractionOfLimit * kernel.milliseconds, 0);
    return {
      layer,
      ...{ forward: of('forward'), gradient: of('gradient'), update: of('update'), milliseconds },
      fractionOfLimit: milliseconds > 0 ? allowed / milliseconds : 0,
    };
  });
}

/** What is shorter than this is lost in what clock and threads take: no rate is said of it. */
const leastMilliseconds = 0.0005;

const timeText = (milliseconds: number): string => milliseconds.toFixed(milliseconds < 100 ? 3 : 1);
const percentText = (fraction: number): string => `${(100 * fraction).toFixed(0)} %`;
const layerText = (layer: string): string => layer || '(no layer)';

/** GFLOP/s of what arithmetic bounds, GB/s of the rest. */
function rateText({ boundBy, flops, bytes, milliseconds }: KernelRow): string {
  if (milliseconds < leastMilliseconds) return '';
  return boundBy === 'arithmetic'
    ? `${(flops / milliseconds / 1e6).toFixed(1)} GFLOP/s`
    : `${(bytes / milliseconds / 1e6).toFixed(1)} GB/s`;
}

export function layersText({ layers, milliseconds }: Explanation): string {
  const used = passes.filter((pass) => pass === 'forward' || layers.some((row) => row[pass] > 0));
  const right = (title: string) => ({ title, align: 'right' }) as const;
  const time = (value: number): string => (value === 0 ? '' : timeText(value));
  const sum = (pass: Pass): number => layers.reduce((total, row) => total + row[pass], 0);
  const allowed = layers.reduce((total, row) => total + row.fractionOfLimit * row.milliseconds, 0);
  const share = (part: number, whole: number): string => percentText(whole > 0 ? part / whole : 0);
  return formatTable({
    columns: [{ title: 'Layer' }, ...[...used, 'ms', 'share', 'of limit'].map(right)],
    rows: layers.map((row) => [
      layerText(row.layer),
      ...used.map((pass) => time(row[pass])),
      ...[timeText(row.milliseconds), share(row.milliseconds, milliseconds), percentText(row.fractionOfLimit)],
    ]),
    foot: [['Total', ...used.map((pass) => time(sum(pass))), timeText(milliseconds), '', share(allowed, milliseconds)]],
  });
}

export function kernelsText({ kernels }: Explanation): string {
  return formatTable({
    columns: [
      { title: 'Layer' },
      { title: 'Pass' },
      { title: 'Kernel, with what is fused into it' },
      { title: 'jobs', align: 'right' },
      { title: 'ms', align: 'right' },
      { title: 'rate', align: 'right' },
      { title: 'of limit', align: 'right' },
    ],
    rows: kernels.map((kernel) => [
      layerText(kernel.layer),
      kernel.updates && kernel.pass !== 'update' ? `${kernel.pass}, update` : kernel.pass,
      kernel.name,
      String(kernel.jobs),
      timeText(kernel.milliseconds),
      rateText(kernel),
      kernel.milliseconds < leastMilliseconds ? '' : percentText(kernel.fractionOfLimit),
    ]),
  });
}
