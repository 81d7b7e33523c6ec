import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as x64 from '../../../src/backends/x64/assembler.js';
import { formsOf, type Mnemonic } from '../../../src/backends/x64/forms.js';
import { generalInstructions } from '../../../src/backends/x64/general-instructions.js';
import { instructionText } from '../../../src/backends/x64/listing.js';
import { vectorInstructions } from '../../../src/backends/x64/vector-instructions.js';
import { InternalError } from '../../../src/core/errors.js';
import { parseInstruction } from './instruction-text.js';

const { Assembler, broadcast, byte, dword, indexed, k, masked, mem, rax, rbx, rcx, rdi, rsp, xmm, ymm, zmm } = x64;
const { low8, low32 } = x64;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const assemble = (body: (a: x64.Assembler) => void): string => {
  const a = new Assembler();
  body(a);
  return hex(a.finish());
};

const golden = (name: string): Record<string, string> =>
  JSON.parse(readFileSync(new URL(`../../../../tests/golden/x64/${name}.json`, import.meta.url), 'utf8'));

const seen = new Set<string>();
for (const file of ['general', 'vector', 'vector-512']) {
  test(`${file} instructions have the bytes of GNU as`, () => {
    const wrong: string[] = [];
    for (const [text, bytes] of Object.entries(golden(file))) {
      const [name, operands] = parseInstruction(text);
      seen.add(name);
      const ours = assemble((a) => a.op(name, ...operands));
      if (ours !== bytes) wrong.push(`${text}: ${ours}, GNU as ${bytes}`);
      if (instructionText(name, operands) !== text) wrong.push(`${text}: prints ${instructionText(name, operands)}`);
    }
    assert.deepEqual(wrong, []);
  });
}

test('every instruction is in the golden files, but jumps to labels', () => {
  const names = [...Object.keys(generalInstructions), ...Object.keys(vectorInstructions)] as Mnemonic[];
  const { label8, label32 } = x64.operandBits;
  const isJump = (name: Mnemonic): boolean =>
    formsOf(name).every(({ accepts }) => ((accepts[0] ?? 0) & (label8 | label32)) !== 0);
  assert.deepEqual(
    names.filter((name) => !seen.has(name) && !isJump(name)),
    [],
  );
});

test('jumps are short backward where they reach, long forward unless promised short', () => {
  const code = assemble((a) => {
    const top = a.here('top');
    const end = a.label('end');
    const near = a.label('near', { isShort: true });
    a.op('je', end).op('jmp', near).op('nop').bind(near).op('jne', top).op('call', top).bind(end).op('ret');
  });
  // je 10; jmp 9; nop; jne 0; call 0; ret
  assert.equal(code, '0f840a000000eb019075f5e8f0ffffffc3');
});

test('a far backward jump is long', () => {
  const code = assemble((a) => {
    const top = a.here();
    for (let i = 0; i < 127; i++) a.op('nop');
    a.op('jl', top);
  });
  assert.equal(code.slice(254), '0f8c7bffffff');
});

test('constants lie behind the code, once, aligned, and are addressed from the end of the instruction', () => {
  const a = new Assembler();
  a.op('vaddss', xmm(0), xmm(0), a.float32(1.5));
  a.op('vcmpps', ymm(1), ymm(2), a.constant(new Float32Array(8).fill(2)), x64.comparisons.less);
  a.op('vmulss', xmm(0), xmm(0), a.float32(1.5));
  a.op('mov', low32(rax), a.int32(7).plus(0)).op('ret');
  const bytes = a.finish();
  const view = new DataView(bytes.buffer);
  const one = 64;
  assert.equal(view.getFloat32(32, true), 2);
  assert.equal(view.getFloat32(one, true), 1.5);
  assert.equal(view.getInt32(one + 4, true), 7);
  assert.equal(bytes.length, one + 8);
  assert.equal(view.getInt32(4, true), one - 8);
  assert.equal(view.getInt32(12, true), 32 - 17);
  assert.equal(view.getInt32(21, true), one - 25);
});

test('align fills with whole instructions', () => {
  for (let bytes = 1; bytes <= 40; bytes++) {
    const a = new Assembler();
    for (let i = 0; i < bytes; i++) a.op('nop');
    a.align(32);
    assert.equal(a.length % 32, 0);
  }
});

test('set takes the shortest move', () => {
  const code = (value: number | bigint): string => assemble((a) => a.set(rax, value));
  assert.equal(code(5), 'b805000000');
  assert.equal(code(0xffffffff), 'b8ffffffff');
  assert.equal(code(-1), '48c7c0ffffffff');
  assert.equal(code(2 ** 40), '48b80000000000010000');
});

test('the listing has names, comments and constants', () => {
  const a = new Assembler();
  a.comment('four rows');
  const top = a.here('row');
  a.op('vfmadd231ps', zmm(0), zmm(31), broadcast(indexed(rdi, rcx, 4, -64)));
  a.op('vmovups', masked(mem(rax), k(1)), zmm(0));
  a.op('vaddps', masked(ymm(1), k(2), 'zero'), ymm(1), a.constant(new Float32Array(8).fill(0.5)));
  a.op('dec', dword(mem(rsp, 8)))
    .op('jne', top)
    .op('ret');
  a.finish();
  const text = [
    '  ; four rows',
    'row:',
    '  vfmadd231ps zmm0, zmm31, bcst [rdi+rcx*4-64]',
    '  vmovups [rax]{k1}, zmm0',
    '  vaddps ymm1{k2}{z}, ymm1, [rip+constant0]',
    '  dec dword ptr [rsp+8]',
    '  jne row',
    '  ret',
    'constant0: 8 × 0.5f',
    '',
  ].join('\n');
  assert.equal(x64.listing(a), text);
});

const refusals: readonly (readonly [string, (a: x64.Assembler) => unknown])[] = [
  ['vaddps does not take the operands ymm0, ymm1, zmm2', (a) => a.op('vaddps', ymm(0), ymm(1), zmm(2))],
  ['vaddps does not take the operands ymm0, ymm1', (a) => a.op('vaddps', ymm(0), ymm(1))],
  ['vmovdqu does not take the operands ymm16, [rax]', (a) => a.op('vmovdqu', ymm(16), mem(rax))],
  ['vhaddps does not take the operands zmm0, zmm1, zmm2', (a) => a.op('vhaddps', zmm(0), zmm(1), zmm(2))],
  ['vroundps does not take the operands ymm0{k1}, ymm1, 8', (a) => a.op('vroundps', masked(ymm(0), k(1)), ymm(1), 8)],
  ['vpslld does not take the operands ymm0, ymm1, 256', (a) => a.op('vpslld', ymm(0), ymm(1), 256)],
  ['vmovups does not take the operands ymm0, bcst [rax]', (a) => a.op('vmovups', ymm(0), broadcast(mem(rax)))],
  ['add does not take the operands rax, 2147483648', (a) => a.op('add', rax, 0x80000000)],
  ['add does not take the operands rax, 1.5', (a) => a.op('add', rax, 1.5)],
  ['inc does not take the operands [rax]', (a) => a.op('inc', mem(rax))],
  ['movzx does not take the operands eax, [rbx]', (a) => a.op('movzx', low32(rax), mem(rbx))],
  ['mov does not take the operands eax, bl', (a) => a.op('mov', low32(rax), low8(rbx))],
  ['ret does not take the operands 3', (a) => a.op('ret', 3)],
  ['cdq does not take the operands rax', (a) => a.op('cdq', rax)],
  ['vgatherdps does not take the operands ymm0, [rax]', (a) => a.op('vgatherdps', ymm(0), mem(rax))],
  [
    'gathers and scatters need a mask: got zmm0, [rax+zmm1*4]',
    (a) => a.op('vgatherdps', zmm(0), indexed(rax, zmm(1), 4)),
  ],
  [
    'vaddps: only the destination can be masked: got zmm0, zmm1{k1}, zmm2',
    (a) => a.op('vaddps', zmm(0), masked(zmm(1), k(1)), zmm(2)),
  ],
  [
    'vcmpps: k1{k2}{z} can only be masked by merging',
    (a) => a.op('vcmpps', masked(k(1), k(2), 'zero'), zmm(1), zmm(2), 0),
  ],
  ['memory cannot be masked with zeros', () => masked(mem(rax), k(1), 'zero')],
  ['k0 as a mask means no mask', () => masked(zmm(1), k(0))],
  ['rsp cannot be an index', () => indexed(rax, rsp)],
  ['an offset is a signed 32-bit integer: got 2147483648', () => mem(rax, 2 ** 31)],
  ['there is no register zmm 32', () => zmm(32)],
  ['there is no register k 8', () => k(8)],
];
for (const [message, body] of refusals) {
  test(`refuses: ${message}`, () => {
    const a = new Assembler();
    assert.throws(() => body(a), new InternalError(`x64 assembler: ${message}`));
  });
}

test('labels are bound once, and before the end', () => {
  const a = new Assembler();
  const label = a.label('loop');
  a.op('jmp', label);
  assert.throws(() => a.finish(), new InternalError('x64 assembler: label loop is used and never bound'));
  const b = new Assembler();
  const twice = b.here('loop');
  assert.throws(() => b.bind(twice), new InternalError('x64 assembler: label loop is bound twice'));
  const c = new Assembler();
  const far = c.label('far', { isShort: true });
  c.op('jmp', far);
  for (let i = 0; i < 128; i++) c.op('nop');
  c.bind(far);
  assert.throws(() => c.finish(), new InternalError('x64 assembler: a jump to the short label far goes 128 bytes'));
});

test('bytes of memory need no size where a register says it', () => {
  assert.equal(
    assemble((a) => a.op('mov', mem(rax), low8(rcx))),
    '8808',
  );
  assert.equal(
    assemble((a) => a.op('mov', byte(mem(rax)), 1)),
    'c60001',
  );
});
