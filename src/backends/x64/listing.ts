import type { Assembler } from './assembler.js';

/** Readable text of the code, in Intel's syntax with names and comments; constants at the end. */
export function listing({ entries }: Assembler): string {
  const lines = entries.map((entry) => {
    switch (entry.kind) {
      case 'instruction':
        return `  ${instructionText(entry.name, entry.operands)}`;
      case 'label':
        return `${entry.label}:`;
      case 'comment':
        return `  ; ${entry.text}`;
      case 'constant':
        return `${entry.label}: ${constantText(entry.bytes)}`;
    }
  });
  return `${lines.join('\n')}\n`;
}

/** One instruction as GNU as takes it under .intel_syntax noprefix, but for the lanes of a broadcast. */
export function instructionText(name: string, operands: readonly unknown[]): string {
  return operands.length === 0 ? name : `${name} ${operands.join(', ')}`;
}

/** The words of a constant, as float32 where they look like one. */
function constantText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words: string[] = [];
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    const integer = view.getInt32(at, true);
    const float = view.getFloat32(at, true);
    const isFloat = Math.abs(float) > 1e-9 && Math.abs(float) < 1e12;
    words.push(isFloat ? `${Number(float.toPrecision(9))}f` : `${integer}`);
  }
  for (; at < bytes.length; at++) words.push(`byte ${bytes[at]}`);
  const first = words[0]!;
  return words.length > 1 && words.every((word) => word === first) ? `${words.length} × ${first}` : words.join(' ');
}
