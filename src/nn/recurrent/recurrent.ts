import {
  arange,
  asTensor,
  bernoulli,
  fail,
  formatShape,
  KilnError,
  type Parameter,
  type Shape,
  scan,
  streamOf,
  type Tensor,
  withLabel,
  zeros,
} from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { type Context, inference } from '../context.js';
import { type AnyLayer, Layer } from '../layer.js';
import { maskOf, withMask } from '../mask.js';
import type { Signature } from '../signature.js';
import { type Cell, type CellState, type StepOptions, stepsFirst } from './cell.js';

export interface RecurrentOptions {
  /** Whether the output of every step is given, or only the last (false). */
  readonly returnSequences?: boolean;
  /** From the last step to the first; the outputs come in that order, as in Keras (false). */
  readonly goBackwards?: boolean;
  /** Begins each batch with the state that the one before left: see `resetStates` (false). Needs `batchSize`. */
  readonly stateful?: boolean;
  /** Of a stateful layer: every batch has so many sequences. */
  readonly batchSize?: number;
  /** Fraction of the inputs that is dropped in training, the same ones at every step of a sequence (0). */
  readonly dropout?: number;
  /** The same of the state where it enters a product (0). @see Gal & Ghahramani 2016, arXiv:1512.05287 */
  readonly recurrentDropout?: number;
}

/** A sequence [batch, steps, inputs], or with it which steps count: bool [batch, steps]. */
export type Sequence = Tensor | readonly [x: Tensor, mask: Tensor];

export interface RunOptions<State extends CellState> {
  /** bool [batch, steps]: where it is false, a step is skipped and the state stays. That of the sequence, unless given. */
  readonly mask?: Tensor | undefined;
  /** Zeros, or what the last batch left in a stateful layer. */
  readonly initialState?: State | undefined;
  /** inference */
  readonly context?: Context | undefined;
}

export interface RunResult<State extends CellState> {
  /** The output of every step, in the order of the inputs whatever the direction: [batch, steps, units]. */
  readonly outputs: Tensor;
  /** That of the last step that was run: [batch, units]. */
  readonly last: Tensor;
  readonly state: State;
}

/**
 * A cell run over sequences in one compiled loop: [batch, steps, inputs] -> [batch, units], or [batch, steps, units] with
 * `returnSequences`. Integers [batch, steps] stand for one-hot vectors.
 *
 * A mask comes with the sequence (`[x, mask]`), or from an Embedding with `maskZero`; the outputs of skipped steps repeat those
 * before them.
 */
export class Recurrent<State extends CellState = CellState> extends Layer<Sequence> {
  readonly cell: Cell<State>;
  readonly returnSequences: boolean;
  readonly goBackwards: boolean;
  readonly dropout: number;
  readonly recurrentDropout: number;
  /** What a stateful layer carries from batch to batch, by the names of the cell's state. */
  readonly carried: { readonly [Name in keyof State]: Parameter } | undefined;
  /** int32 [3]: seed, step, 0; where something is dropped. */
  readonly key: Parameter | undefined;
  readonly #batchSize: number | undefined;

  constructor(cell: Cell<State>, options: RecurrentOptions = {}) {
    super();
    const { returnSequences = false, goBackwards = false, stateful = false, batchSize } = options;
    const { dropout = 0, recurrentDropout = 0 } = options;
    this.cell = this.layer('cell', cell);
    this.returnSequences = returnSequences;
    this.goBackwards = goBackwards;
    this.dropout = checkRate(this.kind, 'dropout', dropout);
    this.recurrentDropout = checkRate(this.kind, 'recurrentDropout', recurrentDropout);
    if (dropout > 0 || recurrentDropout > 0)
      this.key = this.parameter('key', [3], (_, { seed }) => [seed | 0, 0, 0], { dtype: 'int32', trainable: false });
    this.#batchSize = stateful ? batchSize : undefined;
    this.carried = stateful ? this.#stateParameters(batchSize) : undefined;
  }

  #stateParameters(batchSize: number | undefined): { readonly [Name in keyof State]: Parameter } {
    if (batchSize === undefined)
      fail(
        `${this.kind}: is stateful without a batchSize`,
        'The state of every sequence of a batch is kept: give batchSize, the number of sequences.',
        KilnError,
      );
    return mapState(this.cell.stateShapes, (shape, name) =>
      this.parameter(`state_${name}`, [batchSize, ...shape], 'zeros', { trainable: false, role: { is: 'state' } }),
    );
  }

  override get kind(): string {
    return 'recurrent';
  }

  override get batchSize(): number | undefined {
    return this.#batchSize;
  }

  /** The next batch begins with zeros again. */
  resetStates(): void {
    for (const parameter of Object.values<Parameter>(this.carried ?? {})) parameter.assign(zeros(parameter.shape));
  }

  forward(input: Sequence, context: Context = inference): Tensor {
    const [x, given] = Array.isArray(input) ? (input as [Tensor, Tensor]) : [input as Tensor, undefined];
    const mask = given ?? maskOf(x);
    const { outputs, last } = this.run(x, { mask, context });
    if (!this.returnSequences) return last;
    return withMask(this.goBackwards ? outputs.flip(1) : outputs, this.goBackwards ? mask?.flip(1) : mask);
  }

  /**
   * The same with all that comes out of it, for networks that hand states on, such as encoder and decoder. What is not used is not
   * computed.
   */
  run(x: Tensor, { mask = maskOf(x), initialState, context = inference }: RunOptions<State> = {}): RunResult<State> {
    const where = this.path || this.kind;
    const sequence = stepsFirst(where, x);
    const batch = sequence.shape[1]!;
    this.#checkBatch(where, batch, mask, x.shape);
    const { inputs, drop } = this.#dropped(sequence, context);
    const begin = initialState ?? this.#firstState(batch);
    const step = (state: State, [projected, counts]: readonly [Tensor, Tensor | undefined]): [State, Tensor] =>
      withLabel(where, () => {
        const after = this.cell.step(projected, state, { drop });
        const next = counts ? (mapState(after, (part, name) => chosen(counts, part, state[name]!)) as State) : after;
        return [next, this.cell.output(next)];
      });
    const [state, outputs] = scan(step, begin, [this.cell.project(inputs), mask?.transpose()] as const, {
      reverse: this.goBackwards,
    });
    if (this.carried && !initialState)
      for (const [name, parameter] of Object.entries<Parameter>(this.carried)) parameter.assign(state[name]!);
    return { outputs: outputs.transpose([1, 0, 2]), last: this.cell.output(state), state };
  }

  #firstState(batch: number): State {
    if (this.carried) return mapState(this.carried, ({ value }) => value) as State;
    return mapState(this.cell.stateShapes, (shape) => zeros([batch, ...shape])) as State;
  }

  /** Masks are drawn once for all steps, outside the loop: within it nothing can be assigned, the key's step either. */
  #dropped(x: Tensor, { mode }: Context): StepOptions & { readonly inputs: Tensor } {
    const { key, dropout, recurrentDropout } = this;
    if (!key || mode === 'inference') return { inputs: x, drop: (state) => state };
    const kept = (shape: Shape, rate: number, what: string): Tensor =>
      bernoulli(key, shape, { probability: 1 - rate, stream: streamOf(`${key.name}/${what}`) }).select(
        asTensor(1 / (1 - rate)),
        0,
      );
    if (dropout > 0 && x.rank !== 3)
      fail(
        `${this.kind}: dropout of one-hot vectors that are given as integers`,
        'Drop in an Embedding before it, or leave dropout at 0; recurrentDropout works.',
        KilnError,
      );
    const inputs = dropout > 0 ? x.mul(kept(x.shape.slice(1), dropout, 'inputs')) : x;
    const byShape = new Map<string, Tensor>();
    if (recurrentDropout > 0)
      for (const shape of Object.values<Shape>(this.cell.stateShapes)) {
        const full = [x.shape[1]!, ...shape];
        byShape.set(formatShape(full), kept(full, recurrentDropout, `state${formatShape(shape)}`));
      }
    key.assign(key.value.add(arange(3).equal(1)));
    const drop = (state: Tensor): Tensor => {
      const mask = byShape.get(formatShape(state.shape));
      return mask ? state.mul(mask) : state;
    };
    return { inputs, drop };
  }

  #checkBatch(where: string, batch: number, mask: Tensor | undefined, shape: Shape): void {
    const size = this.#batchSize;
    if (size !== undefined && batch !== size)
      fail(
        `${where}: carries the state of ${size} sequences, the batch has ${batch}`,
        `Give batches of ${size}, or build the layer with batchSize: ${batch}.`,
      );
    if (mask && (mask.dtype !== 'bool' || formatShape(mask.shape) !== formatShape(shape.slice(0, 2))))
      fail(
        `${where}: the mask is ${mask.dtype} ${formatShape(mask.shape)}, the sequence ${formatShape(shape)}`,
        `A mask is bool ${formatShape(shape.slice(0, 2))}: true where a step counts.`,
      );
  }
}

const mapState = <S extends object, R>(
  state: S,
  f: (part: S[keyof S], name: string) => R,
): { readonly [Name in keyof S]: R } =>
  Object.fromEntries(Object.entries(state).map(([name, part]) => [name, f(part as S[keyof S], name)])) as {
    readonly [Name in keyof S]: R;
  };

/** `then` in the rows where `counts` [batch] is true. */
const chosen = (counts: Tensor, then: Tensor, otherwise: Tensor): Tensor =>
  counts.reshape([counts.shape[0]!, ...then.shape.slice(1).map(() => 1)]).select(then, otherwise);

function checkRate(where: string, name: string, rate: number): number {
  if (!(rate >= 0 && rate < 1))
    fail(`${where}: ${name} ${rate}`, 'It is the probability to drop an element: at least 0, below 1.', KilnError);
  return rate;
}

/** Lets every stateful layer of a model begin with zeros again: where a new text, or a new epoch, begins. */
export function resetStates(model: AnyLayer): void {
  if (model instanceof Recurrent) model.resetStates();
  for (const layer of Object.values(model.sublayers())) resetStates(layer);
}

/** A builder that can also make the same layer for the other direction. */
export interface RecurrentBlueprint extends Blueprint {
  readonly build: (incoming: Signature) => Recurrent;
  readonly buildBackwards: (incoming: Signature) => Recurrent;
}

/** The builder of a recurrent layer. `make` is called with `goBackwards` as it is to be. */
export function recurrentBlueprint<Options extends RecurrentOptions & NameOption>(
  make: (incoming: Signature, options: Options) => Recurrent,
  options: Options,
): RecurrentBlueprint {
  const build = (incoming: Signature): Recurrent => make(incoming, options);
  const buildBackwards = (incoming: Signature): Recurrent =>
    make(incoming, { ...options, goBackwards: !options.goBackwards });
  return Object.assign(blueprint(build, options), { build, buildBackwards });
}

/** Numbers a step of what comes in. */
export function inputsOf(where: string, { shape, dtype }: Signature): number {
  const inputs = shape[1];
  if (shape.length !== 2 || inputs === undefined || dtype !== 'float32')
    fail(
      `${where}: takes sequences [steps, inputs] of float32: a sample is ${dtype} ${formatShape(shape)}`,
      'Words and characters go through an embedding first; a layer that returns its last step only needs returnSequences: true.',
    );
  return inputs;
}

/**
 * A cell of one's own as a layer.
 *
 * @param cell made for the number of inputs a step
 * @example sequential({ input: [20, 32] }, [recurrent((inputs) => new MyCell(inputs, 64), { returnSequences: true })])
 */
export const recurrent = <State extends CellState>(
  cell: (inputs: number) => Cell<State>,
  options: RecurrentOptions & NameOption = {},
): RecurrentBlueprint =>
  recurrentBlueprint((incoming, all) => new Recurrent(cell(inputsOf('recurrent', incoming)), all), options);
