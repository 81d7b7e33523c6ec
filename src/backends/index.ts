/**
 * backends: what runs graphs. One folder a device, each with its emitter, memory and threads.
 * Importing this door makes the devices known; the first registered is the default.
 * Knows the compiler and core, no layer and no file format.
 */
export { wasm } from './devices.node.js';
export { reference } from './reference/index.js';
