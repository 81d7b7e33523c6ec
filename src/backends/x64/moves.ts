import type { RegisterType } from '../machine/index.js';
import {
  type Assembler,
  dword,
  low32,
  type Memory,
  mem,
  qword,
  rax,
  register,
  rsp,
  type VectorKind,
} from './assembler.js';

/** Where a value is, or is to go. */
export type Place =
  | { readonly kind: 'register'; readonly type: RegisterType; readonly register: number }
  | { readonly kind: 'memory'; readonly type: RegisterType; readonly memory: Memory }
  | { readonly kind: 'number'; readonly type: RegisterType; readonly value: number }
  | {
      readonly kind: 'constant';
      readonly type: RegisterType;
      readonly words: Int32Array;
      readonly uniform: number | undefined;
    };

export interface MoveOptions {
  readonly vectorKind: VectorKind;
}

type Move = readonly [to: Place, from: Place];

/** Below the stack pointer, where signal handlers leave 128 bytes alone: for a value whose place is taken in a ring of moves. */
const aside: Readonly<Record<RegisterType, number>> = { i32: -16, f32: -16, vector: -128 };

const nowhere = -1;

/** Tells places apart; all memory that moves write lies on the stack. */
function keyOf(place: Place): number {
  if (place.kind === 'register') return (place.type === 'i32' ? 0 : 64) + place.register;
  return place.kind === 'memory' ? 1024 + place.memory.offset : nowhere;
}

export const isSamePlace = (a: Place, b: Place): boolean => keyOf(a) === keyOf(b) && keyOf(a) !== nowhere;

/** Does all moves as if at once: a place is written when nobody has to read it any more. Uses eax; leaves the flags alone. */
export function moveAll(asm: Assembler, moves: readonly Move[], options: MoveOptions): void {
  let waiting = moves.filter(([to, from]) => !isSamePlace(to, from));
  if (waiting.length === 1) {
    move(asm, waiting[0]![0], waiting[0]![1], options);
    return;
  }
  const readers = new Map<number, number>();
  for (const [, from] of waiting) readers.set(keyOf(from), (readers.get(keyOf(from)) ?? 0) + 1);
  while (waiting.length > 0) {
    const rest: Move[] = [];
    for (const step of waiting) {
      const [to, from] = step;
      if ((readers.get(keyOf(to)) ?? 0) > 0) {
        rest.push(step);
        continue;
      }
      move(asm, to, from, options);
      readers.set(keyOf(from), readers.get(keyOf(from))! - 1);
    }
    waiting = rest.length < waiting.length ? rest : breakRing(asm, rest, readers, options);
  }
}

/** Puts aside what the first move would overwrite: all of it that somebody has to read. */
function breakRing(asm: Assembler, moves: readonly Move[], readers: Map<number, number>, options: MoveOptions): Move[] {
  const key = keyOf(moves[0]![0]);
  const wanted = moves.flatMap(([, from]) => (keyOf(from) === key ? [from] : []));
  const taken = wanted.find(({ type }) => type === 'vector') ?? wanted[0]!;
  const { type } = taken;
  const saved: Place = { kind: 'memory', type, memory: mem(rsp, aside[type]) };
  move(asm, saved, taken, options);
  readers.set(keyOf(saved), readers.get(key)!);
  readers.set(key, 0);
  return moves.map(([to, from]) => [to, keyOf(from) === key ? saved : from]);
}

function move(asm: Assembler, to: Place, from: Place, options: MoveOptions): void {
  if (to.type === 'i32') moveInteger(asm, to, from);
  else if (to.kind === 'register') loadVector(asm, to, from, options);
  else if (to.kind === 'memory') storeVector(asm, to.memory, from, options);
}

function moveInteger(asm: Assembler, to: Place, from: Place): void {
  const target = to.kind === 'register' ? register('r32', to.register) : dword((to as { memory: Memory }).memory);
  if (from.kind === 'register') asm.op('mov', target, register('r32', from.register));
  else if (from.kind === 'number') asm.op('mov', target, from.value);
  else if (from.kind === 'memory') {
    const eax = low32(rax);
    if (to.kind === 'register') asm.op('mov', target, dword(from.memory));
    else asm.op('mov', eax, dword(from.memory)).op('mov', target, eax);
  }
}

function loadVector(
  asm: Assembler,
  to: Extract<Place, { kind: 'register' }>,
  from: Place,
  { vectorKind }: MoveOptions,
): void {
  const kind = to.type === 'vector' ? vectorKind : 'xmm';
  const target = register(kind, to.register);
  switch (from.kind) {
    case 'register':
      asm.op('vmovaps', target, register(kind, from.register));
      return;
    case 'memory':
      asm.op(to.type === 'vector' ? 'vmovups' : 'vmovss', target, from.memory);
      return;
    case 'constant':
      loadConstant(asm, to, from, vectorKind);
  }
}

function loadConstant(
  asm: Assembler,
  { register: number, type }: Extract<Place, { kind: 'register' }>,
  { words, uniform }: Extract<Place, { kind: 'constant' }>,
  vectorKind: VectorKind,
): void {
  const whole = register(vectorKind, number);
  const low = register('xmm', number);
  if (uniform === 0) asm.op(number < 16 ? 'vxorps' : 'vpxord', low, low, low);
  else if (type === 'f32') asm.op('vmovss', low, asm.constant(words));
  else if (uniform === -1 && vectorKind === 'ymm') asm.op('vpcmpeqd', whole, whole, whole);
  else if (uniform === -1) asm.op('vpternlogd', whole, whole, whole, 0xff);
  else if (uniform !== undefined) asm.op('vbroadcastss', whole, asm.int32(uniform));
  else asm.op('vmovups', whole, asm.constant(words));
}

/** From memory to memory by way of rax. */
function storeVector(asm: Assembler, to: Memory, from: Place, { vectorKind }: MoveOptions): void {
  const isVector = from.type === 'vector';
  if (from.kind === 'register') {
    const kind = isVector ? vectorKind : 'xmm';
    asm.op(isVector ? 'vmovups' : 'vmovss', to, register(kind, from.register));
    return;
  }
  const source = from.kind === 'memory' ? from.memory : asm.constant((from as { words: Int32Array }).words);
  const bytes = isVector ? (vectorKind === 'zmm' ? 64 : 32) : 8;
  for (let at = 0; at < bytes; at += 8) asm.op('mov', rax, qword(source.plus(at))).op('mov', qword(to.plus(at)), rax);
}
