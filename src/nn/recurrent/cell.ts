import { fail, formatShape, type Parameter, type Shape, type Tensor } from '../../core/index.js';
import { Layer } from '../layer.js';

/** What a cell hands on from step to step, by name. */
export type CellState = Readonly<Record<string, Tensor>>;

export interface CellInput<State extends CellState> {
  /** [batch, inputs] */
  readonly x: Tensor;
  readonly state: State;
}

export interface StepOptions {
  /** What recurrent dropout leaves of a state where it enters a product; the state itself where there is none. */
  readonly drop: (state: Tensor) => Tensor;
}

const keepAll: StepOptions = { drop: (state) => state };

/**
 * One step of a recurrent network. `recurrent(cell)` runs it over sequences in one compiled loop, whoever wrote it.
 *
 * Written in two parts: `project` is what does not depend on the state and is done for all steps at once before the loop, `step` is
 * the loop's body. `forward` is both for one step.
 *
 * @example
 * class Leaky extends Cell<{ h: Tensor }> {
 *   readonly stateShapes = { h: [64] };
 *   readonly kernel = this.parameter('kernel', [32, 64], 'glorotUniform');
 *   readonly recurrentKernel = this.parameter('recurrentKernel', [64, 64], initializers.orthogonal());
 *   override project(x: Tensor): Tensor {
 *     return x.matmul(this.kernel);
 *   }
 *   step(x: Tensor, { h }: { h: Tensor }) {
 *     return { h: h.mul(0.9).add(x.add(h.matmul(this.recurrentKernel)).tanh().mul(0.1)) };
 *   }
 *   output({ h }: { h: Tensor }): Tensor {
 *     return h;
 *   }
 * }
 */
export abstract class Cell<State extends CellState = CellState> extends Layer<CellInput<State>, State> {
  /** Shape of each part of the state, without the batch. */
  abstract readonly stateShapes: { readonly [Name in keyof State]: Shape };

  /** What of the inputs does not depend on the state: [..., inputs] -> [..., anything]. Unless overridden, the inputs themselves. */
  project(x: Tensor): Tensor {
    return x;
  }

  /**
   * The next state.
   *
   * @param x of one step, as `project` gives it: [batch, anything]
   */
  abstract step(x: Tensor, state: State, options: StepOptions): State;

  /** What the layer gives of a state: [batch, units]. */
  abstract output(state: State): Tensor;

  forward({ x, state }: CellInput<State>): State {
    return this.step(this.project(x), state, keepAll);
  }
}

/** Inputs times a kernel: [..., inputs] · [inputs, units], or the kernel's rows where integers stand for one-hot vectors. */
export const inputProduct = (x: Tensor, kernel: Parameter): Tensor =>
  x.dtype === 'float32' ? x.matmul(kernel) : kernel.value.take(x);

/** Parts of equal size along the last axis, such as the gates of an LSTM. */
export function gates(x: Tensor, count: number): Tensor[] {
  const size = x.shape.at(-1)! / count;
  const before = x.shape.slice(0, -1).map(() => undefined);
  return Array.from({ length: count }, (_, i) => x.slice(...before, [i * size, (i + 1) * size]));
}

/** Checks that a sequence is one. @returns its steps first: [steps, batch, …] */
export function stepsFirst(where: string, x: Tensor): Tensor {
  const isSequence = x.dtype === 'float32' ? x.rank === 3 : x.rank === 2;
  if (!isSequence)
    fail(
      `${where}: takes float32 [batch, steps, inputs] or integers [batch, steps]: got ${x.dtype} ${formatShape(x.shape)}`,
      x.dtype === 'float32'
        ? 'Before it, a layer that returns only its last step needs returnSequences: true.'
        : 'Integers stand for one-hot vectors, one a step.',
    );
  return x.transpose([1, 0, ...(x.rank === 3 ? [2] : [])]);
}
