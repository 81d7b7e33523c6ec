/**
 * x64: runs graphs as machine code that Kiln writes itself, with AVX2 or AVX-512, on native threads.
 * An assembler, a compiler from the abstract machine's code to instructions, and one file with everything of the system.
 * Knows no nest and no operation: those are code of the abstract machine when they come here.
 */
export { type X64DeviceOptions, type X64Host, x64Device, x64Host } from './device.node.js';
