import { availableParallelism } from 'node:os';
import { type Device, fail, KilnError, registerDevice } from '../core/index.js';
import { reference } from './reference/index.js';
import { nodeEngine, SinglePool, ThreadPool, wasmDevice } from './wasm/index.js';

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
export function wasm({ threads = threadCount() }: { readonly threads?: number } = {}): Device {
  const engine = nodeEngine();
  const shown = debugStages();
  return wasmDevice({
    engine,
    createPool: (memory, barrier) =>
      threads > 1 && engine.features.threads ? ThreadPool.create(memory, threads, { barrier }) : new SinglePool(memory),
    ...(shown.size > 0 && {
      show: (stage, text) => {
        if (shown.has(stage)) process.stderr.write(`— ${stage} —\n${text()}\n`);
      },
    }),
  });
}

registerDevice('wasm', wasm);
registerDevice('reference', reference);
