import {
  fail,
  formatShape,
  KilnError,
  Parameter,
  sameShape,
  sizeOf,
  type Tensor,
  withLabel,
} from '../../core/index.js';
import type { Schedule } from '../schedules/schedule.js';
import type { Optimizer, UpdateOptions } from './optimizer.js';

/** A number, or a schedule such as `cosine({ … })`. */
export type LearningRate = number | Schedule;

/** What an optimiser does to one parameter; the rest is the same for all. */
export interface UpdateRule<Scalars, Slot extends string> {
  readonly name: string;
  readonly learningRate: LearningRate;
  /** State of each parameter in its shape, with the number it begins with. */
  readonly slots: Readonly<Record<Slot, number>>;
  /**
   * What is computed once for all parameters.
   * @param step float32 scalar, 1 at the first step
   */
  readonly scalars: (rate: Tensor, step: Tensor) => Scalars;
  /** The parameter's next value, and its slots'. */
  readonly change: (
    value: Tensor,
    gradient: Tensor,
    slots: Readonly<Record<Slot, Tensor>>,
    scalars: Scalars,
  ) => { readonly value: Tensor } & Readonly<Record<Slot, Tensor>>;
}

class RuleOptimizer<Scalars, Slot extends string> implements Optimizer {
  readonly name: string;
  readonly learningRate: Parameter;
  readonly #rule: UpdateRule<Scalars, Slot>;
  readonly #step = new Parameter('step', [], { dtype: 'int32', trainable: false });
  /** By slot and path (`moment1/conv2d_1/kernel`). */
  readonly #slots = new Map<string, Parameter>();

  constructor(rule: UpdateRule<Scalars, Slot>) {
    this.#rule = rule;
    this.name = rule.name;
    this.learningRate = new Parameter('learningRate', [], { trainable: false });
    const { learningRate: rate } = rule;
    if (typeof rate === 'number' && !Number.isFinite(rate))
      fail(`${rule.name}: learningRate ${rate}`, 'Give a number, or a schedule such as cosine({ … }).', KilnError);
    beginsWith(this.learningRate, typeof rate === 'number' ? rate : 0);
    beginsWith(this.#step, 0);
  }

  prepare(parameters: Readonly<Record<string, Parameter>>): void {
    for (const [path, parameter] of trainable(parameters)) {
      for (const [slot, first] of Object.entries<number>(this.#rule.slots)) {
        const name = `${slot}/${path}`;
        const known = this.#slots.get(name);
        if (!known) {
          const made = new Parameter(name, parameter.shape, { trainable: false });
          beginsWith(made, first);
          this.#slots.set(name, made);
        } else if (!sameShape(known.shape, parameter.shape)) {
          fail(
            `${this.name}: ${path} was ${formatShape(known.shape)}, is now ${formatShape(parameter.shape)}`,
            'An optimiser belongs to one model; make another for another model.',
            KilnError,
          );
        }
      }
    }
  }

  state(): Record<string, Parameter> {
    return { step: this.#step, learningRate: this.learningRate, ...Object.fromEntries(this.#slots) };
  }

  update(
    parameters: Readonly<Record<string, Parameter>>,
    gradients: Readonly<Record<string, Tensor>>,
    { when }: UpdateOptions = {},
  ): void {
    this.prepare(parameters);
    const set = (parameter: Parameter, value: Tensor): void =>
      parameter.assign(when ? when.select(value, parameter.value) : value);
    const { learningRate, slots, scalars, change } = this.#rule;
    const done = this.#step.value;
    const rate = typeof learningRate === 'number' ? this.learningRate.value : learningRate(done.cast('float32'));
    if (typeof learningRate !== 'number') set(this.learningRate, rate);
    const next = done.add(1);
    const shared = scalars(rate, next.cast('float32'));
    set(this.#step, next);
    for (const [path, parameter] of trainable(parameters)) {
      const gradient = gradients[path];
      if (!gradient)
        fail(
          `${this.name}: there is no gradient for ${path}`,
          'Take the gradients with regard to the same parameters: valueAndGrad(loss, model.parameters()).',
          KilnError,
        );
      const own = Object.keys(slots).map((slot) => [slot, this.#slots.get(`${slot}/${path}`)!] as const);
      const before = Object.fromEntries(own.map(([slot, held]) => [slot, held.value])) as Record<Slot, Tensor>;
      withLabel(updateLabel(path), () => {
        const { value, ...after } = change(parameter.value, gradient, before, shared);
        set(parameter, value);
        for (const [slot, held] of own) set(held, (after as Record<string, Tensor>)[slot]!);
      });
    }
  }
}

/** `conv2d_1/kernel` gives `conv2d_1 update`. */
const updateLabel = (path: string): string => `${path.slice(0, Math.max(0, path.lastIndexOf('/')))} update`.trim();

const trainable = (parameters: Readonly<Record<string, Parameter>>): [string, Parameter][] =>
  Object.entries(parameters).filter(([, parameter]) => parameter.trainable);

function beginsWith(parameter: Parameter, value: number): void {
  const { shape, dtype } = parameter;
  parameter.initialize(() => ({
    shape,
    dtype,
    data: (dtype === 'int32' ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape))).fill(value),
  }));
}

/** An optimiser from its rule: state by parameter, the step counter and the rate are the same for all. */
export const optimizerOf = <Scalars, Slot extends string>(rule: UpdateRule<Scalars, Slot>): Optimizer =>
  new RuleOptimizer(rule);
