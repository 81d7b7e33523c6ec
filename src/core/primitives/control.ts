import { callGradient, condGradient, scanGradient } from '../control-gradients.js';
import { fail, InternalError } from '../errors.js';
import type { Graph, TensorType } from '../graph.js';
import { formatShape, sameShape } from '../shape.js';
import { type Primitive, primitive } from './primitive.js';

/**
 * The same value under a name of its own, so that a gradient can be taken with regard to it. As a `barrier` it also keeps what
 * is computed from it apart from what was computed before: a gradient that computes values anew instead of keeping them.
 */
export const identity: Primitive<{ readonly tag: number; readonly barrier: boolean }> = primitive({
  category: 'elementwise',
  infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  gradient: (dy) => [dy],
  reference: ([x]) => x!.data.slice(),
});

/** The same value, through which no gradient flows. */
export const stopGradient: Primitive<Record<string, never>> = primitive({
  category: 'elementwise',
  infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  reference: ([x]) => x!.data.slice(),
});

const severalResults = (): never => {
  throw new InternalError('a primitive with several results is interpreted as a whole');
};

/** Result `index` of a primitive that has several. */
export const part: Primitive<{ readonly index: number }> = primitive({
  category: 'control',
  infer: ([x], { index }) => (x as TensorType & { readonly types: readonly TensorType[] }).types[index]!,
  reference: severalResults,
});

const outputTypes = (body: Graph): TensorType[] => body.outputs.map(({ shape, dtype }) => ({ shape, dtype }));

function checkBody(op: string, body: Graph, inputs: readonly TensorType[]): void {
  body.inputs.forEach((own, i) => {
    const given = inputs[i]!;
    if (!sameShape(own.shape, given.shape) || own.dtype !== given.dtype) {
      throw new InternalError(
        `${op}: body takes ${own.dtype}${formatShape(own.shape)} as input ${i}, got ${given.dtype}${formatShape(given.shape)}`,
      );
    }
  });
}

/** A graph applied as a whole; its gradient computes the inside anew instead of keeping it (checkpointing). */
export const call: Primitive<{ readonly body: Graph }> = primitive({
  category: 'control',
  infer: (inputs, { body }) => {
    checkBody('call', body, inputs);
    return outputTypes(body);
  },
  gradient: (_, context) => callGradient(context),
  reference: severalResults,
});

export interface ScanParams {
  /** Inputs: carries, one slice of each sequence, captured tensors. Outputs: carries, one slice of each stacked result. */
  readonly body: Graph;
  readonly length: number;
  readonly carries: number;
  readonly sequences: number;
  /** From the last slice to the first. */
  readonly reverse: boolean;
  /** How many of the body's outputs are the loop's own results, where the carries that enter each step are stacked after them. */
  readonly results?: number;
}

/** A loop: inputs are initial carries, sequences [length, …], captures; results are final carries and stacked results [length, …]. */
export const scan: Primitive<ScanParams> = primitive({
  category: 'control',
  infer: (inputs, { body, length, carries, sequences }) => {
    for (const { shape } of inputs.slice(carries, carries + sequences)) {
      if (shape[0] !== length)
        fail(
          `scan: sequences differ in length: ${shape[0]} ≠ ${length}`,
          'The first axis of every sequence is the number of steps.',
        );
    }
    const sliced = inputs.map((type, i) =>
      i >= carries && i < carries + sequences ? { ...type, shape: type.shape.slice(1) } : type,
    );
    checkBody('scan', body, sliced);
    return outputTypes(body).map((type, i) => {
      if (i >= carries) return { ...type, shape: [length, ...type.shape] };
      const initial = inputs[i]!;
      if (!sameShape(type.shape, initial.shape) || type.dtype !== initial.dtype) {
        fail(
          `scan: carry ${i} comes in as ${initial.dtype}${formatShape(initial.shape)} and leaves as ${type.dtype}${formatShape(type.shape)}`,
          'A carried value keeps its shape and dtype over all steps; cast or reshape it in the body.',
        );
      }
      return type;
    });
  },
  gradient: (_, context) => scanGradient(context),
  reference: severalResults,
});

/** One of two graphs over the same inputs, chosen by a bool scalar (input 0). */
export const cond: Primitive<{ readonly whenTrue: Graph; readonly whenFalse: Graph }> = primitive({
  category: 'control',
  infer: (inputs, { whenTrue, whenFalse }) => {
    checkBody('cond', whenTrue, inputs.slice(1));
    const [a, b] = [outputTypes(whenTrue), outputTypes(whenFalse)];
    a.forEach((type, i) => {
      const other = b[i]!;
      if (!sameShape(type.shape, other.shape) || type.dtype !== other.dtype) {
        fail(
          `cond: the branches' result ${i} differs: ${type.dtype}${formatShape(type.shape)} and ${other.dtype}${formatShape(other.shape)}`,
          'Both branches return the same shapes and dtypes.',
        );
      }
    });
    return a;
  },
  gradient: (_, context) => condGradient(context),
  reference: severalResults,
});
