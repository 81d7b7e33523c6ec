/** An assembler of x86-64 machine code: instructions by name, labels, a pool of constants; bytes and a readable listing. */
import { InternalError } from '../../core/index.js';
import { CodeBuffer } from './code-buffer.js';
import { encode, type Fixup } from './encoder.js';
import { type Form, formsOf, type Mnemonic } from './forms.js';
import {
  type GeneralRegister,
  immediateBits,
  Label,
  low32,
  Memory,
  mem,
  type Operand,
  operandBits,
} from './operands.js';

export type { Mnemonic } from './forms.js';
export { listing } from './listing.js';
export * from './operands.js';

/** What the listing shows, in the order of the code. */
export type Entry =
  | { readonly kind: 'instruction'; readonly name: Mnemonic; readonly operands: readonly Operand[] }
  | { readonly kind: 'label'; readonly label: Label }
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: 'constant'; readonly label: Label; readonly bytes: Uint8Array };

/** Predicates of vcmpps and its kin that raise nothing for quiet NaNs; `un` are true when a side is NaN. */
export const comparisons = {
  ...{ equal: 0, less: 17, lessOrEqual: 18, unordered: 3 },
  ...{ notEqualUnordered: 4, notLessUnordered: 21, notLessOrEqualUnordered: 22, ordered: 7 },
  ...{ notEqual: 12, greaterOrEqual: 29, greater: 30 },
} as const;

/** Predicates of vpcmpd. */
export const integerComparisons = {
  ...{ equal: 0, less: 1, lessOrEqual: 2, notEqual: 4, greaterOrEqual: 5, greater: 6 },
} as const;

/** Operands of vroundps and vrndscaleps: to an integer, without raising "inexact". */
export const roundings = { nearest: 8, down: 9, up: 10, towardsZero: 11 } as const;

/** Code being built. It runs wherever it is put, since all it addresses in itself is relative. Methods return the assembler. */
export class Assembler {
  readonly entries: Entry[] = [];
  readonly #code = new CodeBuffer();
  readonly #fixups: Fixup[] = [];
  readonly #constants = new Map<
    string,
    { readonly label: Label; readonly bytes: Uint8Array; readonly align: number }
  >();
  #labels = 0;
  #isFinished = false;

  /** Bytes so far. */
  get length(): number {
    return this.#code.length;
  }

  /**
   * Appends an instruction: `op('vaddps', ymm(0), ymm(1), mem(rdi, 32))`, destination first as in Intel's manual.
   *
   * @throws InternalError when no form of the instruction takes the operands
   */
  op(name: Mnemonic, ...operands: readonly Operand[]): this {
    encode(this.#code, this.#form(name, operands), operands, this.#fixups);
    this.entries.push({ kind: 'instruction', name, operands });
    return this;
  }

  /** A label to bind later. `isShort` promises that jumps to it from before it stay within 127 bytes. */
  label(name?: string, { isShort = false }: { readonly isShort?: boolean } = {}): Label {
    return new Label(name ?? `L${this.#labels++}`, isShort);
  }

  /** The label is the next instruction. */
  bind(label: Label): this {
    if (label.offset >= 0) throw new InternalError(`x64 assembler: label ${label} is bound twice`);
    label.offset = this.#code.length;
    this.entries.push({ kind: 'label', label });
    return this;
  }

  /** A label that is the next instruction. */
  here(name?: string): Label {
    const label = this.label(name);
    this.bind(label);
    return label;
  }

  /** Fills up with instructions that do nothing until the offset is a multiple of `bytes`: for heads of hot loops. */
  align(bytes: number): this {
    let missing = -this.#code.length & (bytes - 1);
    while (missing > 0) {
      const filler = fillers[Math.min(missing, fillers.length) - 1]!;
      this.#code.raw(filler);
      missing -= filler.length;
    }
    return this;
  }

  /** The register becomes that number, in the shortest way that leaves the flags alone. */
  set(target: GeneralRegister, value: number | bigint): this {
    if (value >= 0 && value <= 0xffffffff) return this.op('mov', low32(target), value);
    return this.op('mov', target, value);
  }

  /** Memory with these bytes, behind the code; equal ones are there once. */
  constant(data: ArrayBufferView, align = data.byteLength): Memory {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = `${align}:${bytes.join()}`;
    let constant = this.#constants.get(key);
    if (!constant) {
      constant = { label: this.label(`constant${this.#constants.size}`), bytes: bytes.slice(), align };
      this.#constants.set(key, constant);
    }
    return mem(constant.label);
  }

  /** One float32 in memory: for scalars, vbroadcastss and `broadcast`. */
  float32(value: number): Memory {
    return this.constant(Float32Array.of(value));
  }

  int32(value: number): Memory {
    return this.constant(Int32Array.of(value));
  }

  /** A remark that only the listing shows. */
  comment(text: string): this {
    this.entries.push({ kind: 'comment', text });
    return this;
  }

  /** The bytes, constants included. Labels then have their final offsets; nothing can be appended any more. */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#isFinished) throw new InternalError('x64 assembler: finished twice');
    this.#isFinished = true;
    const code = this.#code;
    const constants = [...this.#constants.values()].sort((a, b) => b.align - a.align);
    for (const { label, bytes, align } of constants) {
      const gap = -code.length & (align - 1);
      code.raw(new Uint8Array(gap).fill(0xcc));
      label.offset = code.length;
      code.raw(bytes);
      this.entries.push({ kind: 'constant', label, bytes });
    }
    for (const fixup of this.#fixups) this.#resolve(fixup);
    return code.bytes.slice(0, code.length);
  }

  #resolve({ label, at, bytes, addend }: Fixup): void {
    if (label.offset < 0) throw new InternalError(`x64 assembler: label ${label} is used and never bound`);
    const distance = label.offset + addend - at;
    if (bytes === 4) {
      this.#code.patch32(at, distance);
    } else {
      if (distance < -128 || distance > 127) {
        throw new InternalError(`x64 assembler: a jump to the short label ${label} goes ${distance} bytes`);
      }
      this.#code.bytes[at] = distance;
    }
  }

  /** The first form that takes the operands. */
  #form(name: Mnemonic, operands: readonly Operand[]): Form {
    const count = operands.length;
    let isEvex = false;
    for (const operand of operands) {
      if (typeof operand === 'object' && !(operand instanceof Label) && operand.isEvex) isEvex = true;
    }
    for (const form of formsOf(name)) {
      const { accepts } = form;
      if (accepts.length !== count || (isEvex && form.encoding !== 'evex')) continue;
      let i = 0;
      while (i < count && (this.#bitsOf(operands[i]!) & accepts[i]!) !== 0) i++;
      if (i === count) {
        if (isEvex) checkMasks(name, operands);
        return form;
      }
    }
    throw new InternalError(`x64 assembler: ${name} does not take the operands ${operands.join(', ') || '(none)'}`);
  }

  #bitsOf(operand: Operand): number {
    if (typeof operand !== 'object') return immediateBits(operand);
    return operand instanceof Label ? this.#labelBits(operand) : operand.bits;
  }

  /** A short jump is two bytes long; its distance counts from its end. */
  #labelBits(label: Label): number {
    const isNear = label.offset < 0 ? label.isShort : label.offset - (this.#code.length + 2) >= -128;
    return operandBits.label32 | (isNear ? operandBits.label8 : 0);
  }
}

function checkMasks(name: Mnemonic, operands: readonly Operand[]): void {
  operands.forEach((operand, i) => {
    if (typeof operand !== 'object' || operand instanceof Label || !operand.mask) return;
    if (i > 0)
      throw new InternalError(`x64 assembler: ${name}: only the destination can be masked: got ${operands.join(', ')}`);
    if (operand.masking === 'zero' && (operand instanceof Memory || operand.kind === 'k')) {
      throw new InternalError(`x64 assembler: ${name}: ${operand} can only be masked by merging`);
    }
  });
}

/** Instructions without effect of 1 … 9 bytes, as Intel recommends them (SDM volume 2, NOP). */
const fillers = [
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
].map((bytes) => Uint8Array.from(bytes));
