/**
 * The engine's own WebAssembly object, typed.
 * TypeScript declares it together with the DOM only, and Kiln is compiled without: core and compiler know no page.
 */
export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Returns the size before, in pages of 64 KiB; throws a RangeError beyond the maximum. */
  grow(pages: number): number;
}

export interface WasmModule {
  readonly [brand]: 'WebAssembly.Module';
}
declare const brand: unique symbol;

export type WasmFunction = (...values: (number | bigint)[]) => number | bigint | undefined;

export interface WasmInstance {
  readonly exports: Readonly<Record<string, WasmFunction>>;
}

export type WasmImports = Readonly<Record<string, Readonly<Record<string, WasmMemory | WasmFunction>>>>;

interface WebAssemblyNamespace {
  readonly Memory: new (options: { initial: number; maximum?: number; shared?: boolean }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule;
  readonly Instance: new (module: WasmModule, imports?: WasmImports) => WasmInstance;
  readonly RuntimeError: new (message: string) => Error;
  validate(bytes: Uint8Array<ArrayBuffer>): boolean;
}

export const WebAssembly: WebAssemblyNamespace = (globalThis as unknown as { WebAssembly: WebAssemblyNamespace })
  .WebAssembly;

export const pageBytes = 65536;
