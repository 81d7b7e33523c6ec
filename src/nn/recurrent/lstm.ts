import type { Parameter, Tensor } from '../../core/index.js';
import { type ActivationFunction, type ActivationLike, activationOf } from '../activations.js';
import type { NameOption } from '../blueprint.js';
import { type Initializer, initializerOf, initializers } from '../initializers.js';
import { Cell, gates, inputProduct, type StepOptions } from './cell.js';
import {
  inputsOf,
  Recurrent,
  type RecurrentBlueprint,
  type RecurrentOptions,
  recurrentBlueprint,
} from './recurrent.js';
import type { CellOptions } from './simple-rnn.js';

export interface LSTMCellOptions extends CellOptions {
  /** Of the gates ('sigmoid'). */
  readonly recurrentActivation?: ActivationLike;
  /** Whether the forget gate's bias begins with 1, so that a young network remembers (true). @see Jozefowicz et al. 2015 */
  readonly unitForgetBias?: boolean;
  /** Whether the gates see the cell's state: i and f the old one, o the new one (false). @see Gers & Schmidhuber 2000 */
  readonly peepholes?: boolean;
}

export interface LSTMState extends Readonly<Record<string, Tensor>> {
  /** The output: [batch, units] */
  readonly h: Tensor;
  /** The cell: [batch, units] */
  readonly c: Tensor;
}

/**
 * z = x · kernel + h · recurrentKernel + bias, its four parts in Keras's order i, f, c, o;
 * i = σ(z_i + p_i ∘ c), f = σ(z_f + p_f ∘ c), c' = f ∘ c + i ∘ tanh(z_c), o = σ(z_o + p_o ∘ c'), h' = o ∘ tanh(c')
 *
 * x: [batch, inputs] -> h, c: [batch, units]; p only with `peepholes`.
 */
export class LSTMCell extends Cell<LSTMState> {
  readonly stateShapes: { readonly h: readonly [number]; readonly c: readonly [number] };
  /** [inputs, 4 · units] */
  readonly kernel: Parameter;
  /** [units, 4 · units] */
  readonly recurrentKernel: Parameter;
  /** [4 · units] */
  readonly bias: Parameter | undefined;
  /** [3, units]: of i, f and o. They begin with zeros, so that the cell begins as one without. */
  readonly peepholes: Parameter | undefined;
  readonly activation: ActivationFunction;
  readonly recurrentActivation: ActivationFunction;

  constructor(inputs: number, units: number, options: LSTMCellOptions = {}) {
    super();
    const { useBias = true, kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = options;
    const { recurrentInitializer = initializers.orthogonal(), unitForgetBias = true, peepholes = false } = options;
    this.stateShapes = { h: [units], c: [units] };
    this.kernel = this.parameter('kernel', [inputs, 4 * units], kernelInitializer);
    this.recurrentKernel = this.parameter('recurrentKernel', [units, 4 * units], recurrentInitializer);
    const first = initializerOf(biasInitializer);
    const bias = unitForgetBias ? withUnitForget(first) : first;
    this.bias = useBias ? this.parameter('bias', [4 * units], bias) : undefined;
    this.peepholes = peepholes ? this.parameter('peepholes', [3, units], 'zeros') : undefined;
    this.activation = activationOf(options.activation ?? 'tanh');
    this.recurrentActivation = activationOf(options.recurrentActivation ?? 'sigmoid');
  }

  override get kind(): string {
    return 'lstm_cell';
  }

  override project(x: Tensor): Tensor {
    const product = inputProduct(x, this.kernel);
    return this.bias ? product.add(this.bias) : product;
  }

  step(x: Tensor, { h, c }: LSTMState, { drop }: StepOptions): LSTMState {
    const z = x.add(drop(h).matmul(this.recurrentKernel));
    const [i, f, g, o] = gates(z, 4) as [Tensor, Tensor, Tensor, Tensor];
    const seen = (gate: number, cell: Tensor): Tensor | number => this.peepholes?.value.slice(gate).mul(cell) ?? 0;
    const gate = (part: Tensor, index: number, cell: Tensor): Tensor =>
      this.recurrentActivation(this.peepholes ? part.add(seen(index, cell)) : part);
    const next = gate(f, 1, c)
      .mul(c)
      .add(gate(i, 0, c).mul(this.activation(g)));
    return { h: gate(o, 2, next).mul(this.activation(next)), c: next };
  }

  output({ h }: LSTMState): Tensor {
    return h;
  }
}

/** Ones in the second quarter, where the forget gate's bias is. */
const withUnitForget =
  (initializer: Initializer): Initializer =>
  (shape, draw) => {
    const values = Float64Array.from(initializer(shape, draw));
    return values.fill(1, values.length / 4, values.length / 2);
  };

export interface LSTMOptions extends LSTMCellOptions, RecurrentOptions {}

/**
 * Long short-term memory: see `LSTMCell` for its formula. [batch, steps, inputs] -> [batch, units], or [batch, steps, units] with
 * `returnSequences`.
 *
 * PyTorch's LSTM (and cuDNN's, MXNet's) has the gates in the order i, f, g, o, which is ours, g being c; its weights are ours
 * transposed, and it has two biases, of which `bias` is the sum: `kernel` = weight_ih_l0ᵀ, `recurrentKernel` = weight_hh_l0ᵀ,
 * `bias` = bias_ih_l0 + bias_hh_l0. TensorFlow's BasicLSTMCell has i, j (our c), f, o in one kernel over [x; h] and adds 1 to f when
 * it runs; char-rnn has i, f, o, c.
 *
 * @see Hochreiter & Schmidhuber 1997; with forget gate Gers et al. 2000
 */
export class LSTM extends Recurrent<LSTMState> {
  constructor(inputs: number, units: number, options: LSTMOptions = {}) {
    super(new LSTMCell(inputs, units, options), options);
  }

  override get kind(): string {
    return 'lstm';
  }
}

/** @example lstm(128, { returnSequences: true }) */
export const lstm = (units: number, options: LSTMOptions & NameOption = {}): RecurrentBlueprint =>
  recurrentBlueprint((incoming, all) => new LSTM(inputsOf('lstm', incoming), units, all), options);
