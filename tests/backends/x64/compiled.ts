import { Assembler, dword, indexed, low32, rcx, rdi, register, rsp } from '../../../src/backends/x64/assembler.js';
import { cpuFeatures } from '../../../src/backends/x64/cpu-features.node.js';
import { ExecutableCode } from '../../../src/backends/x64/executable.node.js';
import type { X64FunctionBuilder } from '../../../src/backends/x64/function-builder.js';
import { X64ModuleBuilder } from '../../../src/backends/x64/module-builder.js';
import type { NativeFunction } from '../../../src/backends/x64/native.node.js';
import { native, withoutAvx2 } from './native-code.js';

/** The machines that this processor is, by their lanes. */
export const machines: readonly (8 | 16)[] = withoutAvx2 ? [] : hasAvx512() ? [8, 16] : [8];

function hasAvx512(): boolean {
  return Object.values(cpuFeatures(native()).avx512).every((has) => has);
}

let polluter: NativeFunction | undefined;

/** Leaves a word in vector registers and on the stack below: what was never written then shows. */
export function pollute(word: number): void {
  if (!polluter) {
    const asm = new Assembler();
    asm.op('mov', rcx, stackWords);
    const again = asm.here();
    asm
      .op('neg', rcx)
      .op('mov', dword(indexed(rsp, rcx, 4)), low32(rdi))
      .op('neg', rcx)
      .op('dec', rcx)
      .op('jne', again);
    for (let i = 0; i < 16; i++)
      asm.op('vmovd', register('xmm', i), low32(rdi)).op('vpbroadcastd', register('ymm', i), register('xmm', i));
    asm.op('ret');
    const code = ExecutableCode.create(native(), asm.finish());
    polluter = native().functionAt(code.address, 1);
  }
  polluter(word);
}

const stackWords = 16_384;

/** Memory of a test: what addresses count from, and a view of it. */
export class Region {
  readonly address: number;
  readonly view: DataView<ArrayBuffer>;

  constructor(bytes: number) {
    this.address = native().map(bytes);
    this.view = new DataView(native().view(this.address, bytes));
  }

  floats(offset: number, count: number): Float32Array {
    return new Float32Array(this.view.buffer, offset, count);
  }
  words(offset: number, count: number): Int32Array {
    return new Int32Array(this.view.buffer, offset, count);
  }
}

export interface Compiled {
  run(a?: number, b?: number, c?: number): number;
  readonly listing: string;
  free(): void;
}

/** A module whose function `run` of three integers `body` writes. */
export function compiled(
  lanes: 8 | 16,
  region: Region,
  body: (f: X64FunctionBuilder, module: X64ModuleBuilder) => void,
): Compiled {
  const module = new X64ModuleBuilder({ lanes });
  const f = module.function('run', ['i32', 'i32', 'i32'], ['i32']);
  body(f, module);
  module.export('run', f);
  const code = module.finish(region.address);
  const executable = ExecutableCode.create(native(), code.bytes);
  const call = native().functionAt(executable.address + code.entries.get('run')!, 3);
  return {
    run: (a = 0, b = 0, c = 0) => call(a, b, c) | 0,
    get listing() {
      return code.listing();
    },
    free: () => executable.free(),
  };
}
