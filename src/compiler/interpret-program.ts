import { bytesPerElement, failIndex, InternalError, type TypedArray, viewAs } from '../core/index.js';
import type { Affine } from './affine.js';
import { identityOf } from './empty.js';
import { evaluate, type Surroundings } from './evaluate.js';
import type { Access, Expression } from './expression.js';
import {
  type Accumulator,
  type Axis,
  type ContractionNest,
  type Kernel,
  type LoopNest,
  type Operand,
  printNest,
} from './nest.js';
import type { PlannedStep, ProgramPlan } from './plan.js';
import type { Buffer, LoweredProgram, Step } from './program.js';

export interface InterpretOptions {
  /** What float sums are gathered in (float64); stored values are float32 in any case. */
  readonly accumulate?: 'float32' | 'float64';
  /** Points of loops, and launches of one phase, from the last to the first: their order must not matter. */
  readonly backwards?: boolean;
}

/** Runs a lowered program in plain TypeScript, as the docstrings of nests say: the oracle of emitters. */
export function interpretProgram(
  { buffers, steps, outputs }: LoweredProgram,
  inputs: readonly ArrayBuffer[],
  options: InterpretOptions = {},
): ArrayBuffer[] {
  const memory = new Memory(buffers, ({ id, role }) =>
    role.kind === 'input'
      ? viewOf(buffers[id]!, inputs[role.index]!.slice(0))
      : viewOf(buffers[id]!, garbage(buffers[id]!)),
  );
  runSteps(steps, memory, options);
  return outputs.map((id) => memory.contents(id));
}

/** The same in the planned order, with temporaries in one arena and donated outputs in the place of their inputs. */
export function interpretPlan(
  { buffers, offsets, arenaBytes, steps, outputs }: ProgramPlan,
  inputs: readonly ArrayBuffer[],
  options: InterpretOptions = {},
): ArrayBuffer[] {
  const arena = new ArrayBuffer(arenaBytes);
  new Uint8Array(arena).fill(garbageByte);
  const given = inputs.map((bytes) => bytes.slice(0));
  const memory = new Memory(buffers, (buffer) => {
    const { role } = buffer;
    if (role.kind === 'input') return viewOf(buffer, given[role.index]!);
    if (role.kind === 'temporary') return viewOf(buffer, arena, offsets.get(buffer.id) ?? 0);
    return viewOf(buffer, role.kind === 'output' && role.donor !== undefined ? given[role.donor]! : garbage(buffer));
  });
  runSteps(steps, memory, options);
  return outputs.map((id) => memory.contents(id));
}

/** What nothing has written yet: reading it shows. */
const garbageByte = 0xab;
const garbage = ({ elements, dtype }: Buffer): ArrayBuffer => {
  const bytes = new ArrayBuffer(elements * bytesPerElement[dtype]);
  new Uint8Array(bytes).fill(garbageByte);
  return bytes;
};

const viewOf = ({ dtype, elements }: Buffer, bytes: ArrayBuffer, offset = 0): TypedArray =>
  viewAs(dtype, bytes, offset, elements);

class Memory {
  /** Where each running loop is. */
  readonly loops = new Map<number, number>();
  readonly #buffers: readonly Buffer[];
  readonly #views = new Map<number, TypedArray>();
  readonly #place: (buffer: Buffer) => TypedArray;

  constructor(buffers: readonly Buffer[], place: (buffer: Buffer) => TypedArray) {
    this.#buffers = buffers;
    this.#place = place;
  }

  view(id: number): TypedArray {
    const buffer = this.#buffers[id]!;
    if (buffer.role.kind === 'slice') {
      const first = this.loops.get(buffer.role.loop)! * buffer.elements;
      return this.view(buffer.role.of).subarray(first, first + buffer.elements);
    }
    let view = this.#views.get(id);
    if (!view) {
      view = this.#place(buffer);
      this.#views.set(id, view);
    }
    return view;
  }

  contents(id: number): ArrayBuffer {
    return this.view(id).slice().buffer as ArrayBuffer;
  }
}

function runSteps(steps: readonly (Step | PlannedStep)[], memory: Memory, options: InterpretOptions): void {
  for (const step of steps) {
    switch (step.kind) {
      case 'launch':
        runKernel(step.kernel, memory, options);
        break;
      case 'phase':
        for (const kernel of options.backwards ? step.launches.toReversed() : step.launches)
          runKernel(kernel, memory, options);
        break;
      case 'loop':
        for (let round = 0; round < step.length; round++) {
          memory.loops.set(step.id, step.reverse ? step.length - 1 - round : round);
          runSteps(step.steps, memory, options);
        }
        break;
      case 'branch':
        runSteps(memory.view(step.predicate)[0] ? step.whenTrue : step.whenFalse, memory, options);
        break;
    }
  }
}

function runKernel({ nest, buffers }: Kernel, memory: Memory, options: InterpretOptions): void {
  const run = new KernelRun(
    buffers.map(({ buffer }) => memory.view(buffer)),
    options,
  );
  try {
    if (nest.kind === 'loop') run.loopNest(nest);
    else run.contraction(nest);
  } catch (error) {
    if (error instanceof InternalError) error.message += `\n${printNest(nest)}`;
    throw error;
  }
}

class KernelRun {
  readonly #views: readonly TypedArray[];
  readonly #options: InterpretOptions;
  readonly #point = new Map<string, number>();

  constructor(views: readonly TypedArray[], options: InterpretOptions) {
    this.#views = views;
    this.#options = options;
  }

  loopNest(nest: LoopNest): void {
    const { axes, reductions, ordered, accumulators } = nest;
    this.#each(axes, this.#options.backwards ?? false, () => {
      const gathered = accumulators.map(startOf);
      this.#each(ordered ? [ordered] : [], false, () => {
        this.#each(reductions, false, () =>
          accumulators.forEach((accumulator, i) => this.#gather(accumulator, gathered[i]!)),
        );
        this.#store(
          nest,
          gathered.map((state, i) => resultOf(state, accumulators[i]!)),
        );
      });
    });
  }

  contraction(nest: ContractionNest): void {
    const { axes, reductions, left, right } = nest;
    this.#each(axes, this.#options.backwards ?? false, () => {
      let sum = 0;
      this.#each(reductions, false, () => {
        sum = this.#rounded(sum + this.#rounded(this.#operand(left) * this.#operand(right)));
      });
      this.#store(nest, [Math.fround(sum)]);
    });
  }

  /** An operand's value, 0 where one of its components lies outside. */
  #operand({ components, value }: Operand): number {
    const own = new Map(components.map(({ name, index }) => [name, this.#index(index)] as const));
    const isInside = components.every(({ name, extent }) => {
      const at = own.get(name)!;
      return extent === undefined || (at >= 0 && at < extent);
    });
    return isInside ? evaluate(value, this.#surroundings([], own)) : 0;
  }

  #gather({ combine, type, value, position }: Accumulator, state: Gathered): void {
    const next = this.#evaluate(value, []);
    switch (combine) {
      case 'sum':
        state.value = type === 'f32' ? this.#rounded(state.value + next) : (state.value + next) | 0;
        break;
      case 'prod':
        state.value = type === 'f32' ? this.#rounded(state.value * next) : Math.imul(state.value, next);
        break;
      case 'max':
        state.value = Math.max(state.value, next);
        break;
      case 'min':
        state.value = Math.min(state.value, next);
        break;
      case 'argmax':
      case 'argmin': {
        const isBetter = combine === 'argmax' ? next > state.value : next < state.value;
        if (state.isEmpty || isBetter || (Number.isNaN(next) && !Number.isNaN(state.value))) {
          state.value = next;
          state.position = this.#index(position!);
        }
        break;
      }
    }
    state.isEmpty = false;
  }

  /** Every value is computed before the first is stored. */
  #store({ stores }: LoopNest | ContractionNest, accumulators: readonly number[]): void {
    const values = stores.map(({ value }) => this.#evaluate(value, accumulators));
    const places = stores.map(({ access }) =>
      this.#place(
        access,
        access.dynamic.map(({ value }) => this.#evaluate(value, accumulators)),
        this.#point,
      ),
    );
    stores.forEach(({ access, mode }, i) => {
      const view = this.#views[access.buffer]!;
      const place = places[i]!;
      view[place] = mode === 'add' ? view[place]! + values[i]! : values[i]!;
    });
  }

  #evaluate(expression: Expression, accumulators: readonly number[]): number {
    return evaluate(expression, this.#surroundings(accumulators, this.#point));
  }

  #surroundings(accumulators: readonly number[], point: ReadonlyMap<string, number>): Surroundings {
    return {
      accumulators,
      index: (affine) => this.#index(affine, point),
      load: (access, dynamic) => this.#views[access.buffer]![this.#place(access, dynamic, point)]!,
    };
  }

  #place({ buffer, address, dynamic }: Access, values: readonly number[], point: ReadonlyMap<string, number>): number {
    const place = dynamic.reduce(
      (sum, { stride, extent, outside, where }, i) => {
        const index = values[i]!;
        if (outside === 'raise' && (index < 0 || index >= extent)) failIndex(where, index, extent);
        return sum + stride * Math.min(Math.max(0, index), extent - 1);
      },
      this.#index(address, point),
    );
    const { length } = this.#views[buffer]!;
    if (!(place >= 0 && place < length)) throw new InternalError(`b${buffer}[${place}] lies outside 0 … ${length - 1}`);
    return place;
  }

  #index({ constant, terms }: Affine, point: ReadonlyMap<string, number> = this.#point): number {
    let sum = constant;
    for (const name in terms) {
      const value = point.get(name);
      if (value === undefined) throw new InternalError(`${name} is no axis here`);
      sum += terms[name]! * value;
    }
    return sum;
  }

  #rounded(value: number): number {
    return this.#options.accumulate === 'float32' ? Math.fround(value) : value;
  }

  #each(axes: readonly Axis[], backwards: boolean, visit: () => void): void {
    const [axis, ...inner] = axes;
    if (!axis) {
      visit();
      return;
    }
    for (let i = 0; i < axis.size; i++) {
      this.#point.set(axis.name, backwards ? axis.size - 1 - i : i);
      this.#each(inner, backwards, visit);
    }
    this.#point.delete(axis.name);
  }
}

interface Gathered {
  value: number;
  position: number;
  isEmpty: boolean;
}

const startOf = ({ combine, type }: Accumulator): Gathered => {
  return { value: identityOf(combine, type), position: 0, isEmpty: true };
};

const resultOf = ({ value, position }: Gathered, { combine, type }: Accumulator): number => {
  if (combine === 'argmax' || combine === 'argmin') return position;
  return type === 'f32' ? Math.fround(value) : value;
};
