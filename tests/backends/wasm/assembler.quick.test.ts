import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type FunctionBuilder,
  type Label,
  type Local,
  listing,
  ModuleBuilder,
  type ValueType,
} from '../../../src/backends/wasm/assembler.js';
import { setEngineFlags } from '../../../src/backends/wasm/engine.node.js';
import { WebAssembly } from '../../../src/backends/wasm/webassembly.js';
import { InternalError } from '../../../src/core/errors.js';

setEngineFlags();

const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
const floats = new Float32Array(memory.buffer);
const words = new Int32Array(memory.buffer);

function build(
  params: readonly ValueType[],
  result: ValueType | undefined,
  body: (f: FunctionBuilder) => void,
): (...values: (number | bigint)[]) => number | bigint | undefined {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1, 4, true);
  const f = module.function('f', params, result ? [result] : []);
  body(f);
  module.export('f', f);
  const compiled = new WebAssembly.Module(module.finish());
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports['f']!;
}

test('integers and floats keep their bits', () => {
  for (const n of [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 2 ** 31 - 1, -(2 ** 31), 0x12345678]) {
    assert.equal(build([], 'i32', (f) => f.i32(n))(), n);
  }
  assert.equal(build([], 'i32', (f) => f.i32(0xffffffff))(), -1);
  for (const n of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0x123456789abcdefn]) {
    assert.equal(build([], 'i64', (f) => f.i64(n))(), n);
  }
  for (const x of [0, -0, 1.5, -Infinity, Number.NaN, Math.fround(1e-45)]) {
    assert.ok(Object.is(build([], 'f32', (f) => f.f32(x))(), x));
    assert.ok(Object.is(build([], 'f64', (f) => f.f64(x))(), x));
  }
});

test('a dot product in a loop, with freed locals reused', () => {
  const dot = build(['i32', 'i32', 'i32'], 'f32', (f) => {
    const [a, b, count] = f.params as [Local, Local, Local];
    const spare = f.local('v128');
    f.free(spare);
    const sum = f.local('v128');
    assert.equal(sum, spare);
    f.loop((again) => {
      f.get(sum).get(a).memory('v128.load').get(b).memory('v128.load', 64, 4).op('f32x4.mul').op('f32x4.add').set(sum);
      for (const pointer of [a, b]) f.get(pointer).i32(16).op('i32.add').set(pointer);
      f.get(count).i32(4).op('i32.sub').tee(count).brIf(again);
    });
    for (let lane = 0; lane < 4; lane++) {
      f.get(sum).lane('f32x4.extract_lane', lane);
      if (lane > 0) f.op('f32.add');
    }
  });
  for (let i = 0; i < 8; i++) {
    floats[i] = i;
    floats[64 + 16 + i] = 2;
  }
  assert.equal(dot(0, 256, 8), 56);
});

test('vectors: constants, shuffle, swizzle, lanes in memory, relaxed multiply and add', () => {
  floats.set([1, 2, 3, 4], 0);
  build([], undefined, (f) => {
    const x = f.local('v128');
    f.i32(0).memory('v128.load').set(x);
    f.i32(16).get(x).get(x).shuffle([12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]).memory('v128.store');
    f.i32(32)
      .get(x)
      .v128Const(Uint8Array.of(4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
    f.op('i8x16.swizzle').memory('v128.store');
    f.i32(48)
      .get(x)
      .v128Const(Float32Array.of(10, 20, 30, 40))
      .op('f32x4.add')
      .memory('v128.store');
    f.i32(64).get(x).memoryLane('v128.store32_lane', 0, 2);
    f.i32(68).i32(0).get(x).memoryLane('v128.load32_lane', 4, 0).memoryLane('v128.store64_lane', 0, 0);
    f.i32(80).i32(0).memory('v128.load32_splat', 12).memory('v128.store');
    f.i32(96).i32(0).memory('v128.load64_zero').memory('v128.store');
  })();
  assert.deepEqual([...floats.slice(4, 8)], [4, 3, 2, 1]);
  assert.deepEqual([...floats.slice(8, 12)], [2, 1, 4, 3]);
  assert.deepEqual([...floats.slice(12, 16)], [11, 22, 33, 44]);
  assert.deepEqual([...floats.slice(16, 19)], [3, 2, 2]);
  assert.deepEqual([...floats.slice(20, 28)], [4, 4, 4, 4, 1, 2, 0, 0]);
});

test('branches: if with a result, nested blocks, a jump table', () => {
  const sign = build(['i32'], 'i32', (f) => {
    const x = f.params[0]!;
    f.get(x).if_(
      () => f.i32(-1).i32(1).get(x).i32(0).op('i32.lt_s').select(),
      () => f.i32(0),
      'i32',
    );
  });
  assert.deepEqual([sign(-7), sign(0), sign(9)], [-1, 0, 1]);
  const table = build(['i32'], 'i32', (f) => {
    f.block((other) => {
      f.block((second) => {
        f.block((first) => {
          f.get(f.params[0]!).brTable([first, second], other);
        });
        f.i32(100).return_();
      });
      f.i32(200).return_();
    });
    f.i32(300);
  });
  assert.deepEqual([table(0), table(1), table(2), table(-1)], [100, 200, 300, 300]);
});

test('calls, forward declarations, imports, the table', () => {
  const module = new ModuleBuilder();
  const seen: number[] = [];
  const log = module.importFunction('env', 'log', ['i32']);
  const main = module.function('main', ['i32'], ['i32']);
  const double = module.function('double', ['i32'], ['i32']);
  const negate = module.function('negate', ['i32'], ['i32']);
  assert.deepEqual([module.addToTable(double), module.addToTable(negate)], [0, 1]);
  main.i32(21).call(double).call(log);
  main.i32(5).get(main.params[0]!).callIndirect(['i32'], ['i32']);
  double.get(double.params[0]!).i32(1).op('i32.shl');
  negate.i32(0).get(negate.params[0]!).op('i32.sub');
  module.export('main', main);
  const compiled = new WebAssembly.Module(module.finish());
  const env = { log: (n: number | bigint) => void seen.push(Number(n)) as undefined };
  const run = new WebAssembly.Instance(compiled, { env }).exports['main']!;
  assert.deepEqual([run(0), run(1), seen], [10, -5, [42, 42]]);
});

test('atomics and bulk memory on the shared memory', () => {
  words[100] = 5;
  const add = build([], 'i32', (f) => f.i32(400).i32(3).memory('i32.atomic.rmw.add'));
  assert.deepEqual([add(), words[100]], [5, 8]);
  const wait = build([], 'i32', (f) => f.i32(400).i32(0).i64(-1n).memory('memory.atomic.wait32'));
  assert.equal(wait(), 1); // the word is not 0: does not sleep
  assert.equal(build([], 'i32', (f) => f.i32(400).i32(1).memory('memory.atomic.notify'))(), 0);
  build([], undefined, (f) => f.i32(404).i32(400).i32(4).op('memory.copy').op('atomic.fence'))();
  assert.equal(words[101], 8);
  assert.equal(build([], 'i32', (f) => f.op('memory.size'))(), 1);
});

test('what no module can hold is an internal error that names the function', () => {
  const module = new ModuleBuilder();
  const f = module.function('kernel', ['i32'], []);
  const other = module.function('other', ['i32', 'i32'], []);
  const refuses = (body: () => void, message: string) =>
    assert.throws(body, new InternalError(`wasm assembler: ${message}`));
  refuses(() => f.memory('v128.load', -4), 'kernel: v128.load: offset is an unsigned 32-bit integer: got -4');
  refuses(() => f.memory('v128.load', 0.5), 'kernel: v128.load: offset is an unsigned 32-bit integer: got 0.5');
  refuses(() => f.memory('i32.load', 0, 8), 'kernel: i32.load: alignment is a power of two up to 4: got 8');
  refuses(() => f.lane('f32x4.extract_lane', 4), 'kernel: f32x4.extract_lane: lane is an integer from 0 to 3: got 4');
  refuses(() => f.get(other.params[1]!), 'kernel: local 1 belongs to another function');
  refuses(() => f.v128Const(Float32Array.of(1, 2)), 'kernel: v128.const takes 16 bytes: got 8');
  refuses(() => f.i32(1.5), '1.5 is not a 32-bit integer');
  refuses(() => f.shuffle([0, 1]), 'kernel: i8x16.shuffle takes 16 positions: got 2');
  const x = f.local('f32');
  f.free(x);
  refuses(() => f.free(x), 'kernel: local 1 is freed twice');
  let label: Label | undefined;
  f.block((exit) => {
    label = exit;
  });
  refuses(() => f.br(label!), 'kernel: branch to a label of depth 0 outside its body');
  refuses(() => module.importFunction('env', 'late', []), 'import late before the first function is declared');
});

test('the listing reads like the program', () => {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1, 4, true);
  const log = module.importFunction('env', 'log', ['i32']);
  const scale = module.function('scale', ['i32', 'f32']);
  const [address, factor] = scale.params;
  const x = scale.local('v128');
  scale.comment('four numbers a round').loop((again) => {
    scale.get(address!).get(address!).memory('v128.load', 32).get(factor!).op('f32x4.splat').op('f32x4.mul').tee(x);
    scale.memory('v128.store').get(x).lane('f32x4.extract_lane', 3).f32(0.5).op('f32.lt').brIf(again);
  });
  scale
    .i32(-5)
    .call(log)
    .i64(-1n)
    .drop()
    .v128Const(Int32Array.of(1, -1, 0, 2))
    .drop()
    .comment('done');
  module.export('run', scale);
  assert.equal(
    listing(module),
    `import $log (i32) -> ()

func $scale (i32, f32) -> () (export "run")
  local $2:v128
  ;; four numbers a round
  loop
    local.get $0
    local.get $0
    v128.load offset=32
    local.get $1
    f32x4.splat
    f32x4.mul
    local.tee $2
    v128.store
    local.get $2
    f32x4.extract_lane 3
    f32.const 0.5
    f32.lt
    br_if 0
  end
  i32.const -5
  call $log
  i64.const -1
  drop
  v128.const i32x4 0x00000001 0xffffffff 0x00000000 0x00000002
  drop
  ;; done
`,
  );
});

test('a module of 100 KB and more holds every function', () => {
  const module = new ModuleBuilder();
  for (let i = 0; i < 300; i++) {
    const f = module.function(`f${i}`, [], ['i32']);
    f.i32(0);
    for (let j = 0; j < 100; j++) f.i32(1000 * j).op('i32.add');
  }
  const last = module.functions.at(-1)!;
  module.export('last', last);
  const bytes = module.finish();
  assert.ok(bytes.length > 100_000);
  assert.equal(new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports['last']!(), 4_950_000);
});
