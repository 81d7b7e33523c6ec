import { InternalError } from '../../core/index.js';

export type RegisterKind = 'r8' | 'r16' | 'r32' | 'r64' | 'xmm' | 'ymm' | 'zmm' | 'k';

/** What an operand can be, one bit each: a form of an instruction accepts a set of them. */
export const operandBits = {
  r8: 1 << 0,
  r16: 1 << 1,
  r32: 1 << 2,
  r64: 1 << 3,
  /** al, eax, rax: some instructions have a shorter form for them. */
  a8: 1 << 4,
  a32: 1 << 5,
  a64: 1 << 6,
  cl: 1 << 7,
  xmm: 1 << 8,
  ymm: 1 << 9,
  zmm: 1 << 10,
  k: 1 << 11,
  /** Memory whose size was said, by `byte()` … `qword()`. */
  m8: 1 << 12,
  m16: 1 << 13,
  m32: 1 << 14,
  m64: 1 << 15,
  /** Memory whose size follows from the instruction or its registers. */
  m: 1 << 16,
  /** One element of memory for all lanes. */
  broadcast: 1 << 17,
  /** Memory with a vector of indices. */
  xmmIndexed: 1 << 18,
  ymmIndexed: 1 << 19,
  zmmIndexed: 1 << 20,
  signed8: 1 << 21,
  unsigned8: 1 << 22,
  signed32: 1 << 23,
  unsigned32: 1 << 24,
  any64: 1 << 25,
  label8: 1 << 26,
  label32: 1 << 27,
} as const;

const names8 = 'al cl dl bl spl bpl sil dil'.split(' ');
const names = 'ax cx dx bx sp bp si di'.split(' ');

function nameOf(kind: RegisterKind, index: number): string {
  switch (kind) {
    case 'r8':
      return names8[index] ?? `r${index}b`;
    case 'r16':
      return names[index] ?? `r${index}w`;
    case 'r32':
      return index < 8 ? `e${names[index]}` : `r${index}d`;
    case 'r64':
      return index < 8 ? `r${names[index]}` : `r${index}`;
    default:
      return `${kind}${index}`;
  }
}

function bitsOf(kind: RegisterKind, index: number): number {
  const bits = operandBits[kind];
  if (kind === 'r8' && index < 2) return bits | (index === 0 ? operandBits.a8 : operandBits.cl);
  if (kind === 'r32' && index === 0) return bits | operandBits.a32;
  if (kind === 'r64' && index === 0) return bits | operandBits.a64;
  return bits;
}

/** Lanes that a masked destination does not write keep their value ('merge') or become zero. */
export type Masking = 'merge' | 'zero';

export class Register<Kind extends RegisterKind = RegisterKind> {
  readonly bits: number;
  /** Whether only EVEX can encode the operand. */
  readonly isEvex: boolean;
  readonly kind: Kind;
  /** Number as encoded: rax is 0, rsp 4, r8 8. */
  readonly index: number;
  readonly mask: MaskRegister | undefined;
  readonly masking: Masking;

  constructor(kind: Kind, index: number, mask?: MaskRegister, masking: Masking = 'merge') {
    this.kind = kind;
    this.index = index;
    this.bits = bitsOf(kind, index);
    this.isEvex = index > 15 || mask !== undefined;
    this.mask = mask;
    this.masking = masking;
  }

  toString(): string {
    return nameOf(this.kind, this.index) + maskText(this);
  }
}

export type GeneralRegister = Register<'r64'>;
export type VectorKind = 'xmm' | 'ymm' | 'zmm';
export type VectorRegister = Register<VectorKind>;
export type MaskRegister = Register<'k'>;

function maskText({ mask, masking }: { readonly mask: MaskRegister | undefined; readonly masking: Masking }): string {
  return mask ? `{k${mask.index}}${masking === 'zero' ? '{z}' : ''}` : '';
}

/** A place in the code, bound once; jumps to it may stand before. */
export class Label {
  readonly name: string;
  /** Jumps to it from before it are two bytes long and reach 127 bytes. */
  readonly isShort: boolean;
  /** Offset in the code, −1 until it is bound. */
  offset = -1;

  constructor(name: string, isShort: boolean) {
    this.name = name;
    this.isShort = isShort;
  }

  toString(): string {
    return this.name;
  }
}

/** [base + index · scale + offset]; or, with a label, the bytes there + offset, wherever the code lies. */
export class Memory {
  readonly bits: number;
  readonly isEvex: boolean;
  readonly base: GeneralRegister | Label;
  readonly index: Register | undefined;
  readonly scale: number;
  readonly offset: number;
  readonly isBroadcast: boolean;
  readonly mask: MaskRegister | undefined;
  readonly masking = 'merge';

  constructor(
    bits: number,
    base: GeneralRegister | Label,
    index: Register | undefined,
    scale: number,
    offset: number,
    mask?: MaskRegister,
  ) {
    this.bits = bits;
    this.base = base;
    this.index = index;
    this.scale = scale;
    this.offset = offset;
    this.isBroadcast = bits === operandBits.broadcast;
    this.mask = mask;
    this.isEvex = this.isBroadcast || mask !== undefined || (index !== undefined && index.index > 15);
  }

  /** The memory `bytes` further on. */
  plus(bytes: number): Memory {
    return checkedMemory(this.bits, this.base, this.index, this.scale, this.offset + bytes, this.mask);
  }

  toString(): string {
    const { base, index, scale, offset } = this;
    const sum = [base instanceof Label ? `rip+${base}` : `${base}`];
    if (index) sum.push(`${index}*${scale}`);
    const sign = offset < 0 ? '-' : '+';
    const address = `[${sum.join('+')}${offset === 0 ? '' : sign + Math.abs(offset)}]`;
    return (sizeNames.get(this.bits) ?? '') + address + maskText(this);
  }
}

const sizeNames = new Map<number, string>([
  [operandBits.m8, 'byte ptr '],
  [operandBits.m16, 'word ptr '],
  [operandBits.m32, 'dword ptr '],
  [operandBits.m64, 'qword ptr '],
  [operandBits.broadcast, 'bcst '],
]);

export type Operand = Register | Memory | Label | number | bigint;

const registers = <Kind extends RegisterKind>(kind: Kind, count: number): readonly Register<Kind>[] =>
  Array.from({ length: count }, (_, index) => new Register(kind, index));

const all = {
  r8: registers('r8', 16),
  r16: registers('r16', 16),
  r32: registers('r32', 16),
  r64: registers('r64', 16),
  xmm: registers('xmm', 32),
  ymm: registers('ymm', 32),
  zmm: registers('zmm', 32),
  k: registers('k', 8),
} as const;

/** The register of that kind and number: `register('zmm', 17)`. */
export function register<Kind extends RegisterKind>(kind: Kind, index: number): Register<Kind> {
  const found = all[kind][index];
  if (!found) throw new InternalError(`x64 assembler: there is no register ${kind} ${index}`);
  return found as Register<Kind>;
}

export const xmm = (index: number): Register<'xmm'> => register('xmm', index);
export const ymm = (index: number): Register<'ymm'> => register('ymm', index);
export const zmm = (index: number): Register<'zmm'> => register('zmm', index);
export const k = (index: number): MaskRegister => register('k', index);

type Sixteen<T> = readonly [...Four<T>, ...Four<T>, ...Four<T>, ...Four<T>];
type Four<T> = readonly [T, T, T, T];

export const [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15] =
  all.r64 as Sixteen<GeneralRegister>;
export const [eax, ecx, edx, ebx, esp, ebp, esi, edi, r8d, r9d, r10d, r11d, r12d, r13d, r14d, r15d] =
  all.r32 as Sixteen<Register<'r32'>>;

/** The low bits of a general register; writing 32 of them clears the other 32. */
export const low32 = ({ index }: Register): Register<'r32'> => register('r32', index);
export const low16 = ({ index }: Register): Register<'r16'> => register('r16', index);
export const low8 = ({ index }: Register): Register<'r8'> => register('r8', index);

function checkedMemory(
  bits: number,
  base: GeneralRegister | Label,
  index: Register | undefined,
  scale: number,
  offset: number,
  mask?: MaskRegister,
): Memory {
  if (!Number.isInteger(offset) || offset < -0x80000000 || offset > 0x7fffffff) {
    throw new InternalError(`x64 assembler: an offset is a signed 32-bit integer: got ${offset}`);
  }
  return new Memory(bits, base, index, scale, offset, mask);
}

/** Memory at a register or label. The size follows from the instruction; where it does not, say it: `dword(mem(rax))`. */
export function mem(base: GeneralRegister | Label, offset = 0): Memory {
  return checkedMemory(operandBits.m, base, undefined, 1, offset);
}

/** Memory at base + index · scale + offset. With a vector as index, for gathers: one address a lane. */
export function indexed(
  base: GeneralRegister,
  index: GeneralRegister | VectorRegister,
  scale: 1 | 2 | 4 | 8 = 1,
  offset = 0,
): Memory {
  if (index.kind === 'r64') {
    if (index.index === 4) throw new InternalError('x64 assembler: rsp cannot be an index');
    return checkedMemory(operandBits.m, base, index, scale, offset);
  }
  return checkedMemory(operandBits[`${index.kind}Indexed`], base, index, scale, offset);
}

const withBits = ({ base, index, scale, offset, mask }: Memory, bits: number): Memory =>
  new Memory(bits, base, index, scale, offset, mask);

export const byte = (memory: Memory): Memory => withBits(memory, operandBits.m8);
export const word = (memory: Memory): Memory => withBits(memory, operandBits.m16);
export const dword = (memory: Memory): Memory => withBits(memory, operandBits.m32);
export const qword = (memory: Memory): Memory => withBits(memory, operandBits.m64);

/** One element of memory as an operand of all lanes ({1to16} …), AVX-512 only. */
export const broadcast = (memory: Memory): Memory => withBits(memory, operandBits.broadcast);

/** A destination of which only the lanes in `mask` are written, AVX-512 only. */
export function masked<Target extends VectorRegister | MaskRegister | Memory>(
  target: Target,
  mask: MaskRegister,
  masking: Masking = 'merge',
): Target {
  if (mask.index === 0) throw new InternalError('x64 assembler: k0 as a mask means no mask');
  if (target instanceof Memory) {
    if (masking === 'zero') throw new InternalError('x64 assembler: memory cannot be masked with zeros');
    const { bits, base, index, scale, offset } = target;
    return new Memory(bits, base, index, scale, offset, mask) as Target;
  }
  return new Register(target.kind, target.index, mask, masking) as Target;
}

/** What bits an immediate fits. 2^31 … 2^32 − 1 are the unsigned spelling of 32 bits. */
export function immediateBits(value: number | bigint): number {
  const { signed8, unsigned8, signed32, unsigned32, any64 } = operandBits;
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return 0;
  if (value >= -0x80000000 && value <= 0xffffffff) {
    let bits: number = any64 | (value <= 0x7fffffff ? signed32 | unsigned32 : unsigned32);
    if (value >= -128 && value <= 127) bits |= signed8;
    if (value >= 0 && value <= 255) bits |= unsigned8;
    return bits;
  }
  return value >= -(2n ** 63n) && value < 2n ** 64n ? any64 : 0;
}
