/**
 * Kiln: deep learning in TypeScript, compiled.
 * Everything a program imports comes from here; importing it makes the devices known.
 */
import './backends/index.js';

export * from './core/index.js';
export * from './data/index.js';
export * from './formats/index.js';
export * from './nn/index.js';
export * from './train/index.js';
