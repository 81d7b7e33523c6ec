import type { DType, HostArray } from './dtype.js';
import { fail, KilnError } from './errors.js';
import { checkShape, formatShape, type Shape, sameShape } from './shape.js';
import { storageOf, Tensor } from './tensor/tensor.js';
import { currentTrace } from './trace.js';

export interface ParameterOptions {
  readonly dtype?: DType;
  /** Whether optimisers change it (true). Statistics, counters and random keys are not trainable. */
  readonly trainable?: boolean;
}

/**
 * The one thing that changes: a named place that holds a tensor. Inside `compile` and the gradient transforms it is an input
 * where it is read, and an output updated in place where it is assigned.
 */
export class Parameter {
  /** Path in the model (`conv2d_1/kernel`); set when the model is built. */
  name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  trainable: boolean;
  #value: Tensor | undefined;
  #initial: (() => HostArray) | undefined;

  constructor(name: string, shape: Shape, { dtype = 'float32', trainable = true }: ParameterOptions = {}) {
    checkShape(`parameter ${name}`, shape);
    this.name = name;
    this.shape = shape;
    this.dtype = dtype;
    this.trainable = trainable;
  }

  get hasValue(): boolean {
    return this.#value !== undefined || this.#initial !== undefined;
  }

  /** Whether its value is still the one it begins with: neither set since, nor trained. */
  get isInitial(): boolean {
    return this.#initial !== undefined;
  }

  /** The tensor it holds now; inside a trace, the traced one. It keeps its value when the parameter changes. */
  get value(): Tensor {
    const traced = currentTrace()?.read(this);
    if (traced) return traced;
    const value = this.held();
    // from here on somebody may hold it: the next update in place must copy first
    storageOf(value).isShared = true;
    return value;
  }

  /** @throws ShapeError if shape or dtype differ */
  assign(value: Tensor): void {
    if (!sameShape(value.shape, this.shape) || value.dtype !== this.dtype) {
      fail(
        `parameter ${this.name}: is ${this.dtype} ${formatShape(this.shape)}, was assigned ${value.dtype} ${formatShape(value.shape)}`,
        'A parameter keeps its shape and dtype; reshape or cast the new value.',
      );
    }
    const trace = currentTrace();
    if (trace) {
      trace.write(this, value);
      return;
    }
    storageOf(value).isShared = true;
    this.adopt(value);
  }

  /** Sets the value from numbers on the host, as files and initialisers give them. */
  set(array: HostArray): void {
    this.assign(Tensor.fromHost(array));
  }

  /**
   * Gives it the value it begins with, also while a trace is under way: the program will read it. `initial` is called when the
   * value is first needed, so that what a file replaces is never drawn.
   */
  initialize(initial: () => HostArray): void {
    this.#value = undefined;
    this.#initial = initial;
  }

  /** @internal The tensor itself, for a program that reads it or gives its place away. */
  held(): Tensor {
    if (!this.#value && this.#initial) this.#value = Tensor.fromHost(this.#initial());
    if (!this.#value) {
      fail(
        `parameter ${this.name || '(without a name)'}: has no value yet`,
        'Call initialize(model, { seed }) or load(model, file) before the first step.',
        KilnError,
      );
    }
    return this.#value;
  }

  /** @internal Takes what a program wrote in its place. */
  adopt(value: Tensor): void {
    this.#value = value;
    this.#initial = undefined;
  }
}
