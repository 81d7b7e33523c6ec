import { InternalError } from '../../core/index.js';
import type { CodeBuffer } from './code-buffer.js';
import type { Form } from './forms.js';
import { Label, Memory, type Operand, type Register } from './operands.js';

/** A distance that is written when its label is bound. */
export interface Fixup {
  readonly label: Label;
  readonly at: number;
  readonly bytes: 1 | 4;
  /** Distances count from the end of their instruction: target = label + addend − at. */
  readonly addend: number;
}

/** No instruction is longer. */
export const longestInstruction = 15;

/**
 * Writes one instruction. Three encodings (Intel SDM volume 2, chapter 2): legacy with a REX prefix where registers 8–15,
 * 64 bits or spl … dil need one; VEX of two or three bytes; EVEX of four.
 */
export function encode(code: CodeBuffer, form: Form, operands: readonly Operand[], fixups: Fixup[]): void {
  code.reserve(longestInstruction);
  if (form.encoding === 'legacy') writeLegacyHead(code, form, operands);
  else if (form.encoding === 'vex') writeVexHead(code, form, operands);
  else writeEvexHead(code, form, operands);
  if (form.rm >= 0) writeModRm(code, form, operands, fixups);
  writeImmediate(code, form, operands, fixups);
}

const registerIndex = (operands: readonly Operand[], at: number): number =>
  at < 0 ? 0 : (operands[at] as Register).index;

function baseIndex(rm: Operand | undefined): number {
  if (!(rm instanceof Memory)) return rm === undefined ? 0 : (rm as Register).index;
  return rm.base instanceof Label ? 0 : rm.base.index;
}

function indexOfIndex(rm: Operand | undefined): number {
  return rm instanceof Memory && rm.index ? rm.index.index : 0;
}

function writeLegacyHead(code: CodeBuffer, form: Form, operands: readonly Operand[]): void {
  for (const prefix of form.prefixes) code.byte(prefix);
  const rm = form.rm < 0 ? undefined : operands[form.rm];
  const base = form.inOpcode >= 0 ? registerIndex(operands, form.inOpcode) : baseIndex(rm);
  const high = ((registerIndex(operands, form.reg) >> 3) << 2) | ((indexOfIndex(rm) >> 3) << 1) | (base >> 3);
  const rex = (form.w << 3) | high;
  if (rex !== 0 || operands.some(isNewByteRegister)) code.byte(0x40 | rex);
  const last = form.opcode.length - 1;
  for (let i = 0; i < last; i++) code.byte(form.opcode[i]!);
  code.byte(form.opcode[last]! + (form.inOpcode >= 0 ? base & 7 : 0));
}

/** spl, bpl, sil, dil: without a REX prefix the numbers mean ah … bh. */
const isNewByteRegister = (operand: Operand): boolean =>
  typeof operand === 'object' && 'kind' in operand && operand.kind === 'r8' && operand.index > 3 && operand.index < 8;

// all register bits in VEX and EVEX prefixes are stored inverted

function writeVexHead(code: CodeBuffer, form: Form, operands: readonly Operand[]): void {
  const rm = form.rm < 0 ? undefined : operands[form.rm];
  const r = (~registerIndex(operands, form.reg) >> 3) & 1;
  const x = (~indexOfIndex(rm) >> 3) & 1;
  const b = (~baseIndex(rm) >> 3) & 1;
  const low = ((~registerIndex(operands, form.vvvv) & 15) << 3) | (form.length << 2) | form.pp;
  if (x === 1 && b === 1 && form.w === 0 && form.map === 1) {
    code.byte(0xc5);
    code.byte((r << 7) | low);
  } else {
    code.byte(0xc4);
    code.byte((r << 7) | (x << 6) | (b << 5) | form.map);
    code.byte((form.w << 7) | low);
  }
  code.byte(form.opcode[0]!);
}

function writeEvexHead(code: CodeBuffer, form: Form, operands: readonly Operand[]): void {
  const rm = operands[form.rm];
  const isMemory = rm instanceof Memory;
  const reg = registerIndex(operands, form.reg);
  const base = baseIndex(rm);
  const index = indexOfIndex(rm);
  const vvvv = registerIndex(operands, form.vvvv);
  // a register in ModRM.rm has its bit 4 in X; a vector of indices its bit 4 in V'
  const x = isMemory ? index >> 3 : base >> 4;
  const v = (vvvv | (isMemory ? index : 0)) >> 4;
  const { mask, masking } = operands[0] as Register | Memory;
  if (!mask && isMemory && rm.index && rm.index.kind !== 'r64') {
    throw new InternalError(`x64 assembler: gathers and scatters need a mask: got ${operands.join(', ')}`);
  }
  code.byte(0x62);
  code.byte(
    (((~reg >> 3) & 1) << 7) | ((~x & 1) << 6) | (((~base >> 3) & 1) << 5) | (((~reg >> 4) & 1) << 4) | form.map,
  );
  code.byte((form.w << 7) | ((~vvvv & 15) << 3) | 4 | form.pp);
  code.byte(
    ((masking === 'zero' ? 1 : 0) << 7) |
      (form.length << 5) |
      ((isMemory && rm.isBroadcast ? 1 : 0) << 4) |
      ((~v & 1) << 3) |
      (mask ? mask.index : 0),
  );
  code.byte(form.opcode[0]!);
}

function writeModRm(code: CodeBuffer, form: Form, operands: readonly Operand[], fixups: Fixup[]): void {
  const rm = operands[form.rm]!;
  const reg = (form.digit >= 0 ? form.digit : registerIndex(operands, form.reg) & 7) << 3;
  if (!(rm instanceof Memory)) {
    code.byte(0xc0 | reg | ((rm as Register).index & 7));
    return;
  }
  const { base, index, offset } = rm;
  if (base instanceof Label) {
    code.byte(reg | 5);
    fixups.push({ label: base, at: code.length, bytes: 4, addend: offset - 4 - form.immediateBytes });
    code.int32(0);
    return;
  }
  const low = base.index & 7;
  // EVEX counts a displacement of one byte in units of the access
  const unit = form.encoding === 'evex' ? (rm.isBroadcast ? form.broadcastUnit : form.unit) : 1;
  const compressed = offset / unit;
  // rbp and r13 have no form without displacement: that number means rip there
  const mod =
    offset === 0 && low !== 5
      ? 0
      : compressed >= -128 && compressed <= 127 && Number.isInteger(compressed)
        ? 0x40
        : 0x80;
  if (index) {
    code.byte(mod | reg | 4);
    code.byte((scaleBits(rm.scale) << 6) | ((index.index & 7) << 3) | low);
  } else if (low === 4) {
    // rsp and r12 mean "a SIB byte follows"
    code.byte(mod | reg | 4);
    code.byte(0x24);
  } else {
    code.byte(mod | reg | low);
  }
  if (mod === 0x40) code.byte(compressed);
  else if (mod === 0x80) code.int32(offset);
}

const scaleBits = (scale: number): number => 31 - Math.clz32(scale);

function writeImmediate(code: CodeBuffer, form: Form, operands: readonly Operand[], fixups: Fixup[]): void {
  if (form.inImmediate >= 0) {
    code.byte(registerIndex(operands, form.inImmediate) << 4);
    return;
  }
  if (form.immediate < 0) return;
  const value = operands[form.immediate]!;
  if (value instanceof Label) {
    const bytes = form.immediateBytes as 1 | 4;
    fixups.push({ label: value, at: code.length, bytes, addend: -bytes });
    if (bytes === 1) code.byte(0);
    else code.int32(0);
  } else if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new InternalError('x64 assembler: an immediate is neither a number nor a label');
  } else if (form.immediateBytes === 1) {
    code.byte(Number(value));
  } else if (form.immediateBytes === 4) {
    code.int32(Number(value));
  } else {
    code.int64(BigInt(value));
  }
}
