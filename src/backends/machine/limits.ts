/** What a machine can do at most, measured: the yardstick for kernels. */
import type { Code, CodeModule, FunctionHandle, Local } from './code.js';
import type { MachineDevice } from './device.js';
import { controlLayout } from './driver.js';

/** Independent sums: more than the latency of a multiply-add times its units, fewer than registers. */
const sums = 12;
const multiplyAdds = 400_000;

/** Words of the context that the programs here read. */
const contextOf = { from: 0, to: 4, share: 8, rounds: 12, result: 64 } as const;
/** Each thread leaves its vector on a cache line of its own. */
const resultBytes = 64;

interface LimitOptions {
  /** A clock in milliseconds (performance.now). */
  readonly now?: () => number;
}

/**
 * Multiply-adds on registers alone on all of the device's threads, in GFLOP/s; the best of some tries. Its threads must be up.
 */
export function multiplyAddLimit(device: MachineDevice, { now = () => performance.now() }: LimitOptions = {}): number {
  const { machine } = device;
  let lanes = 0;
  const code = machine.assemble((module) => {
    lanes = module.lanes;
    return multiplyAddLoop(module);
  });
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 200; attempt++) {
    const begin = now();
    code.execute(controlLayout.context, machine.threads);
    best = Math.min(best, now() - begin);
  }
  code.release();
  return (machine.threads * multiplyAdds * sums * lanes * 2) / best / 1e6;
}

function multiplyAddLoop(module: CodeModule): Code & FunctionHandle {
  const f = module.function('run', ['i32', 'i32', 'i32'], ['i32']);
  const [context, thread] = f.params as [Local, Local, Local];
  const accumulators = Array.from({ length: sums }, (_, i) => {
    const sum = f.local('vector');
    f.vector('f32', i / sums).set(sum);
    return sum;
  });
  const x = f.local('vector');
  const left = f.local('i32');
  f.vector('f32', (lane) => 0.5 ** (lane + 1)).set(x);
  f.i32(multiplyAdds).set(left);
  f.loop((again) => {
    for (const sum of accumulators) f.get(x).get(x).get(sum).op('vector.f32.madd').set(sum);
    f.get(left).i32(1).op('i32.sub').tee(left).brIf(again);
  });
  const [total] = accumulators as [Local, ...Local[]];
  for (const sum of accumulators.slice(1)) f.get(total).get(sum).op('vector.f32.add').set(total);
  // what nobody reads a compiler may leave out
  f.get(context).get(thread).i32(resultBytes).op('i32.mul').op('i32.add').get(total).store('vector', contextOf.result);
  return f.i32(0);
}

/** Vectors that one turn of the copying loop moves. */
const vectorsATurn = 8;
/** About how long one try takes: so many bytes are moved. */
const copiedBytes = 64 * 2 ** 20;

/**
 * A copy from one place to another on all of the device's threads, in GB/s: bytes read and bytes written both count.
 *
 * @param bytes that are read and written in one go: small ones stay in the caches
 */
export function copyLimit(
  device: MachineDevice,
  bytes: number,
  { now = () => performance.now() }: LimitOptions = {},
): number {
  const { machine, residency } = device;
  let turnBytes = 0;
  const code = machine.assemble((module) => {
    turnBytes = vectorsATurn * 4 * module.lanes;
    return copyLoop(module);
  });
  const share = Math.max(turnBytes, Math.round(bytes / 2 / machine.threads / turnBytes) * turnBytes);
  const half = share * machine.threads;
  const rounds = Math.max(1, Math.round(copiedBytes / (2 * half)));
  const [from, to] = [residency.reserve(half), residency.reserve(half)];
  let best = Number.POSITIVE_INFINITY;
  try {
    new Uint8Array(machine.memory.buffer, from, half).fill(1);
    for (let attempt = 0; attempt < 5; attempt++) {
      const words = new Int32Array(machine.memory.buffer, controlLayout.context, 4);
      words.set([from, to, share, rounds]);
      const begin = now();
      code.execute(controlLayout.context, machine.threads);
      best = Math.min(best, now() - begin);
    }
  } finally {
    residency.free(from);
    residency.free(to);
    code.release();
  }
  return (2 * half * rounds) / best / 1e6;
}

/** Each thread copies its share, a piece of the whole, so many times. */
function copyLoop(module: CodeModule): Code & FunctionHandle {
  const f = module.function('run', ['i32', 'i32', 'i32'], ['i32']);
  const [context, thread] = f.params as [Local, Local, Local];
  const [from, to, end, left] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const vector = f.local('vector');
  const vectorBytes = 4 * module.lanes;
  const start = (word: number): void => {
    f.get(context).load('i32', word);
    f.get(thread).get(context).load('i32', contextOf.share).op('i32.mul').op('i32.add');
  };
  f.get(context).load('i32', contextOf.rounds).set(left);
  f.loop((next) => {
    start(contextOf.from);
    f.tee(from).get(context).load('i32', contextOf.share).op('i32.add').set(end);
    start(contextOf.to);
    f.set(to);
    f.loop((again) => {
      for (let i = 0; i < vectorsATurn; i++) {
        f.get(from)
          .load('vector', i * vectorBytes)
          .set(vector);
        f.get(to)
          .get(vector)
          .store('vector', i * vectorBytes);
      }
      f.get(to)
        .i32(vectorsATurn * vectorBytes)
        .op('i32.add')
        .set(to);
      f.get(from)
        .i32(vectorsATurn * vectorBytes)
        .op('i32.add')
        .tee(from);
      f.get(end).op('i32.notEqual').brIf(again);
    });
    f.get(left).i32(1).op('i32.sub').tee(left).brIf(next);
  });
  return f.i32(0);
}
