import { fail, formatShape, type Parameter, type Shape, type Tensor } from '../../core/index.js';
import { type ActivationFunction, type ActivationLike, activationOf } from '../activations.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import type { InitializerLike } from '../initializers.js';
import { Layer } from '../layer.js';

export interface DenseOptions {
  /** A function, or its name ('linear'). */
  readonly activation?: ActivationLike;
  /** Whether a bias is added (true). */
  readonly useBias?: boolean;
  /** 'glorotUniform'. */
  readonly kernelInitializer?: InitializerLike;
  /** 'zeros'. */
  readonly biasInitializer?: InitializerLike;
  /** The [height, width, channels] that the inputs were flattened from; the builder finds it out. For other weight layouts. */
  readonly flattenedFrom?: Shape | undefined;
}

/** Fully connected layer: y = activation(x · kernel + bias). x: [..., inputs] -> [..., units]. */
export class Dense extends Layer {
  readonly kernel: Parameter;
  readonly bias: Parameter | undefined;
  readonly activation: ActivationFunction;

  constructor(inputs: number, units: number, options: DenseOptions = {}) {
    super();
    const { useBias = true, kernelInitializer = 'glorotUniform', biasInitializer = 'zeros', flattenedFrom } = options;
    this.kernel = this.parameter('kernel', [inputs, units], kernelInitializer, {
      role: { is: 'dense kernel', flattenedFrom },
    });
    this.bias = useBias ? this.parameter('bias', [units], biasInitializer) : undefined;
    this.activation = activationOf(options.activation ?? 'linear');
  }

  override get kind(): string {
    return 'dense';
  }

  override get passesMask(): boolean {
    return true;
  }

  forward(x: Tensor): Tensor {
    const y = x.matmul(this.kernel);
    return this.activation(this.bias ? y.add(this.bias) : y);
  }
}

/**
 * A Dense layer of `units` for whatever comes in.
 *
 * @example dense(128, { activation: 'relu' })
 */
export const dense = (units: number, options: DenseOptions & NameOption = {}): Blueprint =>
  blueprint(({ shape, flattenedFrom }) => {
    const inputs = shape.at(-1);
    if (inputs === undefined)
      fail(`dense: a sample is ${formatShape(shape)}, a single number`, 'Give it an axis: reshape([1]).');
    return new Dense(inputs, units, { flattenedFrom: shape.length === 1 ? flattenedFrom : undefined, ...options });
  }, options);
