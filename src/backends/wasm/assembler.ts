/** A builder of WebAssembly modules: types, imports, functions, the table, exports; bytes and a readable listing. */
import { InternalError } from '../../core/index.js';
import { ByteBuffer } from './byte-buffer.js';
import { FunctionBuilder, type FunctionHandle, type FunctionType, type Local } from './function-builder.js';
import { control, type ValueType, valueTypeCodes } from './opcodes.js';

export { FunctionBuilder, type FunctionHandle, type FunctionType, type Label, type Local } from './function-builder.js';
export { listing } from './listing.js';
export type { ValueType } from './opcodes.js';

interface MemoryImport {
  readonly module: string;
  readonly name: string;
  readonly initialPages: number;
  readonly maximumPages: number;
  readonly shared: boolean;
}

interface ImportedFunction extends FunctionHandle {
  readonly module: string;
}

const section = { type: 1, import: 2, function: 3, table: 4, export: 7, element: 9, code: 10, custom: 0 } as const;

export class ModuleBuilder {
  readonly #types: FunctionType[] = [];
  readonly #typeIndices = new Map<string, number>();
  readonly #imports: ImportedFunction[] = [];
  readonly #functions: FunctionBuilder[] = [];
  readonly #exports = new Map<string, FunctionHandle>();
  readonly #table: FunctionHandle[] = [];
  #memory: MemoryImport | undefined;

  /** Imported functions first, by index. */
  get functions(): readonly FunctionHandle[] {
    return [...this.#imports, ...this.#functions];
  }

  get types(): readonly FunctionType[] {
    return this.#types;
  }

  get exports(): ReadonlyMap<string, FunctionHandle> {
    return this.#exports;
  }

  /** True when the memory is shared: only then may waiting instructions be executed. */
  get sharedMemory(): boolean {
    return this.#memory?.shared ?? false;
  }

  importMemory(module: string, name: string, initialPages: number, maximumPages: number, shared: boolean): void {
    if (this.#memory) throw new InternalError('wasm assembler: a module has one memory');
    this.#memory = { module, name, initialPages, maximumPages, shared };
  }

  importFunction(
    module: string,
    name: string,
    params: readonly ValueType[],
    results: readonly ValueType[] = [],
  ): FunctionHandle {
    if (this.#functions.length > 0) {
      throw new InternalError(`wasm assembler: import ${name} before the first function is declared`);
    }
    const type = { params, results };
    this.#typeIndex(type);
    const imported = { module, name, index: this.#imports.length, type };
    this.#imports.push(imported);
    return imported;
  }

  /** Declares a function. Its body may be written later, so that functions can call one another. */
  function(name: string, params: readonly ValueType[], results: readonly ValueType[] = []): FunctionBuilder {
    const type = { params, results };
    this.#typeIndex(type);
    const index = this.#imports.length + this.#functions.length;
    const builder = new FunctionBuilder(name, index, type, (other) => this.#typeIndex(other));
    this.#functions.push(builder);
    return builder;
  }

  export(name: string, target: FunctionHandle): void {
    if (this.#exports.has(name)) throw new InternalError(`wasm assembler: ${name} is exported twice`);
    this.#exports.set(name, target);
  }

  /** The function's index in the table, for `callIndirect`. */
  addToTable(target: FunctionHandle): number {
    return this.#table.push(target) - 1;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const size = this.#functions.reduce((sum, { code }) => sum + code.length, 0);
    const out = new ByteBuffer(size + 4096);
    out.raw(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)); // "\0asm", version 1
    const write = (id: number, count: number, body: (content: ByteBuffer) => void, capacity = 256) => {
      if (count === 0) return;
      const content = new ByteBuffer(capacity);
      content.u32(count);
      body(content);
      out.byte(id);
      out.vector(content.view());
    };
    write(section.type, this.#types.length, (c) => {
      for (const type of this.#types) writeType(c, type);
    });
    write(section.import, this.#imports.length + (this.#memory ? 1 : 0), (c) => this.#writeImports(c));
    write(section.function, this.#functions.length, (c) => {
      for (const { type } of this.#functions) c.u32(this.#typeIndex(type));
    });
    write(section.table, this.#table.length > 0 ? 1 : 0, (c) => {
      c.raw(Uint8Array.of(0x70, 1)); // funcref, with a maximum
      c.u32(this.#table.length);
      c.u32(this.#table.length);
    });
    write(section.export, this.#exports.size, (c) => {
      for (const [name, { index }] of this.#exports) {
        c.name(name);
        c.byte(0); // a function
        c.u32(index);
      }
    });
    write(section.element, this.#table.length > 0 ? 1 : 0, (c) => {
      c.raw(Uint8Array.of(0, control.i32, 0, control.end)); // active, table 0, from index 0
      c.u32(this.#table.length);
      for (const { index } of this.#table) c.u32(index);
    });
    const writeBodies = (c: ByteBuffer) => {
      for (const f of this.#functions) writeBody(c, f);
    };
    write(section.code, this.#functions.length, writeBodies, size + 4096);
    this.#writeNames(out);
    return out.view().slice();
  }

  #typeIndex(type: FunctionType): number {
    const key = `${type.params.join()}>${type.results.join()}`;
    const known = this.#typeIndices.get(key);
    if (known !== undefined) return known;
    const index = this.#types.push(type) - 1;
    this.#typeIndices.set(key, index);
    return index;
  }

  #writeImports(out: ByteBuffer): void {
    for (const { module, name, type } of this.#imports) {
      out.name(module);
      out.name(name);
      out.byte(0); // a function
      out.u32(this.#typeIndex(type));
    }
    if (!this.#memory) return;
    out.name(this.#memory.module);
    out.name(this.#memory.name);
    out.byte(2); // a memory
    out.byte(this.#memory.shared ? 3 : 1); // both with a maximum
    out.u32(this.#memory.initialPages);
    out.u32(this.#memory.maximumPages);
  }

  /** The custom section "name": traps, profilers and validation errors then name the kernel. */
  #writeNames(out: ByteBuffer): void {
    const names = new ByteBuffer();
    names.u32(this.#imports.length + this.#functions.length);
    for (const { index, name } of this.functions) {
      names.u32(index);
      names.name(name);
    }
    const content = new ByteBuffer(names.length + 16);
    content.name('name');
    content.byte(1); // function names
    content.vector(names.view());
    out.byte(section.custom);
    out.vector(content.view());
  }
}

function writeType(out: ByteBuffer, { params, results }: FunctionType): void {
  out.byte(0x60);
  for (const types of [params, results]) {
    out.u32(types.length);
    for (const type of types) out.byte(valueTypeCodes[type]);
  }
}

function writeBody(out: ByteBuffer, { code, locals, params }: FunctionBuilder): void {
  const head = new ByteBuffer(32);
  const runs = runsOfTypes(locals.slice(params.length));
  head.u32(runs.length);
  for (const { type, count } of runs) {
    head.u32(count);
    head.byte(valueTypeCodes[type]);
  }
  out.u32(head.length + code.length + 1);
  out.raw(head.view());
  out.raw(code.view());
  out.byte(control.end);
}

function runsOfTypes(locals: readonly Local[]): { type: ValueType; count: number }[] {
  const runs: { type: ValueType; count: number }[] = [];
  for (const { type } of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  return runs;
}
