import type { Instruction, MachineBlock, MachineFunction, VirtualRegister } from './instructions.js';

/** Visits the registers that an instruction reads; `isLate` where that is after it writes. */
export function forEachUse(
  { src, moves, operation, late }: Instruction,
  visit: (register: VirtualRegister, isLate: boolean) => void,
): void {
  for (let i = 0; i < src.length; i++) {
    const source = src[i]!;
    const isLate = ((late >> i) & 1) === 1;
    if (typeof source === 'number') visit(source, isLate);
    else if (source.index !== undefined) visit(source.index, isLate);
  }
  if (operation === 'moves') for (const { from } of moves) visit(from, false);
}

export function forEachDefinition({ dst, moves }: Instruction, visit: (register: VirtualRegister) => void): void {
  if (dst !== undefined) visit(dst);
  for (const { to } of moves) visit(to);
}

/** When a register's value is needed: pairs of positions (from, to), to exclusive, ascending and apart. */
export type Ranges = number[];

/**
 * Numbers the instructions and finds out when each register is live. Of constants it takes no notice.
 * Instruction number i has four positions: at 4i it loads what is at home in memory, at 4i + 1 it reads its sources, at
 * 4i + 2 it writes its destination, at 4i + 3 it puts away what it wrote.
 */
export function liveRanges(f: MachineFunction): Ranges[] {
  let count = 0;
  for (const block of f.blocks) {
    block.first = count;
    count += block.instructions.length;
  }
  // built from the end: the last pair is the earliest
  const ranges: Ranges[] = f.types.map(() => []);
  const add = (register: VirtualRegister, from: number, to: number): void => {
    const list = ranges[register]!;
    let end = to;
    let start = from;
    while (list.length > 0 && list[list.length - 1]! <= end) {
      start = Math.min(start, list[list.length - 1]!);
      end = Math.max(end, list[list.length - 2]!);
      list.length -= 2;
    }
    list.push(end, start);
  };
  const liveIn: (Set<VirtualRegister> | undefined)[] = f.blocks.map(() => undefined);
  for (let b = f.blocks.length - 1; b >= 0; b--) {
    const block = f.blocks[b]!;
    const live = liveOut(block, liveIn);
    const [first, end] = [4 * block.first, 4 * block.end];
    for (const register of live) add(register, first, end);
    for (let i = block.instructions.length - 1; i >= 0; i--) {
      const instruction = block.instructions[i]!;
      const at = 4 * (block.first + i);
      forEachDefinition(instruction, (register) => {
        const list = ranges[register]!;
        if (live.delete(register)) list[list.length - 1] = at + 2;
        else add(register, at + 2, at + 3);
      });
      forEachUse(instruction, (register, isLate) => {
        if (f.constants.has(register)) return;
        live.add(register);
        add(register, first, at + (isLate ? 3 : 2));
      });
    }
    const { loop } = block;
    if (loop && loop.header === block) {
      // what comes in from outside is needed in every round
      const phis = new Set(block.phis);
      const loopEnd = 4 * loop.last.end;
      for (const register of live) if (!phis.has(register)) add(register, first, loopEnd);
    }
    liveIn[b] = live;
  }
  return ranges.map((list) => list.reverse());
}

function liveOut(block: MachineBlock, liveIn: readonly (Set<VirtualRegister> | undefined)[]): Set<VirtualRegister> {
  const live = new Set<VirtualRegister>();
  for (const successor of block.successors) {
    const known = liveIn[successor.order];
    // the head of a loop was not seen yet when it is reached from below
    for (const register of known ?? successor.phis) live.add(register);
  }
  return live;
}

export function overlap(a: Ranges, b: Ranges): boolean {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i + 1]! <= b[j]!) i += 2;
    else if (b[j + 1]! <= a[i]!) j += 2;
    else return true;
  }
  return false;
}

/** All of two lists that do not overlap; neighbours that touch become one. */
export function union(a: Ranges, b: Ranges): Ranges {
  const result: Ranges = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const isFirst = j >= b.length || (i < a.length && a[i]! < b[j]!);
    const [from, to] = isFirst ? [a[i]!, a[i + 1]!] : [b[j]!, b[j + 1]!];
    if (isFirst) i += 2;
    else j += 2;
    if (result.length > 0 && result[result.length - 1] === from) result[result.length - 1] = to;
    else result.push(from, to);
  }
  return result;
}
