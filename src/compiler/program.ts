import type { DType } from '../core/index.js';
import { type Kernel, printNest } from './nest.js';

/** Bytes that a program reads or writes. */
export interface Buffer {
  readonly id: number;
  readonly dtype: DType;
  readonly elements: number;
  readonly role: BufferRole;
}

export type BufferRole =
  /** Given by the caller, never written. */
  | { readonly kind: 'input'; readonly index: number }
  /** Handed to the caller; it may take the place of a donated input. */
  | { readonly kind: 'output'; readonly donor: number | undefined }
  /** In the arena while the program runs. */
  | { readonly kind: 'temporary' }
  /** What the current step of a loop sees of another buffer: `elements` from step · elements on. */
  | { readonly kind: 'slice'; readonly of: number; readonly loop: number };

/** What is done one after another. */
export type Step =
  | { readonly kind: 'launch'; readonly kernel: Kernel }
  /** Steps repeated; slices of this loop move with its counter, which runs backwards when `reverse`. */
  | {
      readonly kind: 'loop';
      readonly id: number;
      readonly length: number;
      readonly reverse: boolean;
      readonly steps: readonly Step[];
    }
  /** One of two lists, chosen by the bool in a buffer. */
  | {
      readonly kind: 'branch';
      readonly predicate: number;
      readonly whenTrue: readonly Step[];
      readonly whenFalse: readonly Step[];
    };

/** A graph lowered to kernels: what is scheduled, planned and emitted. */
export interface LoweredProgram {
  readonly buffers: readonly Buffer[];
  readonly steps: readonly Step[];
  /** Buffer of each output of the graph; an input's own where the output is that input. */
  readonly outputs: readonly number[];
}

export function* launchesOf(steps: readonly Step[]): Generator<Kernel> {
  for (const step of steps) {
    switch (step.kind) {
      case 'launch':
        yield step.kernel;
        break;
      case 'loop':
        yield* launchesOf(step.steps);
        break;
      case 'branch':
        yield* launchesOf(step.whenTrue);
        yield* launchesOf(step.whenFalse);
        break;
    }
  }
}

export function printSteps(steps: readonly Step[], indent = ''): string {
  return steps
    .map((step) => {
      switch (step.kind) {
        case 'launch':
          return `${indent}(${step.kernel.buffers.map(({ buffer }, i) => `b${i}=@${buffer}`).join(' ')}) ${printNest(step.kernel.nest).replaceAll('\n', `\n${indent}`)}`;
        case 'loop':
          return `${indent}loop ${step.id}: ${step.length} steps${step.reverse ? ' backwards' : ''}\n${printSteps(step.steps, `${indent}  `)}`;
        case 'branch':
          return `${indent}if @${step.predicate}\n${printSteps(step.whenTrue, `${indent}  `)}\n${indent}else\n${printSteps(step.whenFalse, `${indent}  `)}`;
      }
    })
    .join('\n');
}
