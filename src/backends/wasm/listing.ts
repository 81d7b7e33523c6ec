import { InternalError } from '../../core/index.js';
import type { ModuleBuilder } from './assembler.js';
import { FunctionBuilder, type FunctionHandle, type FunctionType } from './function-builder.js';
import {
  control,
  emptyBlock,
  laneCodes,
  memoryCodes,
  memoryLaneCodes,
  plainCodes,
  valueTypeCodes,
  zeroTailCodes,
} from './opcodes.js';

/** Readable text of a module: its functions with names, indentation and comments. */
export function listing(builder: ModuleBuilder): string {
  const { functions, types } = builder;
  const exported = new Map([...builder.exports].map(([name, target]) => [target, name]));
  return functions
    .map((f) => {
      const head = `${signature(f)}${exported.has(f) ? ` (export "${exported.get(f)}")` : ''}`;
      if (!(f instanceof FunctionBuilder)) return `import ${head}\n`;
      const lines = [`func ${head}`, ...localLines(f), ...new Disassembler(f, functions, types).lines()];
      return `${lines.join('\n')}\n`;
    })
    .join('\n');
}

function signature({ name, type }: FunctionHandle): string {
  return `$${name} (${type.params.join(', ')}) -> (${type.results.join(', ')})`;
}

function localLines({ locals, params }: FunctionBuilder): string[] {
  const own = locals.slice(params.length);
  return own.length > 0 ? [`  local ${own.map(({ index, type }) => `$${index}:${type}`).join(' ')}`] : [];
}

type Immediates = 'none' | 'memory' | 'lane' | 'memoryLane' | 'zeros';
const byCode = new Map<number, { name: string; immediates: Immediates; zeros?: number }>();
for (const [name, code] of Object.entries(plainCodes)) byCode.set(code, { name, immediates: 'none' });
for (const [name, code] of Object.entries(memoryCodes)) byCode.set(code, { name, immediates: 'memory' });
for (const [name, code] of Object.entries(laneCodes)) byCode.set(code, { name, immediates: 'lane' });
for (const [name, code] of Object.entries(memoryLaneCodes)) byCode.set(code, { name, immediates: 'memoryLane' });
for (const [name, [code, zeros]] of Object.entries(zeroTailCodes)) {
  byCode.set(code, { name, immediates: 'zeros', zeros });
}

/** Reads a function's bytes back: nothing is recorded for the listing while code is built, but comments. */
class Disassembler {
  readonly #function: FunctionBuilder;
  readonly #functions: readonly FunctionHandle[];
  readonly #types: readonly FunctionType[];
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #indent = 1;

  constructor(f: FunctionBuilder, functions: readonly FunctionHandle[], types: readonly FunctionType[]) {
    this.#function = f;
    this.#functions = functions;
    this.#types = types;
    this.#bytes = f.code.view();
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  }

  lines(): string[] {
    const lines: string[] = [];
    const { comments } = this.#function;
    let comment = 0;
    const remark = () => {
      for (; comment < comments.length && comments[comment]!.offset <= this.#at; comment++) {
        lines.push(`${'  '.repeat(this.#indent)};; ${comments[comment]!.text}`);
      }
    };
    while (this.#at < this.#bytes.length) {
      remark();
      const code = this.#opcode();
      if (code === control.end || code === control.else) this.#indent--;
      lines.push('  '.repeat(this.#indent) + this.#instruction(code));
      if (code === control.block || code === control.loop || code === control.if || code === control.else) {
        this.#indent++;
      }
    }
    remark();
    return lines;
  }

  #instruction(code: number): string {
    switch (code) {
      case control.block:
        return `block${this.#blockType()}`;
      case control.loop:
        return `loop${this.#blockType()}`;
      case control.if:
        return `if${this.#blockType()}`;
      case control.else:
        return 'else';
      case control.end:
        return 'end';
      case control.br:
        return `br ${this.#u32()}`;
      case control.brIf:
        return `br_if ${this.#u32()}`;
      case control.brTable:
        return `br_table ${Array.from({ length: this.#u32() + 1 }, () => this.#u32()).join(' ')}`;
      case control.return:
        return 'return';
      case control.call:
        return `call $${this.#functions[this.#u32()]!.name}`;
      case control.callIndirect:
        return `call_indirect ${this.#indirectType()}`;
      case control.drop:
        return 'drop';
      case control.select:
        return 'select';
      case control.get:
        return `local.get $${this.#u32()}`;
      case control.set:
        return `local.set $${this.#u32()}`;
      case control.tee:
        return `local.tee $${this.#u32()}`;
      case control.i32:
        return `i32.const ${Number(this.#signed())}`;
      case control.i64:
        return `i64.const ${this.#signed()}`;
      case control.f32:
        return `f32.const ${this.#view.getFloat32((this.#at += 4) - 4, true)}`;
      case control.f64:
        return `f64.const ${this.#view.getFloat64((this.#at += 8) - 8, true)}`;
      case control.v128:
        return `v128.const i32x4 ${Array.from({ length: 4 }, () => `0x${this.#word()}`).join(' ')}`;
      case control.shuffle:
        return `i8x16.shuffle ${Array.from({ length: 16 }, () => this.#byte()).join(' ')}`;
      default:
        return this.#tabled(code);
    }
  }

  #tabled(code: number): string {
    const entry = byCode.get(code);
    if (!entry) throw new InternalError(`wasm listing: ${this.#function.name}: unknown opcode 0x${code.toString(16)}`);
    const { name, immediates, zeros = 0 } = entry;
    switch (immediates) {
      case 'none':
        return name;
      case 'zeros':
        this.#at += zeros;
        return name;
      case 'lane':
        return `${name} ${this.#byte()}`;
      case 'memory':
        return name + this.#memoryImmediates();
      case 'memoryLane':
        return `${name}${this.#memoryImmediates()} ${this.#byte()}`;
    }
  }

  #memoryImmediates(): string {
    this.#byte(); // the alignment hint says nothing to a reader
    const offset = this.#u32();
    return offset === 0 ? '' : ` offset=${offset}`;
  }

  #opcode(): number {
    const byte = this.#byte();
    return byte >= 0xfc && byte <= 0xfe ? (byte << 12) | this.#u32() : byte;
  }

  #blockType(): string {
    const code = this.#byte();
    if (code === emptyBlock) return '';
    return ` (result ${Object.entries(valueTypeCodes).find(([, value]) => value === code)?.[0]})`;
  }

  #indirectType(): string {
    const { params, results } = this.#types[this.#u32()]!;
    this.#byte(); // the table
    return `(${params.join(', ')}) -> (${results.join(', ')})`;
  }

  #word(): string {
    return this.#view
      .getUint32((this.#at += 4) - 4, true)
      .toString(16)
      .padStart(8, '0');
  }

  #byte(): number {
    return this.#bytes[this.#at++]!;
  }

  #u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  #signed(): bigint {
    let value = 0n;
    let shift = 0n;
    let byte = 128;
    while (byte >= 128) {
      byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      shift += 7n;
    }
    return BigInt.asIntN(64, byte & 64 ? value - (1n << shift) : value);
  }
}
