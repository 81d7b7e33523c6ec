/** What the lanes can do: multiply-adds on registers alone, on all threads, as fast as the engine lets them. */
import { ModuleBuilder } from '../src/backends/wasm/assembler.js';
import { nodeEngine, SinglePool, ThreadPool } from '../src/backends/wasm/index.js';
import { WebAssembly } from '../src/backends/wasm/webassembly.js';

/** Independent sums: more than latency times units, fewer than registers. */
const sums = 12;
const rounds = 400_000;
const lanes = 4;

/** Multiply-adds a second of 128-bit lanes on `threads` threads, in GFLOP/s; the best of some tries. */
export async function wasmLimit(threads: number): Promise<number> {
  const engine = nodeEngine();
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: engine.features.threads });
  const pool = threads > 1 ? ThreadPool.create(memory, threads) : new SinglePool(memory);
  if (pool instanceof ThreadPool) await pool.ready();
  const module = engine.compile(loop(engine.features.relaxedMadd, engine.features.threads));
  let best = 0;
  for (let attempt = 0; attempt < 12; attempt++) {
    const begin = performance.now();
    pool.run(module, 0, threads);
    best = Math.max(best, (threads * rounds * sums * lanes * 2) / (performance.now() - begin) / 1e6);
  }
  if (pool instanceof ThreadPool) await pool.close();
  return best;
}

function loop(hasMadd: boolean, shared: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1, 1, shared);
  const f = module.function('run', ['i32', 'i32', 'i32'], ['i32']);
  const accumulators = Array.from({ length: sums }, () => f.local('v128'));
  const x = f.local('v128');
  const left = f.local('i32');
  f.v128Const(Float32Array.of(0.5, 0.25, 0.125, 0.0625))
    .set(x)
    .i32(rounds)
    .set(left);
  f.loop((again) => {
    for (const sum of accumulators) {
      if (hasMadd) f.get(x).get(x).get(sum).op('f32x4.relaxed_madd').set(sum);
      else f.get(sum).get(x).get(x).op('f32x4.mul').op('f32x4.add').set(sum);
    }
    f.get(left).i32(1).op('i32.sub').tee(left).brIf(again);
  });
  f.i32(0);
  for (const sum of accumulators.slice(1)) f.get(accumulators[0]!).get(sum).op('f32x4.add').set(accumulators[0]!);
  f.get(accumulators[0]!).memory('v128.store', 0).i32(0);
  module.export('run', f);
  return module.finish();
}
