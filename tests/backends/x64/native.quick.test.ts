import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Assembler, indexed, rax, rcx, rdi, rdx, rsi, ymm } from '../../../src/backends/x64/assembler.js';
import { type CpuidResult, cpuFeatures, describeCpu } from '../../../src/backends/x64/cpu-features.node.js';
import { ExecutableCode } from '../../../src/backends/x64/executable.node.js';
import { InternalError } from '../../../src/core/errors.js';
import { native, withCode, withMemory, withoutAvx2, withoutNative } from './native-code.js';

const sources = new URL('../../../src/backends/x64/', import.meta.url).href;

/** Runs a module in a process of its own. */
function spawnModule(text: string): {
  readonly output: string;
  readonly signal: string | null;
  readonly code: number | null;
} {
  const prelude = `const { loadNative } = await import('${sources}native.node.js');`;
  const { stdout, stderr, signal, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', text.replace('// load', prelude)],
    { encoding: 'utf8' },
  );
  return { output: stdout + stderr, signal, code: status };
}

test('without koffi there is a sentence', () => {
  const { output } = spawnModule(`
    import Module from 'node:module';
    const resolve = Module._resolveFilename;
    Module._resolveFilename = (name, ...rest) => {
      if (name === 'koffi') throw Object.assign(new Error('gone'), { code: 'MODULE_NOT_FOUND' });
      return resolve(name, ...rest);
    };
    // load
    console.log(loadNative().reason);`);
  assert.equal(output, 'The package koffi is not installed: npm install koffi.\n');
});

test('on another system there is a sentence', () => {
  const { output } = spawnModule(`
    Object.defineProperty(process, 'platform', { value: 'plan9' });
    Object.defineProperty(process, 'arch', { value: 'mips' });
    // load
    console.log(loadNative().reason);`);
  assert.equal(output, 'Machine code is made for linux-x64, and this is plan9-mips.\n');
});

test('code takes integers and returns one', { skip: withoutNative }, () => {
  const sum = (count: number, ...values: number[]): number =>
    withCode(
      (a) => {
        const registers = [rdi, rsi, rdx, rcx];
        a.op('xor', rax, rax);
        for (let i = 0; i < count; i++) a.op('add', rax, registers[i]!);
        a.op('ret');
      },
      (address) => native().functionAt(address, count)(...values),
    );
  assert.equal(sum(0), 0);
  assert.equal(sum(1, -5), -5);
  assert.equal(sum(4, 2 ** 46, 1, -2, 2 ** 40), 2 ** 46 + 2 ** 40 - 1);
});

test('code reads and writes arrays where they lie', { skip: withoutAvx2 }, () => {
  const [x, y] = [new Float32Array(new ArrayBuffer(128)).map((_, i) => i), new Float32Array(new ArrayBuffer(128))];
  withCode(
    (a) => {
      a.op('vbroadcastss', ymm(1), a.float32(0.5)).op('xor', rax, rax);
      const row = a.here('row');
      a.op('vmulps', ymm(0), ymm(1), indexed(rdi, rax, 4)).op('vmovups', indexed(rsi, rax, 4), ymm(0));
      a.op('add', rax, 8).op('cmp', rax, 32).op('jl', row).op('vzeroupper').op('ret');
    },
    (address) => native().functionAt(address, 2)(native().addressOf(x), native().addressOf(y.buffer)),
  );
  assert.deepEqual(
    [...y],
    [...x].map((value) => value / 2),
  );
});

test('pages are zero, are written and read at addresses, and seen without a copy', { skip: withoutNative }, () => {
  withMemory(8192, (address) => {
    assert.equal(address % 4096, 0);
    assert.deepEqual(native().read(address + 4000, 3), Uint8Array.of(0, 0, 0));
    native().write(address + 4000, Uint16Array.of(1, 2));
    assert.deepEqual(native().read(address + 4000, 5), Uint8Array.of(1, 0, 2, 0, 0));
    const view = new Float32Array(native().view(address, 64));
    view[3] = 1.5;
    assert.deepEqual(native().read(address + 12, 4), new Uint8Array(Float32Array.of(1.5).buffer));
    assert.equal(native().addressOf(view), address);
  });
  assert.throws(
    () => native().view(4096, 2 ** 33),
    new InternalError('x64: a view has at most 4 GiB: got 8589934592 bytes'),
  );
  assert.equal(native().addressOf(new SharedArrayBuffer(64)) % 8, 0);
});

test('no memory is an error that says how much was asked for', { skip: withoutNative }, () => {
  assert.throws(() => native().map(2 ** 48), {
    name: 'KilnError',
    message:
      'x64: the system gave no memory: 281474976710656 bytes (error 12)\n' +
      '  Close other programs, use smaller batches, or raise the limit on memory (ulimit -v).',
  });
});

test('pages of code cannot be written', { skip: withoutNative }, () => {
  const { output, signal } = spawnModule(`
    // load
    const { ExecutableCode } = await import('${sources}executable.node.js');
    const { native } = loadNative();
    const code = ExecutableCode.create(native, Uint8Array.of(0xc3));
    native.functionAt(code.address, 0)();
    console.log('ran');
    native.write(code.address, Uint8Array.of(0x90));
    console.log('wrote');`);
  assert.deepEqual([output, signal], ['ran\n', 'SIGSEGV']);
});

test('programs are freed one by one, and none stays', { skip: withoutNative }, () => {
  const bytes = new Assembler().op('ret').finish();
  const mappings = (): number =>
    readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((line) => line.includes(' r-xp 00000000 00:00 0')).length;
  const before = mappings();
  for (let round = 0; round < 20; round++) {
    const codes = Array.from({ length: 50 }, () => ExecutableCode.create(native(), bytes));
    const odd = codes.filter((_, i) => i % 2 === 1);
    for (const code of odd) code.free();
    for (const code of codes) if (!odd.includes(code)) code.free();
  }
  assert.ok(mappings() <= before + 1, `${mappings()} mappings, ${before} before`);
  const code = ExecutableCode.create(native(), bytes);
  code.free();
  assert.throws(() => code.free(), new InternalError('x64: code is freed twice'));
});

test('the processor describes itself', { skip: withoutNative }, () => {
  const cpu = cpuFeatures(native());
  assert.match(cpu.vendor, /^\w+/);
  assert.ok(cpu.l1Bytes >= 16384 && cpu.l1Bytes <= cpu.l2Bytes);
  const flags = readFileSync('/proc/cpuinfo', 'utf8')
    .match(/^flags.*$/m)![0]
    .split(' ');
  const { avx512 } = cpu;
  assert.deepEqual(
    [cpu.avx2, cpu.fma, cpu.f16c, avx512.f, avx512.dq, avx512.bw, avx512.vl],
    ['avx2', 'fma', 'f16c', 'avx512f', 'avx512dq', 'avx512bw', 'avx512vl'].map((flag) => flags.includes(flag)),
  );
});

const cache = (type: number, level: number, ways: number, sets: number): CpuidResult => ({
  eax: type | (level << 5),
  ebx: ((ways - 1) << 22) | 63,
  ecx: sets - 1,
  edx: 0,
});
const words = (text: string): number[] => [
  ...new Uint32Array(new Uint8Array(Buffer.from(text.padEnd(48, '\0'))).buffer),
];

/** A processor by its answers; what it does not know is zero. */
function fakeCpuid(vendor: string, leaves: Record<string, Partial<CpuidResult>>) {
  const [ebx, edx, ecx] = words(vendor) as [number, number, number];
  const table: Record<string, Partial<CpuidResult>> = { '0.0': { eax: 0x16, ebx, ecx, edx }, ...leaves };
  return (leaf: number, subleaf = 0): CpuidResult => ({
    ...{ eax: 0, ebx: 0, ecx: 0, edx: 0 },
    ...table[`${leaf.toString(16)}.${subleaf}`],
  });
}
const avxBits = (1 << 12) | (1 << 27) | (1 << 28) | (1 << 29);
const avx512Bits = (1 << 5) | (1 << 16) | (1 << 17) | (1 << 30) | (1 << 31);

test('a Xeon with AVX-512: caches from leaf 4', () => {
  const cpuid = fakeCpuid('GenuineIntel', {
    '1.0': { ecx: avxBits },
    '7.0': { ebx: avx512Bits },
    '4.0': cache(1, 1, 12, 64),
    '4.1': cache(2, 1, 8, 64),
    '4.2': cache(3, 2, 16, 2048),
    '4.3': cache(3, 3, 15, 65536),
  });
  const { avx512, ...rest } = describeCpu(cpuid, () => 0xe7);
  assert.deepEqual(rest, {
    vendor: 'GenuineIntel',
    brand: '',
    avx2: true,
    fma: true,
    f16c: true,
    l1Bytes: 48 * 1024,
    l2Bytes: 2048 * 1024,
    l3Bytes: 60 * 2 ** 20,
  });
  assert.deepEqual(avx512, { f: true, dq: true, bw: true, vl: true });
});

test('vectors that the system does not save are not used', () => {
  const cpuid = fakeCpuid('GenuineIntel', { '1.0': { ecx: avxBits }, '7.0': { ebx: avx512Bits } });
  const ymmOnly = describeCpu(cpuid, () => 7);
  assert.deepEqual([ymmOnly.avx2, ymmOnly.avx512.f, ymmOnly.avx512.vl], [true, false, false]);
  const none = describeCpu(cpuid, () => 3);
  assert.deepEqual([none.avx2, none.fma], [false, false]);
  const withoutXsave = fakeCpuid('GenuineIntel', { '1.0': { ecx: 1 << 28 }, '7.0': { ebx: avx512Bits } });
  assert.equal(describeCpu(withoutXsave, () => assert.fail('xgetbv is not there')).avx2, false);
});

test('an EPYC: brand, caches from 8000001d; a processor that says nothing about caches gets small ones', () => {
  const [a, b, c] = [words('AMD EPYC 7763'), words(''), words('')];
  const epyc = fakeCpuid('AuthenticAMD', {
    '1.0': { ecx: avxBits },
    '7.0': { ebx: 1 << 5 },
    '80000000.0': { eax: 0x80000020 },
    '80000002.0': { eax: a[0]!, ebx: a[1]!, ecx: a[2]!, edx: a[3]! },
    '80000003.0': { eax: b[0]! },
    '80000004.0': { eax: c[0]! },
    '8000001d.0': cache(1, 1, 8, 64),
    '8000001d.1': cache(2, 1, 8, 64),
    '8000001d.2': cache(3, 2, 8, 1024),
  });
  const cpu = describeCpu(epyc, () => 7);
  assert.deepEqual([cpu.brand, cpu.l1Bytes, cpu.l2Bytes, cpu.l3Bytes], ['AMD EPYC 7763', 32768, 524288, 0]);
  const silent = describeCpu(fakeCpuid('AuthenticAMD', {}), () => 0);
  assert.deepEqual([silent.l1Bytes, silent.l2Bytes, silent.l3Bytes], [32768, 262144, 0]);
});
