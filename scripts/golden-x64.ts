/**
 * Writes tests/golden/x64: instructions as text, and their bytes from GNU as (binutils 2.40), an assembler that shares nothing
 * with ours. Every form of every instruction with drawn operands: all registers, all kinds of addresses, masks, broadcasts.
 *
 *     npm run build && node dist/scripts/golden-x64.js
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x64 from '../src/backends/x64/assembler.js';
import { type Form, formsOf, type Mnemonic } from '../src/backends/x64/forms.js';
import { generalInstructions } from '../src/backends/x64/general-instructions.js';
import { instructionText } from '../src/backends/x64/listing.js';
import { vectorInstructions } from '../src/backends/x64/vector-instructions.js';

const { operandBits: bit } = x64;

/** xorshift32: the same draws wherever it runs. */
let state = 0x2545f491;
function draw(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}
const pick = <T>(values: readonly T[]): T => values[draw(values.length)]!;

const offsets = [
  0, 1, -1, 4, 8, 16, 64, 127, 128, -128, -129, 256, -512, 508, 512, 2032, 8128, 8192, -8192, 4096, 123456,
];
const r64 = (): x64.GeneralRegister => x64.register('r64', draw(16));

function drawMemory(bits: number): x64.Memory {
  const offset = pick(offsets) * (draw(8) === 0 ? 1 : pick([1, 4, 16]));
  if (draw(3) > 0) return sized(x64.mem(r64(), offset), bits);
  let index = r64();
  while (index.index === 4) index = r64();
  return sized(x64.indexed(r64(), index, pick([1, 2, 4, 8] as const), offset), bits);
}

function sized(memory: x64.Memory, bits: number): x64.Memory {
  if (bits & bit.broadcast) return x64.broadcast(memory);
  if (bits & bit.m) return memory;
  if (bits & bit.m8) return x64.byte(memory);
  if (bits & bit.m16) return x64.word(memory);
  return bits & bit.m32 ? x64.dword(memory) : x64.qword(memory);
}

const memoryBits = bit.m | bit.m8 | bit.m16 | bit.m32 | bit.m64;
const numbers8 = [0, 2, 3, 7, 15, 31, 100, 127];

function drawOperand(accepted: number, isEvex: boolean): x64.Operand {
  const choices: (() => x64.Operand)[] = [];
  const offer = (bits: number, make: () => x64.Operand): void => {
    if (accepted & bits) choices.push(make);
  };
  for (const kind of ['r8', 'r16', 'r32', 'r64'] as const) offer(bit[kind], () => x64.register(kind, draw(16)));
  for (const kind of ['xmm', 'ymm', 'zmm'] as const) {
    offer(bit[kind], () => x64.register(kind, draw(isEvex ? 32 : 16)));
    offer(bit[`${kind}Indexed`], () =>
      x64.indexed(r64(), x64.register(kind, draw(isEvex ? 32 : 16)), pick([1, 2, 4, 8] as const), pick(offsets)),
    );
  }
  offer(bit.k, () => x64.k(draw(8)));
  offer(bit.a8, () => x64.register('r8', 0));
  offer(bit.a32, () => x64.register('r32', 0));
  offer(bit.a64, () => x64.rax);
  offer(bit.cl, () => x64.register('r8', 1));
  for (let i = 0; i < 2; i++) offer(memoryBits, () => drawMemory(accepted & memoryBits));
  offer(bit.broadcast, () => drawMemory(bit.broadcast));
  offer(bit.unsigned8 | bit.signed8, () => pick(numbers8));
  offer(bit.signed8, () => -pick(numbers8.slice(1)));
  offer(bit.signed32, () => pick([128, 1000, -129, 0x7fffffff, -0x80000000]));
  offer(bit.unsigned32, () => pick([128, 5000, 0x12345678]));
  offer(bit.any64, () => pick([0x123456789abcdefn, -0x8000000000000000n, 0x100000000]));
  return pick(choices)();
}

/** A mask on the destination, where the form can have one. */
function drawMasked(form: Form, operand: x64.Operand, isRequired: boolean): x64.Operand {
  if (!isRequired && draw(3) > 0) return operand;
  const mask = x64.k(1 + draw(7));
  if (operand instanceof x64.Memory) return x64.masked(operand, mask);
  if (operand instanceof x64.Register && /^[xyz]mm$/.test(operand.kind)) {
    const vector = operand as x64.VectorRegister;
    return x64.masked(vector, mask, !isRequired && draw(2) === 0 ? 'zero' : 'merge');
  }
  return operand instanceof x64.Register && operand.kind === 'k' && form.encoding === 'evex'
    ? x64.masked(operand as x64.MaskRegister, mask)
    : operand;
}

/** EVEX instructions that take no mask. */
const unmasked =
  /^(vmov[dq]|vmovntps|vmov[lh]p?s|vmovhlps|vmovlhps|vpinsr.|vpextr.|vinsertps|vextractps|vucomis.|vcvtt?s[is]2.*|vcvttsd2si|vpmovm2d|vpmovd2m|vps[lr]ldq)$/;
/** Masked all the same: the rule above is about their kin. */
const maskedAfterAll = /^(vcvtss2sd|vpslld|vpsrld)$/;

function drawInstruction(name: Mnemonic, form: Form): readonly x64.Operand[] {
  const isEvex = form.encoding === 'evex';
  const operands = form.accepts.map((accepted) => drawOperand(accepted, isEvex));
  const isIndexed = operands.some((operand) => operand instanceof x64.Memory && /mm$/.test(operand.index?.kind ?? ''));
  if (isEvex && operands.length > 0 && (maskedAfterAll.test(name) || !unmasked.test(name))) {
    operands[0] = drawMasked(form, operands[0]!, isIndexed);
  }
  return operands;
}

/** Ours as GNU as spells it. {load} and {store} where it would else choose the other of two forms with the same meaning. */
function gnuText(name: Mnemonic, form: Form, operands: readonly x64.Operand[]): string {
  let text = instructionText(name, operands);
  if (form.broadcastUnit > 0) text = text.replace('bcst ', form.broadcastUnit === 4 ? 'dword bcst ' : 'qword bcst ');
  const isVex =
    form.encoding !== 'legacy' &&
    !operands.some((operand) => typeof operand === 'object' && 'isEvex' in operand && operand.isEvex);
  const isOfRegisters = operands.length > 1 && !operands.some((operand) => operand instanceof x64.Memory);
  return isVex && isOfRegisters ? `{load} ${text}` : text;
}

/** Fewer draws where a row has many forms. */
const drawsOf = (forms: readonly Form[]): number => Math.max(3, Math.min(10, Math.ceil(18 / forms.length)));

interface Case {
  readonly text: string;
  readonly gnu: string;
}

function casesOf(names: readonly Mnemonic[]): Case[] {
  const cases = new Map<string, Case>();
  for (const name of names) {
    const forms = formsOf(name);
    for (const form of forms) {
      if (form.accepts.some((accepted) => accepted & (bit.label8 | bit.label32))) continue;
      const draws = form.accepts.length === 0 ? 1 : drawsOf(forms);
      for (let i = 0; i < draws; i++) {
        const operands = drawInstruction(name, form);
        const text = instructionText(name, operands);
        if (isOdd(name, operands)) continue;
        cases.set(text, { text, gnu: gnuText(name, form, operands) });
      }
    }
  }
  return [...cases.values()];
}

/** Where GNU as knows a shorter spelling that we leave out: xchg with rax; and a gather whose registers overlap, which is invalid. */
function isOdd(name: Mnemonic, operands: readonly x64.Operand[]): boolean {
  if (name === 'xchg') return !operands.some((operand) => operand instanceof x64.Memory);
  if (!/gather|scatter/.test(name)) return false;
  const vectors = operands.flatMap((operand) => {
    if (operand instanceof x64.Register) return [operand.index];
    return operand instanceof x64.Memory && operand.index ? [operand.index.index] : [];
  });
  return new Set(vectors).size < vectors.length;
}

const folder = mkdtempSync(join(tmpdir(), 'kiln-golden-'));

/** Each instruction's bytes: the lines of the assembler's own listing say which belong to which. */
function assembleAll(lines: readonly string[]): string[] {
  const source = join(folder, 'golden.s');
  const list = join(folder, 'golden.lst');
  writeFileSync(source, `.intel_syntax noprefix\n${lines.join('\n')}\n`);
  execFileSync(process.env['AS'] ?? 'as', [
    '--64',
    '--listing-lhs-width=8',
    `-aln=${list}`,
    '-o',
    join(folder, 'golden.o'),
    source,
  ]);
  const bytes: string[] = lines.map(() => '');
  for (const line of readFileSync(list, 'utf8').split('\n')) {
    const found = /^ *(\d+) (?:[0-9a-f]{4,} )? *([0-9A-F]+(?: [0-9A-F]+)*)/.exec(line);
    if (found && Number(found[1]) >= 2) bytes[Number(found[1]) - 2] += found[2]!.replaceAll(' ', '').toLowerCase();
  }
  return bytes;
}

function write(file: string, cases: readonly Case[]): void {
  const bytes = assembleAll(cases.map(({ gnu }) => gnu));
  const rows = cases.map(({ text }, i) => `${JSON.stringify(text)}: "${bytes[i]}"`);
  writeFileSync(new URL(`../../tests/golden/x64/${file}.json`, import.meta.url), `{\n${rows.join(',\n')}\n}\n`);
  process.stdout.write(`${file}: ${cases.length} instructions\n`);
}

const vectorNames = Object.keys(vectorInstructions) as (keyof typeof vectorInstructions)[];
const encodings = (name: Mnemonic, encoding: Form['encoding']): boolean =>
  formsOf(name).some((form) => form.encoding === encoding);
write('general', casesOf(Object.keys(generalInstructions) as (keyof typeof generalInstructions)[]));
write('vector', casesOf(vectorNames.filter((name) => encodings(name, 'vex'))));
write('vector-512', casesOf(vectorNames.filter((name) => !encodings(name, 'vex'))));
rmSync(folder, { recursive: true });
