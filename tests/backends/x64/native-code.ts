import { Assembler } from '../../../src/backends/x64/assembler.js';
import { cpuFeatures } from '../../../src/backends/x64/cpu-features.node.js';
import { ExecutableCode } from '../../../src/backends/x64/executable.node.js';
import { loadNative, type Native } from '../../../src/backends/x64/native.node.js';

const loaded = loadNative();

/** For the tests' option `skip`: why machine code cannot run here; false where it can. */
export const withoutNative: string | false = loaded.reason ?? false;

/** The same for tests that execute vectors of 256 bits. */
export const withoutAvx2: string | false =
  withoutNative || (cpuFeatures(native()).avx2 ? false : 'This processor has no AVX2.');

export function native(): Native {
  if (!loaded.native) throw new Error(loaded.reason);
  return loaded.native;
}

/** Assembles a program and hands its address to `use`, then frees it. `body` returns the entry's label, if it is not the start. */
export function withCode<T>(body: (a: Assembler) => void, use: (address: number) => T): T {
  const a = new Assembler();
  body(a);
  const code = ExecutableCode.create(native(), a.finish());
  try {
    return use(code.address);
  } finally {
    code.free();
  }
}

/** Pages of memory for a test, and their address. */
export function withMemory<T>(bytes: number, use: (address: number) => T): T {
  const address = native().map(bytes);
  try {
    return use(address);
  } finally {
    native().unmap(address, bytes);
  }
}

export const readWords = (address: number, count: number): number[] => [
  ...new Int32Array(native().read(address, 4 * count).buffer),
];
