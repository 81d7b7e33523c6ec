import type { Instruction, MachineBlock, MachineFunction, VirtualRegister } from './instructions.js';
import { forEachUse, overlap, type Ranges, union } from './liveness.js';

/**
 * Makes one register of two that a move connects and that are never needed at once: the values of a loop's variable,
 * and sums with what is added to them. Inner loops come first. Instructions are rewritten.
 */
export function coalesce(f: MachineFunction, ranges: Ranges[]): void {
  const parents = new Map<VirtualRegister, VirtualRegister>();
  const find = (register: VirtualRegister): VirtualRegister => {
    let root = register;
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) root = next;
    return root;
  };
  const join = (a: VirtualRegister, b: VirtualRegister): void => {
    const [into, other] = [find(a), find(b)];
    if (into === other || f.types[into] !== f.types[other] || f.constants.has(other) || f.constants.has(into)) return;
    if (overlap(ranges[into]!, ranges[other]!)) return;
    ranges[into] = union(ranges[into]!, ranges[other]!);
    ranges[other] = [];
    parents.set(other, into);
  };
  const depth = ({ loop }: MachineBlock): number => loop?.depth ?? 0;
  for (const { instructions } of f.blocks.toSorted((a, b) => depth(b) - depth(a))) {
    for (const { operation, moves, dst, src } of instructions) {
      if (operation === 'moves') for (const { to, from } of moves) join(to, from);
      else if (operation === 'fma' && typeof src[2] === 'number') join(dst!, src[2]);
    }
  }
  if (parents.size === 0) return;
  for (const { instructions, phis } of f.blocks) {
    for (const instruction of instructions) rename(instruction, find);
    for (let i = 0; i < phis.length; i++) phis[i] = find(phis[i]!);
  }
}

function rename(instruction: Instruction, find: (register: VirtualRegister) => VirtualRegister): void {
  if (instruction.dst !== undefined) instruction.dst = find(instruction.dst);
  let isTouched = false;
  forEachUse(instruction, (register) => {
    if (find(register) !== register) isTouched = true;
  });
  if (isTouched) replaceSources(instruction, find);
  for (const move of instruction.moves) {
    move.to = find(move.to);
    if (move.from >= 0) move.from = find(move.from);
  }
  if (instruction.operation === 'moves') {
    const kept = instruction.moves.filter(({ to, from }) => to !== from);
    instruction.moves = kept;
  }
}

/** Gives an instruction's sources other registers. */
export function replaceSources({ src }: Instruction, replace: (register: VirtualRegister) => VirtualRegister): void {
  for (let i = 0; i < src.length; i++) {
    const source = src[i]!;
    if (typeof source === 'number') src[i] = replace(source);
    else if (source.index !== undefined) src[i] = { ...source, index: replace(source.index) };
  }
}
