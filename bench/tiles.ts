/**
 * Register tiles of matrix products with their panels in the first cache, against multiply-adds that touch no memory:
 * how much of the processor the code generator's inner loops reach. `node dist/bench/tiles.js [--listing ROWSxVECTORS]`
 */
import { cpuFeatures } from '../src/backends/x64/cpu-features.node.js';
import { ExecutableCode } from '../src/backends/x64/executable.node.js';
import type { X64FunctionBuilder } from '../src/backends/x64/function-builder.js';
import { X64ModuleBuilder } from '../src/backends/x64/module-builder.js';
import { loadNative } from '../src/backends/x64/native.node.js';

const { native, reason } = loadNative();
if (!native) throw new Error(reason);
const region = native.map(2 ** 22);
const [leftAt, rightAt, outAt] = [65_536, 2 ** 20, 2 ** 21];
new Float32Array(native.view(region, 2 ** 22)).fill(1e-3);
const shown = process.argv[2] === '--listing' ? process.argv[3] : undefined;

/** A function of the number of rounds, and the floating-point operations of one. */
interface Contestant {
  readonly name: string;
  readonly flopsPerRound: number;
  run(rounds: number): void;
}

function contestant(
  lanes: 8 | 16,
  name: string,
  flopsPerRound: number,
  body: (f: X64FunctionBuilder) => void,
): Contestant {
  const module = new X64ModuleBuilder({ lanes });
  const f = module.function('run', ['i32']);
  const rounds = f.params[0]!;
  f.loop((again) => {
    body(f);
    f.get(rounds).i32(1).op('i32.sub').tee(rounds).brIf(again);
  });
  module.export('run', f);
  const made = module.finish(region);
  if (shown === name) console.log(made.listing());
  const code = ExecutableCode.create(native!, made.bytes);
  return { name, flopsPerRound, run: native!.functionAt(code.address + made.entries.get('run')!, 1) };
}

/** Multiply-adds in registers alone. */
function limit(lanes: 8 | 16): Contestant {
  const chains = lanes === 8 ? 12 : 24;
  const steps = 256;
  return contestant(lanes, 'registers', 2 * lanes * chains * steps, (f) => {
    const [a, b, count] = [f.local('vector'), f.local('vector'), f.local('i32')];
    const sums = Array.from({ length: chains }, () => f.local('vector'));
    f.i32(leftAt).load('vector').set(a).i32(rightAt).load('vector').set(b);
    for (const sum of sums) f.vector('f32', 0).set(sum);
    f.i32(steps).set(count);
    f.loop((again) => {
      for (const sum of sums) f.get(a).get(b).get(sum).op('vector.f32.madd').set(sum);
      f.get(count).i32(1).op('i32.sub').tee(count).brIf(again);
    });
    sums.forEach((sum, i) => {
      f.i32(outAt + 64 * i)
        .get(sum)
        .store('vector');
    });
  });
}

/** As the emitter of contractions writes a tile: vectors of the right panel, one number a row of the left one. */
function tile(lanes: 8 | 16, rows: number, vectors: number): Contestant {
  const depth = 128;
  const bytes = 4 * lanes;
  return contestant(lanes, `${rows}x${vectors * lanes}`, 2 * lanes * rows * vectors * depth, (f) => {
    const [left, right, count] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const sums = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => f.local('vector')));
    const columns = Array.from({ length: vectors }, () => f.local('vector'));
    const values = sums.map(() => f.local('vector'));
    for (const sum of sums.flat()) f.vector('f32', 0).set(sum);
    f.i32(leftAt).set(left).i32(rightAt).set(right).i32(depth).set(count);
    f.loop((again) => {
      columns.forEach((column, j) => {
        f.get(right)
          .load('vector', j * bytes)
          .set(column);
      });
      values.forEach((value, i) => {
        f.get(left)
          .load('splat', 4 * i)
          .set(value);
      });
      sums.forEach((row, i) => {
        row.forEach((sum, j) => {
          f.get(values[i]!).get(columns[j]!).get(sum).op('vector.f32.madd').set(sum);
        });
      });
      f.get(left)
        .i32(4 * rows)
        .op('i32.add')
        .set(left)
        .get(right)
        .i32(bytes * vectors)
        .op('i32.add')
        .set(right);
      f.get(count).i32(1).op('i32.sub').tee(count).brIf(again);
    });
    sums.flat().forEach((sum, i) => {
      f.i32(outAt + bytes * i)
        .get(sum)
        .store('vector');
    });
  });
}

/** GFLOP/s of each, the best of some turns that alternate. */
function measure(contestants: readonly Contestant[]): number[] {
  const best = contestants.map(() => 0);
  for (let turn = 0; turn < 40; turn++) {
    contestants.forEach(({ run, flopsPerRound }, i) => {
      const rounds = Math.ceil(3e8 / flopsPerRound);
      const start = performance.now();
      run(rounds);
      const seconds = (performance.now() - start) / 1000;
      best[i] = Math.max(best[i]!, (flopsPerRound * rounds) / seconds / 1e9);
    });
  }
  return best;
}

const features = cpuFeatures(native);
console.log(features.brand);
const machines = Object.values(features.avx512).every((has) => has) ? ([8, 16] as const) : ([8] as const);
for (const lanes of machines) {
  const shapes =
    lanes === 8
      ? [[6, 2], [4, 3], [4, 2], [12, 1]] // biome-ignore format: pairs
      : [
          [14, 2],
          [6, 4],
          [8, 3],
          [9, 3],
          [12, 2],
          [28, 1],
        ];
  const contestants = [limit(lanes), ...shapes.map(([rows, vectors]) => tile(lanes, rows!, vectors!))];
  const speeds = measure(contestants);
  contestants.forEach(({ name }, i) => {
    const [speed, most] = [speeds[i]!, speeds[0]!];
    console.log(
      `${lanes} lanes ${name.padEnd(10)} ${speed.toFixed(1).padStart(6)} GFLOP/s ${(speed / most).toFixed(3)}`,
    );
  });
}
