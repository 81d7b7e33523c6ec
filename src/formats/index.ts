/**
 * formats: bytes <-> named host arrays, one format a file (safetensors), and files that are replaced as a whole.
 * Parsers are pure and believe nothing a file claims before it fits the file; `*.node.ts` read and write the disk.
 * Knows no layer and no device.
 */
export { type AtomicWriteOptions, writeFileAtomic } from './atomic-file.node.js';
export { decodeSafetensors, encodeSafetensors, type Safetensors } from './safetensors.js';
export { readSafetensors, readSafetensorsHeader } from './safetensors.node.js';
export type { SafetensorsEntry } from './safetensors-dtypes.js';
export type { SafetensorsHeader } from './safetensors-header.js';
