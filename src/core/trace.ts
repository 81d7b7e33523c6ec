import { fail, KilnError } from './errors.js';
import { type Graph, GraphBuilder, type Node, type NodeOf, type TensorType } from './graph.js';
import type { Parameter } from './parameter.js';
import type { ParamsOf, PrimitiveName } from './primitives/index.js';
import { Tensor } from './tensor/tensor.js';

/** Where the value of a graph's input comes from when the program runs. */
export type Source =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'capture'; readonly tensor: Tensor }
  | { readonly kind: 'parameter'; readonly parameter: Parameter };

interface Binding {
  current: Tensor;
  isAssigned: boolean;
}

/** A graph in the making: what operations on traced tensors append to. */
export class Trace {
  readonly builder = new GraphBuilder();
  /** One for each input of the graph. */
  readonly sources: Source[] = [];
  readonly parent: Trace | undefined;
  /** Whether it is the body of a loop, a branch or a checkpoint, where nothing can be assigned. */
  readonly isBody: boolean;
  /** Path of the layer whose forward is running. */
  label: string;
  readonly #captured = new Map<Tensor, Tensor>();
  readonly #parameters = new Map<Parameter, Binding>();
  #tags = 0;

  constructor({ parent, isBody = false }: { readonly parent?: Trace | undefined; readonly isBody?: boolean } = {}) {
    this.parent = parent;
    this.isBody = isBody;
    this.label = parent?.label ?? '';
  }

  #input(type: TensorType, source: Source): Tensor {
    this.sources.push(source);
    return Tensor.ofNode(this, this.builder.input(type));
  }

  argument(type: TensorType, index: number): Tensor {
    return this.#input(type, { kind: 'argument', index });
  }

  /** The tensor as this trace sees it: its own, or an input that stands for one from outside. */
  lift(tensor: Tensor): Tensor {
    if (tensor.trace === this) return tensor;
    const known = this.#captured.get(tensor);
    if (known) return known;
    if (tensor.trace && !this.#isInside(tensor.trace)) {
      fail(
        `${tensor}: belongs to a function that has been traced already`,
        'Return it from the compiled function instead of keeping it; state that outlives a step is a Parameter.',
        KilnError,
      );
    }
    const lifted = this.#input(tensor, { kind: 'capture', tensor });
    this.#captured.set(tensor, lifted);
    return lifted;
  }

  #isInside(trace: Trace): boolean {
    return this.parent !== undefined && (this.parent === trace || this.parent.#isInside(trace));
  }

  add<K extends PrimitiveName>(op: K, inputs: readonly Tensor[], params: ParamsOf<K>): Tensor {
    return Tensor.ofNode(this, this.#node(op, inputs, params) as Node);
  }

  /** All results of a primitive that has several. */
  addAll<K extends PrimitiveName>(op: K, inputs: readonly Tensor[], params: ParamsOf<K>): Tensor[] {
    const node = this.#node(op, inputs, params) as Node;
    return node.types.map((_, index) => Tensor.ofNode(this, this.builder.add('part', [node], { index }, this.label)));
  }

  #node<K extends PrimitiveName>(op: K, inputs: readonly Tensor[], params: ParamsOf<K>): NodeOf<K> {
    return this.builder.add(
      op,
      inputs.map((input) => this.lift(input).node!),
      params,
      this.label,
    );
  }

  /** The tensor under a node of its own, with regard to which a gradient can be taken. */
  mark(tensor: Tensor, { barrier = false } = {}): Tensor {
    return this.add('identity', [tensor], { tag: ++this.#tags, barrier });
  }

  read(parameter: Parameter): Tensor {
    return this.#binding(parameter).current;
  }

  #binding(parameter: Parameter): Binding {
    let binding = this.#parameters.get(parameter);
    if (!binding) {
      const current = this.parent
        ? this.lift(this.parent.read(parameter))
        : this.#input(parameter, { kind: 'parameter', parameter });
      binding = { current, isAssigned: false };
      this.#parameters.set(parameter, binding);
    }
    return binding;
  }

  write(parameter: Parameter, value: Tensor): void {
    if (this.isBody) {
      fail(
        `parameter ${parameter.name}: is assigned inside scan, cond or checkpoint`,
        'Carry the value through the loop and assign it after.',
        KilnError,
      );
    }
    const binding = this.#binding(parameter);
    binding.current = this.lift(value);
    binding.isAssigned = true;
  }

  /** Runs `f` while each parameter reads as a marked node; returns those nodes, and leaves assignments as they are. */
  withMarked<T>(parameters: readonly Parameter[], f: () => T): { result: T; marks: Tensor[] } {
    const marks = parameters.map((parameter) => this.mark(this.read(parameter)));
    const before = parameters.map((parameter, i) => {
      const binding = this.#binding(parameter);
      const { current } = binding;
      binding.current = marks[i]!;
      return current;
    });
    try {
      return { result: f(), marks };
    } finally {
      parameters.forEach((parameter, i) => {
        const binding = this.#binding(parameter);
        if (binding.current === marks[i]) binding.current = before[i]!;
      });
    }
  }

  /** Parameters that were assigned, with the tensors they end with. */
  assignments(): (readonly [Parameter, Tensor])[] {
    return [...this.#parameters]
      .filter(([, { isAssigned }]) => isAssigned)
      .map(([parameter, { current }]) => [parameter, current] as const);
  }

  graph(outputs: readonly Tensor[]): Graph {
    return this.builder.graph(outputs.map((output) => this.lift(output).node!));
  }
}

let active: Trace | undefined;

export const currentTrace = (): Trace | undefined => active;

/** Runs `f` with `trace` as the one that operations append to. */
export function withTrace<T>(trace: Trace, f: () => T): T {
  const outer = active;
  active = trace;
  try {
    const result = f();
    if (result instanceof Promise) {
      result.catch(() => undefined); // its own failure is not the one to report
      fail(
        'compile: the function is async',
        'What happens after an await would not be traced: wait before the call, and hand the tensors in.',
        KilnError,
      );
    }
    return result;
  } finally {
    active = outer;
  }
}

/** Runs `f` with the layer path `label` on every node it makes. */
export function withLabel<T>(label: string, f: () => T): T {
  if (!active) return f();
  const outer = active.label;
  active.label = label;
  try {
    return f();
  } finally {
    active.label = outer;
  }
}
