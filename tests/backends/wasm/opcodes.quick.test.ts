/** Every instruction of the tables, by name: the engine must take it with the types that its name promises. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FunctionBuilder, ModuleBuilder, type ValueType } from '../../../src/backends/wasm/assembler.js';
import { setEngineFlags } from '../../../src/backends/wasm/engine.node.js';
import {
  type LaneName,
  laneCodes,
  laneCount,
  type MemoryLaneName,
  type MemoryName,
  memoryCodes,
  memoryLaneCodes,
  naturalAlignment,
  type PlainName,
  plainCodes,
} from '../../../src/backends/wasm/opcodes.js';
import { WebAssembly } from '../../../src/backends/wasm/webassembly.js';

setEngineFlags();

type Signature = readonly [params: readonly ValueType[], result: ValueType | undefined];

function validates([params, result]: Signature, body: (f: FunctionBuilder) => void): boolean {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1, 1, true);
  const f = module.function('f', params, result ? [result] : []);
  for (const param of f.params) f.get(param);
  body(f);
  return WebAssembly.validate(module.finish());
}

const scalarOf = (shape: string): ValueType =>
  ({ i8x16: 'i32', i16x8: 'i32', i32x4: 'i32', i64x2: 'i64', f32x4: 'f32', f64x2: 'f64' })[shape] as ValueType;

function plainSignature(name: string): Signature {
  const [type = '', op = ''] = name.split('.');
  if (name === 'unreachable' || name === 'nop') return [[], undefined];
  if (/x|v128/.test(type)) {
    if (op === 'splat') return [[scalarOf(type)], 'v128'];
    if (/_true|bitmask/.test(op)) return [['v128'], 'i32'];
    if (/^sh[lr]/.test(op)) return [['v128', 'i32'], 'v128'];
    if (/bitselect|laneselect|n?madd|dot.*add/.test(op)) return [['v128', 'v128', 'v128'], 'v128'];
    const unary =
      /^(abs|neg|popcnt|ceil|floor|trunc|nearest|sqrt|not|demote|promote|convert|extend|extadd|relaxed_trunc)/;
    return [unary.test(op) ? ['v128'] : ['v128', 'v128'], 'v128'];
  }
  const own = type as ValueType;
  const conversion = /^(wrap|trunc|trunc_sat|extend|convert|demote|promote|reinterpret)_([if]\d+)/.exec(op);
  if (conversion) return [[conversion[2] as ValueType], own];
  if (op === 'eqz') return [[own], 'i32'];
  if (/^(clz|ctz|popcnt|abs|neg|ceil|floor|trunc|nearest|sqrt|extend)/.test(op)) return [[own], own];
  return [[own, own], /^(eq|ne|lt|gt|le|ge)(_|$)/.test(op) ? 'i32' : own];
}

function memorySignature(name: string): Signature {
  const type = name.split('.')[0] as ValueType;
  if (name === 'memory.atomic.notify') return [['i32', 'i32'], 'i32'];
  if (name === 'memory.atomic.wait32') return [['i32', 'i32', 'i64'], 'i32'];
  if (name === 'memory.atomic.wait64') return [['i32', 'i64', 'i64'], 'i32'];
  if (name.includes('cmpxchg')) return [['i32', type, type], type];
  if (name.includes('rmw')) return [['i32', type], type];
  return name.includes('store') ? [['i32', type], undefined] : [['i32'], type];
}

const relaxed = validates([['v128', 'v128', 'v128'], 'v128'], (f) => f.op('f32x4.relaxed_madd'));

test('every plain instruction has the code of its name', () => {
  const names = Object.keys(plainCodes) as PlainName[];
  const taken = names.filter((name) => relaxed || !name.includes('relaxed'));
  assert.deepEqual(
    taken.filter((name) => !validates(plainSignature(name), (f) => f.op(name))),
    [],
  );
  assert.equal(new Set(Object.values(plainCodes)).size, names.length);
});

test('instructions with zero immediates', () => {
  assert.ok(validates([[], 'i32'], (f) => f.op('memory.size')));
  assert.ok(validates([['i32'], 'i32'], (f) => f.op('memory.grow')));
  assert.ok(validates([['i32', 'i32', 'i32'], undefined], (f) => f.op('memory.copy')));
  assert.ok(validates([['i32', 'i32', 'i32'], undefined], (f) => f.op('memory.fill')));
  assert.ok(validates([[], undefined], (f) => f.op('atomic.fence')));
});

test('every load, store and atomic takes its natural alignment and no more', () => {
  const refused = (Object.keys(memoryCodes) as MemoryName[]).filter(
    (name) => !validates(memorySignature(name), (f) => f.memory(name, 1024)),
  );
  assert.deepEqual(refused, []);
  assert.equal(naturalAlignment('v128.load8x8_u'), 8);
  assert.equal(naturalAlignment('v128.load32_splat'), 4);
  assert.equal(naturalAlignment('i64.load32_u'), 4);
  assert.equal(naturalAlignment('v128.load'), 16);
  assert.equal(naturalAlignment('i32.atomic.rmw.add'), 4);
});

test('every lane instruction', () => {
  const refused = (Object.keys(laneCodes) as LaneName[]).filter((name) => {
    const scalar = scalarOf(name.split('.')[0]!);
    const signature: Signature = name.includes('extract') ? [['v128'], scalar] : [['v128', scalar], 'v128'];
    return !validates(signature, (f) => f.lane(name, laneCount(name) - 1));
  });
  const refusedInMemory = (Object.keys(memoryLaneCodes) as MemoryLaneName[]).filter((name) => {
    const result = name.includes('load') ? 'v128' : undefined;
    return !validates([['i32', 'v128'], result], (f) => f.memoryLane(name, 8, laneCount(name) - 1));
  });
  assert.deepEqual([...refused, ...refusedInMemory], []);
});
