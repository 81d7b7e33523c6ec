import type { Graph } from '../../core/index.js';
import {
  type Code,
  type CodeModule,
  type CompileOptions,
  compileProgram,
  type FunctionHandle,
  type MachineProgram,
  type ProgramOptions,
} from '../machine/index.js';
import { listing, ModuleBuilder } from './assembler.js';
import { addBarrier } from './barrier.js';
import { WasmCode, WasmCodeModule } from './code.js';
import type { EngineFeatures } from './engine.js';

export interface CompiledProgram extends MachineProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface WasmCompileOptions extends Omit<CompileOptions, 'addBarrier'>, ProgramOptions {
  readonly features: EngineFeatures;
  readonly shared: boolean;
  readonly maximumPages: number;
  /** Whether the calling thread may sleep. */
  readonly mayWait: boolean;
}

/** A graph as a WebAssembly module and the plan of its memory. */
export function compileModule(
  graph: Graph,
  donations: readonly (number | undefined)[],
  options: WasmCompileOptions,
): CompiledProgram {
  const { mayWait } = options;
  const { module, code, codeOptions } = emptyModule(options);
  const program = compileProgram(code, graph, donations, {
    ...options,
    addBarrier: () => new WasmCode(addBarrier(module, { mayWait }), ['i32', 'i32'], codeOptions),
  });
  module.export('run', (program.run as WasmCode).inner);
  options.listing?.(listing(module));
  options.show?.('kernels', () => `${program.kernels.join('\n\n')}\n\n${listing(module)}`);
  return { ...program, bytes: module.finish() };
}

export type WasmModuleOptions = Pick<WasmCompileOptions, 'features' | 'shared' | 'maximumPages'>;

/** Code of one's own as a module. */
export function assembleModule(
  build: (module: CodeModule) => Code & FunctionHandle,
  options: WasmModuleOptions,
): Uint8Array<ArrayBuffer> {
  const { module, code } = emptyModule(options);
  module.export('run', (build(code) as WasmCode).inner);
  return module.finish();
}

function emptyModule({ features, shared, maximumPages }: WasmModuleOptions) {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1, maximumPages, shared);
  const codeOptions = { relaxedMadd: features.relaxedMadd, hasAtomics: features.threads };
  return { module, codeOptions, code: new WasmCodeModule(module, codeOptions) };
}
