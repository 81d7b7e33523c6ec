/**
 * Instructions on general registers (Intel SDM volume 2), as "operands = code". First row that takes the operands wins.
 *
 * Operands: G register in ModRM.reg · E register or memory in ModRM.rm · M memory · O register in the opcode · A al, eax,
 * rax · C cl · Is, Iu, Ib one byte (signed, unsigned, either) · Iz 32 bits · Iq 64 bits · J8, J32 label.
 * Sizes: b 8, w 16, d 32, q 64 bits, v both 32 and 64. Traits: w0 no REX.W although 64 bits are the only size.
 */
export type GeneralRow = string;
type Rows = readonly GeneralRow[];

/** Condition codes by their number; names after the slash mean the same. */
const conditions = {
  ...{ o: 0, no: 1, b: 2, ae: 3, e: 4, ne: 5, be: 6, a: 7, s: 8, ns: 9, p: 10, np: 11, l: 12, ge: 13, le: 14, g: 15 },
} as const;
export type Condition = keyof typeof conditions;

const hex = (value: number): string => value.toString(16).padStart(2, '0');

/** One instruction a condition: `je`, `setl`, `cmovae` … */
function conditional<const Prefix extends string>(
  prefix: Prefix,
  rows: (code: number) => Rows,
): Record<`${Prefix}${Condition}`, Rows> {
  return Object.fromEntries(
    Object.entries(conditions).map(([condition, code]) => [prefix + condition, rows(code)]),
  ) as Record<`${Prefix}${Condition}`, Rows>;
}

/** add, or, and, sub, xor, cmp: eight opcodes each, by `number`. */
const arithmetic = (number: number): Rows => {
  const code = (offset: number): string => hex(number * 8 + offset);
  return [
    `Eb Gb = ${code(0)}`,
    `Ev Gv = ${code(1)}`,
    `Gb Eb = ${code(2)}`,
    `Gv Ev = ${code(3)}`,
    `Ab Ib = ${code(4)}`,
    `Eb Ib = 80 /${number}`,
    `Ev Is = 83 /${number}`,
    `Av Iz = ${code(5)}`,
    `Ev Iz = 81 /${number}`,
  ];
};

const shift = (digit: number): Rows => [`Ev Iu = c1 /${digit}`, `Ev C = d3 /${digit}`];
const unary = (digit: number): Rows => [`Eb = f6 /${digit}`, `Ev = f7 /${digit}`];

export const generalInstructions = {
  mov: [
    'Eb Gb = 88',
    'Ew Gw = 66 89',
    'Ev Gv = 89',
    'Gb Eb = 8a',
    'Gw Ew = 66 8b',
    'Gv Ev = 8b',
    'Ob Ib = b0',
    'Eb Ib = c6 /0',
    'Od Iz = b8',
    'Ev Iz = c7 /0',
    'Oq Iq = b8; w1',
  ],
  movzx: ['Gv Eb = 0f b6', 'Gv Ew = 0f b7'],
  movsx: ['Gv Eb = 0f be', 'Gv Ew = 0f bf'],
  movsxd: ['Gq Ed = 63; w1'],
  lea: ['Gv M = 8d'],
  xchg: ['Eb Gb = 86', 'Ev Gv = 87'],
  push: ['Oq = 50; w0', 'Is = 6a', 'Iz = 68; w1 w0'],
  pop: ['Oq = 58; w0'],
  ...conditional('cmov', (code) => [`Gv Ev = 0f ${hex(0x40 + code)}`]),
  ...conditional('set', (code) => [`Eb = 0f ${hex(0x90 + code)} /0`]),

  add: arithmetic(0),
  or: arithmetic(1),
  and: arithmetic(4),
  sub: arithmetic(5),
  xor: arithmetic(6),
  cmp: arithmetic(7),
  test: ['Eb Gb = 84', 'Ev Gv = 85', 'Ab Ib = a8', 'Av Iz = a9', 'Eb Ib = f6 /0', 'Ev Iz = f7 /0'],
  inc: ['Eb = fe /0', 'Ev = ff /0'],
  dec: ['Eb = fe /1', 'Ev = ff /1'],
  not: unary(2),
  neg: unary(3),
  mul: unary(4),
  div: unary(6),
  idiv: unary(7),
  imul: ['Gv Ev = 0f af', 'Gv Ev Is = 6b', 'Gv Ev Iz = 69', 'Ev = f7 /5'],
  cdq: ['= 99'],
  cqo: ['= 99; w1'],
  rol: shift(0),
  ror: shift(1),
  shl: shift(4),
  shr: shift(5),
  sar: shift(7),
  bt: ['Ev Gv = 0f a3', 'Ev Iu = 0f ba /4'],
  bsf: ['Gv Ev = 0f bc'],
  bsr: ['Gv Ev = 0f bd'],
  popcnt: ['Gv Ev = f3 0f b8'],
  tzcnt: ['Gv Ev = f3 0f bc'],
  lzcnt: ['Gv Ev = f3 0f bd'],

  ...conditional('j', (code) => [`J8 = ${hex(0x70 + code)}`, `J32 = 0f ${hex(0x80 + code)}`]),
  jmp: ['J8 = eb', 'J32 = e9', 'Eq = ff /4; w0', 'M = ff /4'],
  call: ['J32 = e8', 'Eq = ff /2; w0', 'M = ff /2'],
  ret: ['= c3'],

  'lock add': ['Mv Gv = f0 01', 'Mv Is = f0 83 /0', 'Mv Iz = f0 81 /0'],
  'lock or': ['Mv Gv = f0 09', 'Mv Is = f0 83 /1', 'Mv Iz = f0 81 /1'],
  'lock and': ['Mv Gv = f0 21', 'Mv Is = f0 83 /4', 'Mv Iz = f0 81 /4'],
  'lock sub': ['Mv Gv = f0 29', 'Mv Is = f0 83 /5', 'Mv Iz = f0 81 /5'],
  'lock inc': ['Mv = f0 ff /0'],
  'lock dec': ['Mv = f0 ff /1'],
  'lock xadd': ['Mv Gv = f0 0f c1'],
  'lock cmpxchg': ['Mv Gv = f0 0f b1'],
  mfence: ['= 0f ae f0'],
  pause: ['= f3 90'],
  rdtsc: ['= 0f 31'],
  cpuid: ['= 0f a2'],
  xgetbv: ['= 0f 01 d0'],
  syscall: ['= 0f 05'],
  ud2: ['= 0f 0b'],
  int3: ['= cc'],
  nop: ['= 90'],
  'rep movsb': ['= f3 a4'],
  'rep stosb': ['= f3 aa'],
  prefetcht0: ['M = 0f 18 /1'],
  prefetcht1: ['M = 0f 18 /2'],
  prefetchnta: ['M = 0f 18 /0'],
  ldmxcsr: ['M = 0f ae /2'],
  stmxcsr: ['M = 0f ae /3'],
} satisfies Record<string, Rows>;
