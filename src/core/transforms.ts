import { applyAll, asTensor, type TensorLike, traceBody } from './apply.js';
import { savingBody } from './control-gradients.js';
import { fail, KilnError } from './errors.js';
import { execute, traceFunction } from './execute.js';
import { checkLoss, gradientsIn, orZeros, seedFor } from './gradient.js';
import { inline } from './graph.js';
import { Parameter } from './parameter.js';
import { formatShape } from './shape.js';
import { Tensor } from './tensor/tensor.js';
import { currentTrace, type Trace } from './trace.js';
import { leavesOf, type MapLeaves, mapTree } from './tree.js';

export interface ValueAndGradients<W> {
  readonly value: Tensor;
  /** The tree of `wrt` with each leaf's gradient in its place; zeros where the value does not depend on it. */
  readonly gradients: MapLeaves<W, Parameter | Tensor, Tensor>;
}

/** Runs `f` in the trace under way; without one, traces it and runs the program. Results are a tree of tensors. */
function traced<T>(f: (trace: Trace) => T): T {
  const trace = currentTrace();
  return trace ? f(trace) : execute(traceFunction(f, []), []);
}

/**
 * The value of a loss and its gradients with regard to parameters (or tensors) that it reads.
 *
 * @param f   returns a float32 tensor of one element
 * @param wrt a tree of Parameters and Tensors, such as `model.parameters()`
 * @throws ShapeError if `f` returns anything but one float32 number
 * @example const { value, gradients } = valueAndGrad(() => crossEntropy(model.forward(x), y), model.parameters());
 */
export function valueAndGrad<const W>(f: () => Tensor, wrt: W): ValueAndGradients<W> {
  const leaves = leavesOf(wrt);
  const odd = leaves.find((leaf) => !(leaf instanceof Parameter || leaf instanceof Tensor));
  if (odd !== undefined)
    fail(
      `grad: cannot take a gradient with regard to ${typeof odd}`,
      'Give a tree of Parameters and Tensors, such as model.parameters().',
      KilnError,
    );
  return traced((trace) => {
    const parameters = leaves.filter((leaf): leaf is Parameter => leaf instanceof Parameter);
    const { result, marks } = trace.withMarked(parameters, () => checkLoss(f()));
    const targets = leaves.map((leaf) =>
      leaf instanceof Parameter ? marks[parameters.indexOf(leaf)]! : trace.lift(leaf as Tensor),
    );
    const gradients = gradientsIn(trace, [result], [seedFor(result)], targets).map((gradient, i) =>
      orZeros(gradient, targets[i]!),
    );
    let next = 0;
    return { value: result, gradients: mapTree(wrt, () => gradients[next++]) } as ValueAndGradients<W>;
  });
}

/**
 * The function that gives the gradient of `f` with regard to its first argument, a tree of tensors. Apply it twice for second
 * derivatives.
 *
 * @example grad((x: Tensor) => x.square().sum())(tensor([1, 2])) // [2, 4]
 */
export function grad<A, Rest extends readonly unknown[]>(
  f: (first: A, ...rest: Rest) => Tensor,
): (first: A, ...rest: Rest) => A {
  return (first, ...rest) =>
    traced((trace) => {
      const marked = mapTree(first, (leaf) => trace.mark(trace.lift(asTensor(leaf as TensorLike)))) as A;
      const targets = leavesOf(marked) as Tensor[];
      const loss = checkLoss(f(marked, ...rest));
      const gradients = gradientsIn(trace, [loss], [seedFor(loss)], targets);
      let next = 0;
      return mapTree(marked, (leaf) => orZeros(gradients[next++], leaf as Tensor)) as A;
    });
}

/**
 * The value of `f` and the function that pulls a gradient of that value back to the arguments (vector-Jacobian product).
 * Outside `compile` the pullback computes `f` anew.
 */
export function vjp<A extends readonly Tensor[]>(
  f: (...args: A) => Tensor,
  ...args: A
): { value: Tensor; pullback: (dy: Tensor) => { [K in keyof A]: Tensor } } {
  const value = f(...args);
  const pullback = (dy: Tensor): { [K in keyof A]: Tensor } =>
    traced((trace) => {
      const marked = args.map((arg) => trace.mark(trace.lift(arg))) as unknown as A;
      const y = f(...marked);
      if (y.shape.length !== dy.shape.length || y.shape.some((size, axis) => size !== dy.shape[axis])) {
        fail(`vjp: the value is ${y}, the pulled-back gradient ${dy}`, 'They must have the same shape.');
      }
      return gradientsIn(trace, [y], [dy], marked).map((gradient, i) => orZeros(gradient, marked[i]!)) as {
        [K in keyof A]: Tensor;
      };
    });
  return { value, pullback };
}

/** `f` so that its gradient computes the inside anew instead of keeping it: less memory for one more forward pass. */
export function checkpoint<A extends readonly Tensor[], R extends Tensor | readonly Tensor[]>(
  f: (...args: A) => R,
): (...args: A) => R {
  return (...args) => {
    let isOne = false;
    const { graph, captures } = traceBody(args, (inputs) => {
      const result = f(...(inputs as unknown as A));
      isOne = result instanceof Tensor;
      return isOne ? [result as Tensor] : (result as readonly Tensor[]);
    });
    const results = applyAll('call', [...args, ...captures], { body: graph });
    return (isOne ? results[0] : results) as R;
  };
}

export interface ScanOptions {
  /** From the last step to the first (false). */
  readonly reverse?: boolean;
  /** Steps; needed only where there is no sequence. */
  readonly length?: number;
  /** Keeps the carry for the gradient only every so many steps, and computes the steps between anew. */
  readonly checkpointEvery?: number;
}

/**
 * A compiled loop: calls `body` for each step with the carried tree and one slice of each sequence.
 *
 * @param body     (carry, x) => [next carry, y]; traced once, so both keep their shapes
 * @param initial  a tree of tensors that is carried from step to step
 * @param xs       a tree of tensors [steps, …]
 * @returns        the last carry, and the y of every step stacked along a new first axis
 * @example const [last, states] = scan((h, x) => { const next = cell(h, x); return [next, next]; }, h0, inputs);
 */
export function scan<C, X, Y>(
  body: (carry: C, x: X) => readonly [C, Y],
  initial: C,
  xs: X,
  options: ScanOptions = {},
): [C, Y] {
  const carries = leavesOf(initial).map((leaf) => asTensor(leaf as TensorLike));
  const isGiven = (leaf: unknown): boolean => leaf !== undefined;
  const sequences = leavesOf(xs)
    .filter(isGiven)
    .map((leaf) => asTensor(leaf as TensorLike));
  const length = options.length ?? sequences[0]?.shape[0];
  if (length === undefined) fail('scan: neither a sequence nor a length', 'Give xs, or { length }.', KilnError);
  const every = options.checkpointEvery;
  if (every !== undefined && every < length) return chunked(body, initial, xs, length, every, options);
  let carryTree: C = initial;
  let yTree: Y | undefined;
  const types = [...carries, ...sequences.map(({ shape, dtype }) => ({ shape: shape.slice(1), dtype }))];
  const { graph, captures } = traceBody(types, (inputs) => {
    let next = 0;
    const take = <T>(tree: T): T => mapTree(tree, (leaf) => (isGiven(leaf) ? inputs[next++] : undefined)) as T;
    const [carry, y] = body(take(initial), take(xs));
    const left = leavesOf(carry).length;
    if (left !== carries.length)
      fail(
        `scan: ${carries.length} carried tensors come in, ${left} leave`,
        'The body returns [next carry, y], with a carry of the same structure as the initial one.',
        KilnError,
      );
    carryTree = carry;
    yTree = y;
    return [...leavesOf(carry), ...leavesOf(y)].filter(isGiven).map((leaf) => asTensor(leaf as TensorLike));
  });
  const params = {
    body: graph,
    length,
    carries: carries.length,
    sequences: sequences.length,
    reverse: options.reverse ?? false,
  };
  // what a gradient would start from; the compiler drops it where there is none
  const saving = { ...params, body: savingBody(params), results: graph.outputs.length };
  const results = applyAll('scan', [...carries, ...sequences, ...captures], currentTrace() ? saving : params);
  let next = 0;
  const give = <T>(tree: T): T => mapTree(tree, (leaf) => (leaf === undefined ? undefined : results[next++])) as T;
  return [give(carryTree), give(yTree as Y)];
}

/** A loop over chunks of steps, each a checkpoint: the gradient keeps one carry a chunk. */
function chunked<C, X, Y>(
  body: (carry: C, x: X) => readonly [C, Y],
  initial: C,
  xs: X,
  length: number,
  every: number,
  options: ScanOptions,
): [C, Y] {
  if (length % every !== 0 || every < 1)
    fail(
      `scan: checkpointEvery ${every} does not divide ${length} steps`,
      'Choose a divisor of the number of steps.',
      KilnError,
    );
  const { checkpointEvery: _, ...inner } = options;
  const split = mapTree(xs, (leaf) => {
    if (leaf === undefined) return leaf;
    const tensor = asTensor(leaf as TensorLike);
    return tensor.reshape([length / every, every, ...tensor.shape.slice(1)]);
  }) as X;
  const [carry, ys] = scan<C, X, Y>(
    (state, chunk) => scan(body, state, chunk, { ...inner, length: every }),
    initial,
    split,
    { ...inner, length: length / every },
  );
  return [
    carry,
    mapTree(ys, (leaf) => (leaf instanceof Tensor ? leaf.reshape([length, ...leaf.shape.slice(2)]) : leaf)) as Y,
  ];
}

/** `then` where the bool scalar holds, else `otherwise`; only the chosen one runs. Both return trees of the same shapes. */
export function cond<T>(predicate: TensorLike, then: () => T, otherwise: () => T): T {
  const decides = asTensor(predicate, 'bool').cast('bool');
  if (decides.size !== 1)
    fail(
      `cond: the predicate is ${formatShape(decides.shape)}`,
      'It decides for the whole branch: reduce it with .any() or .all(), or choose element by element with where().',
    );
  let tree: T | undefined;
  let order: readonly string[] | undefined;
  const branch = (f: () => T) =>
    traceBody([], () => {
      const result = f();
      tree ??= result;
      const leaves = new Map<string, Tensor>();
      mapTree(result, (leaf, path) => leaves.set(path, asTensor(leaf as TensorLike)));
      order ??= [...leaves.keys()];
      if (leaves.size !== order.length || !order.every((path) => leaves.has(path)))
        fail(
          `cond: the branches' results differ in structure: ${namesOf(order)} and ${namesOf([...leaves.keys()])}`,
          'Both branches return trees with the same keys.',
          KilnError,
        );
      return order.map((path) => leaves.get(path)!);
    });
  const [a, b] = [branch(then), branch(otherwise)];
  // both branches take the captures of both: each graph gets inputs for the other's and leaves them unread
  const all = [...a.captures, ...b.captures];
  const rebuild = (body: typeof a, from: number) =>
    traceBody(all, (inputs) => {
      const trace = currentTrace()!;
      const own = inputs.slice(from, from + body.captures.length).map((input) => input.node!);
      return inline(trace.builder, body.graph, own).map((node) => Tensor.ofNode(trace, node));
    }).graph;
  const results = applyAll('cond', [decides.reshape([]), ...all], {
    whenTrue: rebuild(a, 0),
    whenFalse: rebuild(b, a.captures.length),
  });
  let next = 0;
  return mapTree(tree as T, () => results[next++]) as T;
}

const namesOf = (paths: readonly string[]): string => `{ ${paths.map((path) => path || 'a tensor').join(', ')} }`;
