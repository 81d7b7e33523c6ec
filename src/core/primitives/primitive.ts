import type { TensorType } from '../graph.js';
import type { Tensor } from '../tensor/tensor.js';

/** An array of the reference semantics: row-major, float64 whatever the dtype (which holds every int32, uint8 and bool). */
export interface ReferenceArray extends TensorType {
  readonly data: Float64Array;
}

/** What a gradient rule may use. All tensors are traced; what it returns is traced, so it can be differentiated again. */
export interface GradientContext<P> {
  readonly inputs: readonly Tensor[];
  /** The primitive's own result (the first, where it has several). */
  readonly y: Tensor;
  /** Every result, for primitives with several. */
  readonly outputs: readonly Tensor[];
  readonly params: P;
  /** For primitives with several results: the gradient of each, `undefined` where nothing depends on it. */
  readonly dys: readonly (Tensor | undefined)[];
}

export type Category =
  | 'source'
  | 'elementwise'
  | 'reduction'
  | 'movement'
  | 'indexing'
  | 'contraction'
  | 'window'
  | 'control';

/** All that is true of a primitive: shape rule, gradient rule, reference semantics. */
export interface Primitive<P> {
  readonly category: Category;
  /** Throws ShapeError when the inputs do not fit. */
  infer(inputs: readonly TensorType[], params: P): TensorType | readonly TensorType[];
  /** Gradient for each input, `undefined` where there is none. Absent: the primitive is constant almost everywhere or not a number's function. */
  readonly gradient?: (dy: Tensor, context: GradientContext<P>) => readonly (Tensor | undefined)[];
  /** Plain loops in float64: the oracle. */
  reference(inputs: readonly ReferenceArray[], params: P, output: TensorType): Float64Array;
}

/** Fixes the type of the parameters, so that a definition is checked where it stands. */
export const primitive = <P>(definition: Primitive<P>): Primitive<P> => definition;
