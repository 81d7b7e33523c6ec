import type { Instruction, VirtualRegister } from './instructions.js';

/** What a register is at home, where it has no machine register: memory, or an immediate number. */
export type HomeKind = 'memory' | 'immediate';

/**
 * Whether an instruction can work with a register left at home. What it then reads from memory is noted, since an
 * instruction has one operand in memory.
 */
export function staysHome(instruction: Instruction, register: VirtualRegister, kind: HomeKind): boolean {
  const { src, dst, operation } = instruction;
  if (src.some((source) => typeof source !== 'number' && source.index === register)) return false;
  switch (operation) {
    case 'moves':
    case 'entry':
    case 'call':
    case 'return':
      return true;
    case 'add':
    case 'sub':
    case 'and':
    case 'or':
    case 'xor':
      // a variable of a loop can be changed where it is
      if (dst === register)
        return kind === 'memory' && src[0] === register && src[1] !== register && typeof src[1] === 'number';
      return true;
    case 'imul':
      return dst !== register;
    case 'shl':
    case 'shr':
    case 'sar':
      return dst !== register && (src[1] !== register || kind === 'immediate');
    case 'copy':
    case 'neg':
      return dst !== register;
    case 'exchangeAdd':
      return dst !== register;
    case 'store32':
    case 'store8':
      return kind === 'immediate';
    case 'choose':
      if (dst === register || (kind === 'immediate' && (src[0] === register || src[1] === register))) return false;
      return canCompare(instruction, register, kind, 2);
    case 'set':
      return dst !== register && canCompare(instruction, register, kind, 0);
    case 'branch':
      return canCompare(instruction, register, kind, 0);
    case 'fma':
    case 'plain':
      return dst !== register && kind === 'memory' && canFold(instruction, register);
    default:
      return false;
  }
}

const isTaken = ({ src, fromHome }: Instruction, register: VirtualRegister): boolean =>
  src.some((source) => typeof source !== 'number') || (fromHome !== undefined && fromHome !== register);

/** The left side of a comparison is in a register or memory, the right one may be a number; only one is in memory. */
function canCompare(instruction: Instruction, register: VirtualRegister, kind: HomeKind, at: 0 | 2): boolean {
  const { src, comparison } = instruction;
  const [isLeft, isRight] = [src[at] === register, src[at + 1] === register];
  if (!isLeft && !isRight) return true;
  if (isLeft && (isRight || kind === 'immediate' || comparison!.isFloat)) return false;
  if (kind === 'immediate') return !comparison!.isFloat;
  if (isTaken(instruction, register)) return false;
  instruction.fromHome = register;
  return true;
}

function canFold(instruction: Instruction, register: VirtualRegister): boolean {
  const { src, operation, fold, commutes } = instruction;
  const at = src.indexOf(register);
  if (src.lastIndexOf(register) !== at || isTaken(instruction, register)) return false;
  if (operation === 'plain' && !(at === fold || (commutes && at < 2))) return false;
  instruction.fromHome = register;
  return true;
}
