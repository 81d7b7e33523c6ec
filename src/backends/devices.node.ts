import { availableParallelism } from 'node:os';
import { chooseDeviceBy, type Device, fail, KilnError, nearest, registerDevice } from '../core/index.js';
import type { MachineDevice, Stage } from './machine/index.js';
import { reference } from './reference/index.js';
import { nodeEngine, SinglePool, ThreadPool, wasmDevice } from './wasm/index.js';
import { type X64Host, x64Device, x64Host } from './x64/index.js';

const stages = ['graph', 'fusion', 'plan', 'kernels'] as const;

/** `KILN_DEBUG=graph,fusion,plan,kernels`: prints what those stages made, to stderr. */
function debugStages(): ReadonlySet<string> {
  const asked = (process.env['KILN_DEBUG'] ?? '').split(',').filter((stage) => stage !== '');
  const odd = asked.find((stage) => !stages.includes(stage as (typeof stages)[number]));
  if (odd !== undefined) fail(`KILN_DEBUG: there is no stage ${odd}`, `Stages are ${stages.join(', ')}.`, KilnError);
  return new Set(asked);
}

/** Threads of the processor device: `KILN_THREADS`, or as many as there are processors, at most 16. */
function threadCount(): number {
  const asked = process.env['KILN_THREADS'];
  if (asked === undefined || asked === '') return Math.min(16, availableParallelism());
  const count = Number(asked);
  if (!Number.isInteger(count) || count < 1 || count > 16)
    fail(`KILN_THREADS: ${asked} is no number of threads`, 'Give a whole number from 1 to 16.', KilnError);
  return count;
}

/** The WebAssembly device on this machine. */
export function wasm({ threads = threadCount() }: { readonly threads?: number } = {}): MachineDevice {
  const engine = nodeEngine();
  return wasmDevice({
    engine,
    createPool: (memory, barrier) =>
      threads > 1 && engine.features.threads ? ThreadPool.create(memory, threads, { barrier }) : new SinglePool(memory),
    ...showing(),
  });
}

/** Prints the stages that `KILN_DEBUG` asks for. */
function showing(): { show?: (stage: Stage, text: () => string) => void } {
  const shown = debugStages();
  if (shown.size === 0) return {};
  return {
    show: (stage, text) => {
      if (shown.has(stage)) process.stderr.write(`— ${stage} —\n${text()}\n`);
    },
  };
}

let host: X64Host | string | undefined;
/** Looked at once: what machine code needs of this process. */
const x64Here = (): X64Host | string => {
  host ??= x64Host();
  return host;
};

/** Machine code of this processor; where it cannot be had, an error that says why. `lanes` takes less than the processor has. */
export function x64({
  threads = threadCount(),
  lanes,
}: {
  readonly threads?: number;
  readonly lanes?: 8 | 16;
} = {}): MachineDevice {
  const here = x64Here();
  if (typeof here === 'string') fail(`device x64: ${here}`, 'KILN_DEVICE=wasm runs everywhere.', KilnError);
  if (lanes === 16 && !here.mayBeWide) fail('device x64: this processor has no AVX-512', 'Leave lanes out.', KilnError);
  return x64Device(here, { threads, ...(lanes && { lanes }), ...showing() });
}

/** A kind of device, and whether it can be had here. */
interface DeviceKind {
  readonly name: string;
  /** Why it cannot be used on this machine; `undefined` where it can. */
  obstacle?(): string | undefined;
  create(options: { readonly threads?: number }): Device;
}

function obstacleOfX64(): string | undefined {
  const here = x64Here();
  return typeof here === 'string' ? here : undefined;
}

/** Lanes of the vectors that machine code may use here, widest first. */
export function x64Lanes(): readonly (8 | 16)[] {
  const here = x64Here();
  return typeof here === 'string' ? [] : here.mayBeWide ? [16, 8] : [8];
}

/** Why a device cannot be used on this machine; `undefined` where it can. */
export const obstacleOf = (name: string): string | undefined => kindOf(name, 'device').obstacle?.();

/** The fastest first: the first without an obstacle is the default. */
const kinds: readonly DeviceKind[] = [
  { name: 'x64', create: x64, obstacle: obstacleOfX64 },
  { name: 'wasm', create: wasm },
  { name: 'reference', create: reference },
];

for (const { name, create } of kinds) registerDevice(name, () => create({}));

export interface DeviceChoice {
  readonly name: string;
  /** Why it and not another, for people. */
  readonly reason: string;
}

/** The device that is used when a program asks for none: `KILN_DEVICE`, or the fastest that can be used here. */
export function defaultDevice(environment: Readonly<Record<string, string | undefined>> = process.env): DeviceChoice {
  const asked = environment['KILN_DEVICE'];
  if (asked !== undefined && asked !== '') {
    kindOf(asked, 'KILN_DEVICE');
    return { name: asked, reason: 'KILN_DEVICE asks for it' };
  }
  const obstacles: string[] = [];
  for (const { name, obstacle } of kinds) {
    const why = obstacle?.();
    if (why === undefined) {
      const reason = ['the fastest that can be used here', ...obstacles].join('; ');
      return { name, reason };
    }
    obstacles.push(`not ${name}: ${why}`);
  }
  return fail('device: none can be used here', `${obstacles.join('; ')}.`, KilnError);
}

/** A device of its own, started anew, of so many threads where it has several. */
export function createDevice(name: string, options: { readonly threads?: number | undefined } = {}): Device {
  const { threads } = options;
  return kindOf(name, 'device').create(threads === undefined ? {} : { threads });
}

function kindOf(name: string, where: string): DeviceKind {
  const kind = kinds.find((each) => each.name === name);
  const names = kinds.map((each) => each.name);
  const likely = nearest(name, names);
  return (
    kind ??
    fail(
      `${where}: there is no device ${name}`,
      likely ? `Did you mean ${likely}?` : `There are ${names.join(', ')}.`,
      KilnError,
    )
  );
}

chooseDeviceBy(() => defaultDevice().name);
