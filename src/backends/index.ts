/**
 * backends: what runs graphs. One folder a device, each with its emitter, memory and threads.
 * Importing this door makes the devices known, and says which is the default.
 * Knows the compiler and core, no layer and no file format.
 */
export { createDevice, type DeviceChoice, defaultDevice, obstacleOf, wasm, x64, x64Lanes } from './devices.node.js';
export { reference } from './reference/index.js';
