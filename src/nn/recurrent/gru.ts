import type { Parameter, Tensor } from '../../core/index.js';
import { type ActivationFunction, type ActivationLike, activationOf } from '../activations.js';
import type { NameOption } from '../blueprint.js';
import { initializers } from '../initializers.js';
import { Cell, gates, inputProduct, type StepOptions } from './cell.js';
import {
  inputsOf,
  Recurrent,
  type RecurrentBlueprint,
  type RecurrentOptions,
  recurrentBlueprint,
} from './recurrent.js';
import type { CellOptions, HiddenState } from './simple-rnn.js';

export interface GRUCellOptions extends CellOptions {
  /** Of the gates ('sigmoid'). */
  readonly recurrentActivation?: ActivationLike;
  /**
   * Whether the reset gate acts on the product of the state, as in Keras, PyTorch and cuDNN, or on the state before the product, as
   * in the paper's first version (true).
   */
  readonly resetAfter?: boolean;
}

/**
 * z = σ(x_z + h_z), r = σ(x_r + h_r), h' = z ∘ h + (1 − z) ∘ n, with x = x · kernel + bias, its three parts in Keras's order z, r, h;
 * - resetAfter: h_z, h_r, h_h are the parts of h · recurrentKernel + recurrent bias, and n = tanh(x_h + r ∘ h_h)
 * - else: the same without recurrent bias, and n = tanh(x_h + (r ∘ h) · U), U the last part of the recurrent kernel
 *
 * x: [batch, inputs] -> h: [batch, units]
 */
export class GRUCell extends Cell<HiddenState> {
  readonly stateShapes: { readonly h: readonly [number] };
  /** [inputs, 3 · units] */
  readonly kernel: Parameter;
  /** [units, 3 · units] */
  readonly recurrentKernel: Parameter;
  /** [2, 3 · units], of the inputs and of the state; without resetAfter [3 · units] */
  readonly bias: Parameter | undefined;
  readonly resetAfter: boolean;
  readonly activation: ActivationFunction;
  readonly recurrentActivation: ActivationFunction;

  constructor(inputs: number, units: number, options: GRUCellOptions = {}) {
    super();
    const { useBias = true, kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = options;
    const { recurrentInitializer = initializers.orthogonal(), resetAfter = true } = options;
    this.stateShapes = { h: [units] };
    this.resetAfter = resetAfter;
    this.kernel = this.parameter('kernel', [inputs, 3 * units], kernelInitializer);
    this.recurrentKernel = this.parameter('recurrentKernel', [units, 3 * units], recurrentInitializer);
    const biasShape = resetAfter ? [2, 3 * units] : [3 * units];
    this.bias = useBias ? this.parameter('bias', biasShape, biasInitializer) : undefined;
    this.activation = activationOf(options.activation ?? 'tanh');
    this.recurrentActivation = activationOf(options.recurrentActivation ?? 'sigmoid');
  }

  override get kind(): string {
    return 'gru_cell';
  }

  override project(x: Tensor): Tensor {
    const product = inputProduct(x, this.kernel);
    if (!this.bias) return product;
    return product.add(this.resetAfter ? this.bias.value.slice(0) : this.bias);
  }

  step(x: Tensor, { h }: HiddenState, { drop }: StepOptions): HiddenState {
    const { z, n } = this.resetAfter ? this.#resetAfter(x, drop(h)) : this.#resetBefore(x, drop(h));
    // z ∘ h + (1 − z) ∘ n, with one product less
    return { h: n.add(z.mul(h.sub(n))) };
  }

  #resetAfter(x: Tensor, h: Tensor): { z: Tensor; n: Tensor } {
    const product = h.matmul(this.recurrentKernel);
    const inner = this.bias ? product.add(this.bias.value.slice(1)) : product;
    const [xz, xr, xh] = gates(x, 3) as [Tensor, Tensor, Tensor];
    const [hz, hr, hh] = gates(inner, 3) as [Tensor, Tensor, Tensor];
    const z = this.recurrentActivation(xz.add(hz));
    const r = this.recurrentActivation(xr.add(hr));
    return { z, n: this.activation(xh.add(r.mul(hh))) };
  }

  #resetBefore(x: Tensor, h: Tensor): { z: Tensor; n: Tensor } {
    const units = h.shape[1]!;
    const kernel = this.recurrentKernel.value;
    const [xz, xr, xh] = gates(x, 3) as [Tensor, Tensor, Tensor];
    const [hz, hr] = gates(h.matmul(kernel.slice(undefined, [0, 2 * units])), 2) as [Tensor, Tensor];
    const z = this.recurrentActivation(xz.add(hz));
    const r = this.recurrentActivation(xr.add(hr));
    const n = this.activation(xh.add(r.mul(h).matmul(kernel.slice(undefined, [2 * units, 3 * units]))));
    return { z, n };
  }

  output({ h }: HiddenState): Tensor {
    return h;
  }
}

export interface GRUOptions extends GRUCellOptions, RecurrentOptions {}

/**
 * Gated recurrent unit: see `GRUCell` for its formula. [batch, steps, inputs] -> [batch, units], or [batch, steps, units] with
 * `returnSequences`.
 *
 * PyTorch's GRU has the gates in the order r, z, n and two biases: swap the first two thirds of the columns of weight_ih_l0ᵀ and
 * weight_hh_l0ᵀ for `kernel` and `recurrentKernel`, and of bias_ih_l0 and bias_hh_l0 for the two rows of `bias`. z weighs the old
 * state there too.
 *
 * @see Cho et al. 2014, arXiv:1406.1078: version 1 has the reset gate after the product, version 3 before it
 */
export class GRU extends Recurrent<HiddenState> {
  constructor(inputs: number, units: number, options: GRUOptions = {}) {
    super(new GRUCell(inputs, units, options), options);
  }

  override get kind(): string {
    return 'gru';
  }
}

/** @example gru(128, { returnSequences: true }) */
export const gru = (units: number, options: GRUOptions & NameOption = {}): RecurrentBlueprint =>
  recurrentBlueprint((incoming, all) => new GRU(inputsOf('gru', incoming), units, all), options);
