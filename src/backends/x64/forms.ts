import { InternalError } from '../../core/index.js';
import { type GeneralRow, generalInstructions } from './general-instructions.js';
import { operandBits as bit, type VectorKind } from './operands.js';
import { type VectorRow, vectorInstructions } from './vector-instructions.js';

/** Any instruction of the two tables, by its name in Intel's manual. */
export type Mnemonic = keyof typeof generalInstructions | keyof typeof vectorInstructions;

/** One way to encode an instruction, for operands of one size. −1 stands for an operand that it does not have. */
export interface Form {
  readonly encoding: 'legacy' | 'vex' | 'evex';
  /** Sets of `operandBits`, one an operand. */
  readonly accepts: readonly number[];
  /** Legacy: the bytes before REX. */
  readonly prefixes: readonly number[];
  /** Legacy: with its escape bytes. VEX and EVEX: one byte. */
  readonly opcode: readonly number[];
  /** VEX and EVEX: number of the mandatory prefix (none, 66, f3, f2). */
  readonly pp: number;
  /** VEX and EVEX: opcode map (0f, 0f38, 0f3a). */
  readonly map: number;
  readonly w: number;
  /** VEX and EVEX: 0 for 128 bits, 1 for 256, 2 for 512. */
  readonly length: number;
  /** Part of the opcode in ModRM.reg, −1 where a register stands there. */
  readonly digit: number;
  /** Which operand goes where. */
  readonly reg: number;
  readonly rm: number;
  readonly vvvv: number;
  readonly inOpcode: number;
  readonly inImmediate: number;
  readonly immediate: number;
  readonly immediateBytes: number;
  /** EVEX: what a displacement of 8 bits counts in, for memory and for one broadcast element. */
  readonly unit: number;
  readonly broadcastUnit: number;
}

const known = new Map<string, readonly Form[]>();

/** The instruction's forms in the order of preference. Rows are read at first use. */
export function formsOf(name: Mnemonic): readonly Form[] {
  let forms = known.get(name);
  if (!forms) {
    forms =
      name in generalInstructions
        ? generalInstructions[name as keyof typeof generalInstructions].flatMap(readGeneralRow)
        : vectorInstructions[name as keyof typeof vectorInstructions].flatMap(readVectorRow);
    known.set(name, forms);
  }
  return forms;
}

/** A form that is being put together; its fields have no meaning where the encoding has none. */
const emptyForm = {
  encoding: 'legacy' as Form['encoding'],
  accepts: [] as number[],
  prefixes: [] as number[],
  opcode: [] as number[],
  pp: 0,
  map: 0,
  w: 0,
  length: 0,
  digit: -1,
  reg: -1,
  rm: -1,
  vvvv: -1,
  inOpcode: -1,
  inImmediate: -1,
  immediate: -1,
  immediateBytes: 0,
  unit: 1,
  broadcastUnit: 0,
};
type FormDraft = typeof emptyForm;
const draft = (fields: Partial<FormDraft>): FormDraft => ({ ...emptyForm, accepts: [], ...fields });

const prefixBytes = new Set(['66', 'f2', 'f3', 'f0']);

interface RowParts {
  readonly operands: readonly string[];
  readonly code: string[];
  readonly traits: ReadonlySet<string>;
}

function split(row: string): RowParts {
  const [operands = '', code = '', traits = ''] = row.split(/[=;]/);
  const words = (text: string): string[] => text.split(' ').filter((part) => part !== '');
  return { operands: words(operands), code: words(code), traits: new Set(words(traits)) };
}

/** Removes and returns /digit, −1 where there is none. */
function takeDigit(code: string[]): number {
  if (!code.at(-1)?.startsWith('/')) return -1;
  return Number(code.pop()!.slice(1));
}

const generalBits = { b: bit.r8, w: bit.r16, d: bit.r32, q: bit.r64 } as const;
const memoryBits = { b: bit.m8, w: bit.m16, d: bit.m32, q: bit.m64 } as const;
const accumulatorBits = { b: bit.a8, w: 0, d: bit.a32, q: bit.a64 } as const;
const anyMemory = bit.m | bit.m8 | bit.m16 | bit.m32 | bit.m64;
type Size = keyof typeof generalBits;

/** Rows with an operand of size v stand for two forms, of 32 and of 64 bits. */
function readGeneralRow(row: GeneralRow): Form[] {
  const parts = split(row);
  const isOfBothSizes = parts.operands.some((operand) => operand.endsWith('v'));
  const sizes: readonly Size[] = isOfBothSizes ? ['d', 'q'] : [parts.traits.has('w1') ? 'q' : 'd'];
  return sizes.map((size) => readGeneralForm(row, parts, size));
}

function readGeneralForm(row: GeneralRow, { operands, code, traits }: RowParts, v: Size): Form {
  const bytes = code.slice();
  const digit = takeDigit(bytes);
  const firstOpcode = bytes.findIndex((byte) => !prefixBytes.has(byte));
  const numbers = bytes.map((byte) => Number.parseInt(byte, 16));
  const form = draft({
    prefixes: numbers.slice(0, firstOpcode),
    opcode: numbers.slice(firstOpcode),
    digit,
    w: v === 'q' && !traits.has('w0') ? 1 : 0,
  });
  const sizeOf = (operand: string): Size => (operand[1] === 'v' ? v : (operand[1] as Size));
  const others = (at: number): string[] => operands.filter((operand, i) => i !== at && /^[GOA]/.test(operand));
  operands.forEach((operand, i) => {
    const size = sizeOf(operand);
    switch (operand[0]) {
      case 'G':
        form.reg = i;
        form.accepts.push(generalBits[size]);
        break;
      case 'E':
        form.rm = i;
        // the size of memory is known where a register has the same
        form.accepts.push(
          generalBits[size] | memoryBits[size] | (others(i).some((other) => sizeOf(other) === size) ? bit.m : 0),
        );
        break;
      case 'M':
        form.rm = i;
        form.accepts.push(
          operand.length === 1
            ? anyMemory
            : memoryBits[size] | (others(i).some((other) => sizeOf(other) === size) ? bit.m : 0),
        );
        break;
      case 'O':
        form.inOpcode = i;
        form.accepts.push(generalBits[size]);
        break;
      case 'A':
        form.accepts.push(accumulatorBits[size]);
        break;
      case 'C':
        form.accepts.push(bit.cl);
        break;
      default: {
        const [accepted, length] = immediateOf(row, operand, v);
        form.accepts.push(accepted);
        form.immediate = i;
        form.immediateBytes = length;
      }
    }
  });
  return form;
}

/** What an immediate or label accepts, and its bytes. */
function immediateOf(row: string, operand: string, v: Size): readonly [number, number] {
  switch (operand) {
    case 'Is':
      return [bit.signed8, 1];
    case 'Iu':
      return [bit.unsigned8, 1];
    case 'Ib':
      return [bit.signed8 | bit.unsigned8, 1];
    case 'Iz':
      return [v === 'q' ? bit.signed32 : bit.unsigned32, 4];
    case 'Iq':
      return [bit.any64, 8];
    case 'J8':
      return [bit.label8, 1];
    case 'J32':
      return [bit.label32, 4];
    default:
      throw new InternalError(`x64 assembler: what is ${operand} in "${row}"?`);
  }
}

const kinds: readonly VectorKind[] = ['xmm', 'ymm', 'zmm'];
const mandatoryPrefixes = ['', '66', 'f3', 'f2'];
const opcodeMaps = ['', '0f', '0f38', '0f3a'];

/** One form for each length and encoding that the row has. */
function readVectorRow(row: VectorRow): Form[] {
  const parts = split(row);
  const { traits, operands } = parts;
  const isOfAllLengths = operands.some((operand) => /^[VHWUMSL][hqe]?$/.test(operand));
  const said = [128, 256, 512].filter((bits) => traits.has(`l${bits}`));
  const lengths = said.length > 0 ? said : isOfAllLengths ? [128, 256, 512] : [128];
  const forms: Form[] = [];
  for (const encoding of ['vex', 'evex'] as const) {
    if (traits.has(encoding === 'vex' ? 'evex' : 'vex')) continue;
    for (const bits of lengths) {
      if (encoding === 'vex' && bits === 512) continue;
      forms.push(readVectorForm(row, parts, encoding, bits));
    }
  }
  return forms;
}

function readVectorForm(
  row: VectorRow,
  { operands, code, traits }: RowParts,
  encoding: 'vex' | 'evex',
  bits: number,
): Form {
  const rest = code.slice();
  const digit = takeDigit(rest);
  const opcode = Number.parseInt(rest.pop()!, 16);
  const map = opcodeMaps.indexOf(rest.pop()!);
  const pp = mandatoryPrefixes.indexOf(rest.pop() ?? '');
  if (map < 1 || pp < 0 || Number.isNaN(opcode)) throw new InternalError(`x64 assembler: cannot read the row "${row}"`);
  const isWide = traits.has('w1') || (encoding === 'evex' && (traits.has('b64') || traits.has('evex.w1')));
  const broadcastUnit = encoding === 'vex' ? 0 : traits.has('b32') ? 4 : traits.has('b64') ? 8 : 0;
  const form = draft({
    encoding,
    opcode: [opcode],
    pp,
    map,
    w: isWide ? 1 : 0,
    length: bits === 512 ? 2 : bits === 256 ? 1 : 0,
    digit,
    broadcastUnit,
  });
  operands.forEach((operand, i) => readVectorOperand(form, row, operand, i, bits));
  return form;
}

function readVectorOperand(form: FormDraft, row: VectorRow, operand: string, at: number, bits: number): void {
  const [letter, suffix = ''] = [operand[0]!, operand.slice(1)];
  const shift = { h: 1, q: 2, e: 3 }[suffix] ?? 0;
  const kind = suffix[0] === 'x' ? 0 : suffix[0] === 'y' ? 1 : suffix[0] === 'z' ? 2 : Math.max(0, form.length - shift);
  const register = bit[kinds[kind]!];
  const memoryBytes = Number(/\d+$/.exec(suffix)?.[0] ?? bits / 8 / 2 ** shift);
  switch (letter) {
    case 'V':
      form.reg = at;
      form.accepts.push(register);
      break;
    case 'H':
      form.vvvv = at;
      form.accepts.push(register);
      break;
    case 'L':
      form.inImmediate = at;
      form.immediateBytes = 1;
      form.accepts.push(register);
      break;
    case 'W':
    case 'M':
    case 'U':
      form.rm = at;
      form.unit = memoryBytes;
      form.accepts.push(
        (letter === 'M' ? 0 : register) |
          (letter === 'U' ? 0 : bit.m) |
          (letter === 'W' && form.broadcastUnit > 0 ? bit.broadcast : 0),
      );
      break;
    case 'S':
      form.rm = at;
      form.unit = 4;
      form.accepts.push(bit[`${kinds[kind]!}Indexed`]);
      break;
    case 'K':
      if (suffix === 'H') form.vvvv = at;
      else if (suffix.startsWith('W')) form.rm = at;
      else form.reg = at;
      form.accepts.push(bit.k | (suffix.startsWith('W') && suffix.length > 1 ? bit.m : 0));
      break;
    case 'G':
      form.reg = at;
      form.accepts.push(generalBits[suffix as Size]);
      break;
    case 'R':
      form.rm = at;
      form.accepts.push(generalBits[suffix as Size]);
      break;
    case 'E':
      form.rm = at;
      form.unit = suffix === 'q' ? 8 : suffix === 'd' ? 4 : suffix === 'w' ? 2 : 1;
      // byte and word lanes move through the low bits of a 32-bit register
      form.accepts.push((suffix === 'q' ? bit.r64 : bit.r32) | bit.m);
      break;
    case 'I':
      form.immediate = at;
      form.immediateBytes = 1;
      form.accepts.push(bit.unsigned8);
      break;
    default:
      throw new InternalError(`x64 assembler: what is ${operand} in "${row}"?`);
  }
}
