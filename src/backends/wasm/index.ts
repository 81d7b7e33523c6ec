/**
 * wasm: runs graphs as WebAssembly with 128-bit vectors on several threads, wherever there is a WebAssembly engine.
 * compile.ts makes a module of a graph; device.ts runs it on the one memory; the pool has the threads.
 * Emitters know nests and schedules, never operations.
 */
export { type WasmDeviceOptions, wasmDevice } from './device.js';
export { nodeEngine } from './engine.node.js';
export { SinglePool } from './pool.js';
export { ThreadPool } from './pool.node.js';
