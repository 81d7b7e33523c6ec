import { type ComputeDType, checkShape, type Shape, type Tensor } from '../core/index.js';
import type { Blueprint } from './blueprint.js';
import type { Context } from './context.js';
import { initializeParts } from './initialize.js';
import { Layer } from './layer.js';
import { outputSignature, type Signature } from './signature.js';
import { Names, type Step, type Stepwise } from './steps.js';

export interface SequentialOptions {
  /** Shape of one sample, without the batch: [28, 28, 1]. */
  readonly input: Shape;
  /** float32 unless told; int32 before an embedding. */
  readonly dtype?: ComputeDType;
  /** Where first values are drawn from; the same as `initialize(model, { seed })` afterwards (0). */
  readonly seed?: number;
}

/** Layers one after another. */
export class Sequential extends Layer implements Stepwise {
  readonly inputs: Readonly<Record<string, Signature>>;
  readonly steps: readonly Step[];

  constructor(input: Signature, blueprints: readonly (Blueprint | Layer)[]) {
    super();
    const names = new Names(blueprints.map((each) => (each instanceof Layer ? undefined : each.layerName)));
    const steps: Step[] = [];
    let incoming = input;
    for (const each of blueprints) {
      const layer = each instanceof Layer ? each : each.build(incoming);
      const name = (each instanceof Layer ? undefined : each.layerName) ?? names.next(layer.kind);
      this.layer(name, layer);
      incoming = outputSignature(layer, incoming);
      steps.push({ name, layer, output: incoming, incoming: [steps.at(-1)?.name ?? 'input'] });
    }
    this.inputs = { input };
    this.steps = steps;
  }

  override get kind(): string {
    return 'sequential';
  }

  forward(x: Tensor, context?: Context): Tensor {
    let value = x;
    for (const { layer } of this.steps) value = (layer as Layer).forward(value, context);
    return value;
  }

  override flattenedFrom(incoming: Signature): Shape | undefined {
    return (this.steps.at(-1)?.output ?? incoming).flattenedFrom;
  }
}

/**
 * A model of layers one after another, whose sizes follow from the input.
 *
 * @param options input: shape of one sample; dtype ('float32'), seed (0)
 * @param layers  builders such as `dense(10)`, or layers that know their sizes
 * @throws ShapeError that names the layer whose input does not fit
 * @example sequential({ input: [28, 28, 1] }, [conv2d(32, 3, { activation: 'relu' }), flatten(), dense(10)])
 */
export function sequential(
  { input, dtype = 'float32', seed = 0 }: SequentialOptions,
  layers: readonly (Blueprint | Layer)[],
): Sequential {
  checkShape('sequential: input', input);
  const model = new Sequential({ shape: input, dtype }, layers);
  initializeParts(model, seed);
  return model;
}
