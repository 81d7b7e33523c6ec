import type { Parameter, Tensor } from '../../core/index.js';

/** Changes parameters by their gradients. All optimisers have this interface, so that one can replace another. */
export interface Optimizer {
  /** What `run.json` and messages call it (`adam`). */
  readonly name: string;
  /** float32 scalar: the rate of the next step, or of the last one when a schedule gives it. Set it to change the rate. */
  readonly learningRate: Parameter;
  /**
   * One step; to be called inside a compiled step or outside.
   *
   * @param parameters by path; those that are not trainable are left alone
   * @param gradients  by the same paths
   * @param options    when: a bool scalar; where it is false nothing changes, not even the step counter
   * @throws KilnError if a trainable parameter has no gradient
   */
  update(
    parameters: Readonly<Record<string, Parameter>>,
    gradients: Readonly<Record<string, Tensor>>,
    options?: UpdateOptions,
  ): void;
  /** Makes the state for these parameters where it does not exist yet; `update` calls it, and so does who reads a checkpoint. */
  prepare(parameters: Readonly<Record<string, Parameter>>): void;
  /** The step counter, the rate and the moments, by path (`moment1/conv2d_1/kernel`): what a checkpoint holds. */
  state(): Record<string, Parameter>;
}

export interface UpdateOptions {
  readonly when?: Tensor | undefined;
}
