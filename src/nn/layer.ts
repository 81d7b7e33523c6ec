import { fail, KilnError, Parameter, type Shape, type Tensor, withLabel } from '../core/index.js';
import { type Context, inference } from './context.js';
import { type InitializerLike, initializerOf } from './initializers.js';
import { passMask } from './mask.js';
import type { ParameterEntry, ParameterSettings } from './parameter-entry.js';
import type { Signature } from './signature.js';

/** A layer of any inputs and outputs. */
export type AnyLayer = Layer<never, unknown>;

/**
 * A part of a network: parameters, and a forward pass that reads as its formula.
 *
 * An own class registers what it is made of, so that it is found by path, initialised, saved and trained:
 * @example
 * class Residual extends Layer {
 *   readonly conv = this.layer('conv', new Conv2D(64, 64, 3, { padding: 'same' }));
 *   readonly norm = this.layer('norm', new BatchNorm(64));
 *   readonly scale = this.parameter('scale', [64], 'ones');
 *   forward(x: Tensor, context?: Context): Tensor {
 *     return x.add(this.norm.forward(this.conv.forward(x), context).mul(this.scale));
 *   }
 * }
 */
export abstract class Layer<In = Tensor, Out = Tensor> {
  readonly #members = new Map<string, AnyLayer | ParameterEntry>();
  #parent: AnyLayer | undefined;
  #name = '';

  constructor() {
    // every forward runs under its layer's path, also where an own class calls it: nodes and errors name the layer
    const forward = this.forward;
    this.forward = (x: In, context: Context = inference): Out => {
      const y = underPath(this, () => forward.call(this, x, context));
      if (this.passesMask) passMask(x, y);
      return y;
    };
  }

  /** @param context training or inference (inference) */
  abstract forward(x: In, context?: Context): Out;

  /** What its default name begins with, and Keras's name of its class in snake case: `conv2d` gives `conv2d_1`. */
  get kind(): string {
    return this.constructor.name.replace(/(?<=[a-z0-9])(?=[A-Z][a-z])/g, '_').toLowerCase() || 'layer';
  }

  /** Where it stands in the model it was first made part of (`encoder/conv2d_1`); empty for the model itself. */
  get path(): string {
    const above = (this.#parent as Layer | undefined)?.path;
    return above ? `${above}/${this.#name}` : this.#name;
  }

  /** All parameters by path, trainable and not, in the order in which they were registered. */
  parameters(): Record<string, Parameter> {
    return Object.fromEntries(this.entries().map(({ path, parameter }) => [path, parameter]));
  }

  /** @internal The parameters with what is known of them beyond their value. A shared one is listed where it comes first. */
  entries(): ParameterEntry[] {
    const seen = new Set<Parameter>();
    return [...this.#members].flatMap(([name, member]) => {
      const below =
        member instanceof Layer
          ? member.entries().map((entry) => ({ ...entry, path: `${name}/${entry.path}` }))
          : [{ ...member, path: name }];
      return below.filter(({ parameter }) => !seen.has(parameter) && seen.add(parameter));
    });
  }

  /** The layers it is made of, by name. */
  sublayers(): Record<string, AnyLayer> {
    return Object.fromEntries(
      [...this.#members].filter((pair): pair is [string, AnyLayer] => pair[1] instanceof Layer),
    );
  }

  /**
   * @internal The [height, width, channels] whose flattening orders this layer's output, given what comes in; `undefined`
   * where it has no such order. Layouts with channels first need it.
   */
  flattenedFrom(_incoming: Signature): Shape | undefined {
    return undefined;
  }

  /** @internal Whether each step of its output is made of the same step of its input, so that a mask of the one is the other's. */
  get passesMask(): boolean {
    return false;
  }

  /** @internal The only size of batch it takes, because it keeps something of each sample; `undefined` for any. */
  get batchSize(): number | undefined {
    for (const sublayer of Object.values(this.sublayers())) {
      const size = sublayer.batchSize;
      if (size !== undefined) return size;
    }
    return undefined;
  }

  /** Registers a parameter under `name` and returns it. */
  protected parameter(
    name: string,
    shape: Shape,
    initializer: InitializerLike,
    { dtype = 'float32', trainable = true, ...rest }: ParameterSettings = {},
  ): Parameter {
    const parameter = new Parameter(name, shape, { dtype, trainable });
    this.#register(name, { path: name, parameter, initializer: initializerOf(initializer), ...rest });
    return parameter;
  }

  /** Registers a layer under `name` and returns it. */
  protected layer<L extends AnyLayer>(name: string, sublayer: L): L {
    this.#register(name, sublayer);
    sublayer.#adopt(this as unknown as AnyLayer, name);
    return sublayer;
  }

  /** Registers layers under their default names (`dense_1`, `dense_2`, …) and returns them. */
  protected layers<const L extends readonly AnyLayer[]>(sublayers: L): L {
    for (const sublayer of sublayers) this.layer(this.#freeName(sublayer.kind), sublayer);
    return sublayers;
  }

  #freeName(kind: string): string {
    let index = 1;
    while (this.#members.has(`${kind}_${index}`)) index++;
    return `${kind}_${index}`;
  }

  #register(name: string, member: AnyLayer | ParameterEntry): void {
    const where = this.path || this.kind;
    if (name === '' || name.includes('/'))
      fail(
        `${where}: "${name}" is not a name`,
        'A name has at least one character and no "/", which parts a path.',
        KilnError,
      );
    if (this.#members.has(name))
      fail(`${where}: has two members named ${name}`, 'Give one of them another name.', KilnError);
    this.#members.set(name, member);
    this.#rename();
  }

  /** A layer that is part of several models keeps the path of the first. */
  #adopt(parent: AnyLayer, name: string): void {
    if (this.#parent) return;
    this.#parent = parent;
    this.#name = name;
    this.#rename();
  }

  #rename(): void {
    for (const [name, member] of this.#members) {
      if (!(member instanceof Layer)) member.parameter.name = this.path ? `${this.path}/${name}` : name;
      else if (member.#parent === (this as unknown)) member.#rename();
    }
  }
}

const named = new WeakSet<Error>();

/** Runs `f` with the layer's path on the nodes it makes, and in front of the error it throws. */
function underPath<T>(layer: { readonly path: string }, f: () => T): T {
  const { path } = layer;
  if (path === '') return f();
  try {
    return withLabel(path, f);
  } catch (error) {
    if (error instanceof KilnError && !named.has(error)) {
      named.add(error);
      const message = `${path}: ${error.message}`;
      // the stack is a text that begins with the message
      error.stack = error.stack?.replace(error.message, () => message) ?? '';
      error.message = message;
    }
    throw error;
  }
}

/** The parameters that optimisers change, by path. */
export function trainableParameters(model: AnyLayer): Record<string, Parameter> {
  return Object.fromEntries(Object.entries(model.parameters()).filter(([, parameter]) => parameter.trainable));
}
