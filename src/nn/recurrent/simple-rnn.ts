import type { Parameter, Tensor } from '../../core/index.js';
import { type ActivationFunction, type ActivationLike, activationOf } from '../activations.js';
import type { NameOption } from '../blueprint.js';
import { type InitializerLike, initializers } from '../initializers.js';
import { Cell, inputProduct, type StepOptions } from './cell.js';
import {
  inputsOf,
  Recurrent,
  type RecurrentBlueprint,
  type RecurrentOptions,
  recurrentBlueprint,
} from './recurrent.js';

export interface CellOptions {
  /** 'tanh' */
  readonly activation?: ActivationLike;
  /** Whether biases are added (true). */
  readonly useBias?: boolean;
  /** 'glorotUniform' */
  readonly kernelInitializer?: InitializerLike;
  /** Orthogonal. */
  readonly recurrentInitializer?: InitializerLike;
  /** 'zeros' */
  readonly biasInitializer?: InitializerLike;
}

export interface HiddenState extends Readonly<Record<string, Tensor>> {
  /** [batch, units] */
  readonly h: Tensor;
}

/** h = activation(x · kernel + h · recurrentKernel + bias). x: [batch, inputs] -> h: [batch, units]. */
export class SimpleRNNCell extends Cell<HiddenState> {
  readonly stateShapes: { readonly h: readonly [number] };
  /** [inputs, units] */
  readonly kernel: Parameter;
  /** [units, units] */
  readonly recurrentKernel: Parameter;
  readonly bias: Parameter | undefined;
  readonly activation: ActivationFunction;

  constructor(inputs: number, units: number, options: CellOptions = {}) {
    super();
    const { useBias = true, kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = options;
    const { recurrentInitializer = initializers.orthogonal() } = options;
    this.stateShapes = { h: [units] };
    this.kernel = this.parameter('kernel', [inputs, units], kernelInitializer);
    this.recurrentKernel = this.parameter('recurrentKernel', [units, units], recurrentInitializer);
    this.bias = useBias ? this.parameter('bias', [units], biasInitializer) : undefined;
    this.activation = activationOf(options.activation ?? 'tanh');
  }

  override get kind(): string {
    return 'simple_rnn_cell';
  }

  override project(x: Tensor): Tensor {
    const product = inputProduct(x, this.kernel);
    return this.bias ? product.add(this.bias) : product;
  }

  step(x: Tensor, { h }: HiddenState, { drop }: StepOptions): HiddenState {
    return { h: this.activation(x.add(drop(h).matmul(this.recurrentKernel))) };
  }

  output({ h }: HiddenState): Tensor {
    return h;
  }
}

export interface SimpleRNNOptions extends CellOptions, RecurrentOptions {}

/**
 * Elman's network: see `SimpleRNNCell` for its formula. [batch, steps, inputs] -> [batch, units], or [batch, steps, units] with
 * `returnSequences`.
 *
 * PyTorch's RNN has two biases; `bias` is their sum, and its weights are ours transposed: `kernel` = weight_ih_l0ᵀ,
 * `recurrentKernel` = weight_hh_l0ᵀ.
 *
 * @see Elman 1990, "Finding structure in time"
 */
export class SimpleRNN extends Recurrent<HiddenState> {
  constructor(inputs: number, units: number, options: SimpleRNNOptions = {}) {
    super(new SimpleRNNCell(inputs, units, options), options);
  }

  override get kind(): string {
    return 'simple_rnn';
  }
}

/** @example simpleRnn(64, { returnSequences: true }) */
export const simpleRnn = (units: number, options: SimpleRNNOptions & NameOption = {}): RecurrentBlueprint =>
  recurrentBlueprint((incoming, all) => new SimpleRNN(inputsOf('simpleRnn', incoming), units, all), options);
