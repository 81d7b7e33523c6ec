import { Heap } from '../machine/index.js';
import { pageBytes, type WasmMemory } from './webassembly.js';

/** The heap of a WebAssembly memory, from `start` on; the memory grows up to `limit` bytes. */
export function heapOf(memory: WasmMemory, start: number, limit: number): Heap {
  const grow = (end: number): number | undefined => {
    const pages = Math.ceil(end / pageBytes) - memory.buffer.byteLength / pageBytes;
    try {
      if (pages > 0) memory.grow(pages);
      return memory.buffer.byteLength;
    } catch {
      return undefined; // beyond the memory's maximum, or the system has no more: the caller says so
    }
  };
  return new Heap({ start, end: memory.buffer.byteLength, limit, grow });
}
