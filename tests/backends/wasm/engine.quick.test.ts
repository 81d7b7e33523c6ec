import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModuleBuilder } from '../../../src/backends/wasm/assembler.js';
import { plainEngine } from '../../../src/backends/wasm/engine.js';
import { nodeEngine } from '../../../src/backends/wasm/engine.node.js';
import { WebAssembly } from '../../../src/backends/wasm/webassembly.js';

test('every supported Node has vectors, fused multiply-add, shared memory and atomics', () => {
  assert.deepEqual(nodeEngine().features, { simd: true, relaxedMadd: true, sharedMemory: true, threads: true });
});

test('engines compile modules that run; the flags of compilation are put back', () => {
  for (const engine of [nodeEngine(), plainEngine()]) {
    const module = new ModuleBuilder();
    const f = module.function('f', ['i32'], ['i32']);
    f.get(f.params[0]!).i32(1).op('i32.add');
    module.export('f', f);
    const compiled = engine.compile(module.finish());
    assert.equal(new WebAssembly.Instance(compiled).exports['f']!(41), 42);
  }
  const broken = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 99, 0);
  assert.throws(() => nodeEngine().compile(broken), { name: 'CompileError' });
});
