import * as x64 from '../../../src/backends/x64/assembler.js';

const sizes = { byte: x64.byte, word: x64.word, dword: x64.dword, qword: x64.qword } as const;

const registers = new Map<string, x64.Register>();
for (const kind of ['r8', 'r16', 'r32', 'r64'] as const) {
  for (let i = 0; i < 16; i++) registers.set(`${x64.register(kind, i)}`, x64.register(kind, i));
}
for (const kind of ['xmm', 'ymm', 'zmm'] as const) {
  for (let i = 0; i < 32; i++) registers.set(`${kind}${i}`, x64.register(kind, i));
}
for (let i = 0; i < 8; i++) registers.set(`k${i}`, x64.k(i));

/** Reads what `instructionText` wrote. */
export function parseInstruction(text: string): readonly [x64.Mnemonic, readonly x64.Operand[]] {
  const [, name, rest] = /^((?:(?:lock|rep) )?\S+) ?(.*)$/.exec(text)!;
  return [name as x64.Mnemonic, rest === '' ? [] : rest!.split(', ').map(parseOperand)];
}

function parseOperand(text: string): x64.Operand {
  const [, plain, mask, zero] = /^(.*?)(?:\{k(\d)\}(\{z\})?)?$/.exec(text)!;
  const operand = parsePlain(plain!);
  if (mask === undefined) return operand;
  return x64.masked(operand as x64.VectorRegister, x64.k(Number(mask)), zero ? 'zero' : 'merge');
}

function parsePlain(text: string): x64.Operand {
  const register = registers.get(text);
  if (register) return register;
  const address = /^(?:(bcst|byte|word|dword|qword) (?:ptr )?)?\[(\w+)(?:\+(\w+)\*([1248]))?([+-]\d+)?\]$/.exec(text);
  if (!address) return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
  const [, size, base, index, scale, offset = '0'] = address;
  const at = registers.get(base!) as x64.GeneralRegister;
  const memory =
    index === undefined
      ? x64.mem(at, Number(offset))
      : x64.indexed(at, registers.get(index) as x64.GeneralRegister, Number(scale) as 1, Number(offset));
  if (size === undefined) return memory;
  return size === 'bcst' ? x64.broadcast(memory) : sizes[size as keyof typeof sizes](memory);
}
