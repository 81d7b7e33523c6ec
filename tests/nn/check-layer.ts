/**
 * The one check of layers: a row becomes output shape and parameters as stated, value against a formula of its own, and the
 * gradient with regard to input and parameters against finite differences in float64.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Traced, traceFunction } from '../../src/core/execute.js';
import {
  compile,
  HostRandom,
  interpret,
  mapTree,
  type Parameter,
  type ReferenceArray,
  type Shape,
  type Tensor,
  valueAndGrad,
} from '../../src/core/index.js';
import { type Blueprint, type Context, inference, initialize, type Layer, sequential } from '../../src/nn/index.js';
import { onEachDevice } from '../devices.js';
import { type Made, makeOperand, type OperandSpec } from '../operands.js';
import { assertNear } from './golden.js';

export interface LayerRow {
  readonly note: string;
  readonly make: () => Layer;
  /** The same layer by its builder. */
  readonly builder: Blueprint;
  readonly x: OperandSpec;
  readonly output: Shape;
  readonly parameters?: Readonly<Record<string, Shape>>;
  readonly context?: Context;
  /** The result, written another way. */
  readonly formula: (x: Tensor, parameters: Readonly<Record<string, Tensor>>) => Tensor;
  /** Why no gradient is checked. */
  readonly noGradient?: string;
}

/** Values that are neither zero nor one, so that no parameter hides; statistics stay positive. */
function scatter(layer: Layer, random: HostRandom): void {
  for (const parameter of Object.values(layer.parameters())) {
    if (parameter.dtype !== 'float32') continue;
    const data = Float32Array.from(random.uniform(parameter.shape.reduce((a, b) => a * b, 1)), (u) => 0.3 + u);
    parameter.set({ dtype: 'float32', shape: parameter.shape, data });
  }
}

const hostValues = (tensor: Tensor): Float64Array => Float64Array.from(tensor.dataSync());

/** A traced function in float64 from end to end, its parameters and argument given. */
function oracle(
  { graph, sources }: Traced<unknown>,
  x: Float64Array,
  held: (parameter: Parameter) => Float64Array,
): ReferenceArray[] {
  return interpret(
    graph,
    sources.map((source, i) => {
      const { shape, dtype } = graph.inputs[i]!;
      const data =
        source.kind === 'argument'
          ? x
          : source.kind === 'parameter'
            ? held(source.parameter)
            : hostValues(source.tensor);
      return { shape, dtype, data };
    }),
  );
}

export function checkLayer(row: LayerRow): void {
  const { note, make, builder, x: spec, output, parameters: expected = {}, context = inference } = row;
  const prepare = (): { layer: Layer; x: Made } => {
    const layer = make();
    initialize(layer);
    const random = new HostRandom(7, note);
    scatter(layer, random);
    return { layer, x: makeOperand(spec, random) };
  };

  test(`${note}: shapes, and the builder makes the same layer`, () => {
    const { layer } = prepare();
    const shapesOf = (of: Layer): unknown => mapTree(of.parameters(), (parameter) => (parameter as Parameter).shape);
    assert.deepEqual(shapesOf(layer), expected);
    const model = sequential({ input: spec.shape.slice(1), dtype: spec.dtype ?? 'float32' }, [builder]);
    const [step] = model.steps;
    assert.equal(step!.layer.constructor, layer.constructor);
    assert.deepEqual(shapesOf(step!.layer as Layer), expected);
    assert.deepEqual(step!.output.shape, output);
    assert.equal(step!.name, `${layer.kind}_1`);
  });

  test(`${note}: value`, () => {
    const { layer, x } = prepare();
    const values = mapTree(layer.parameters(), (parameter) => (parameter as Parameter).value) as Record<string, Tensor>;
    onEachDevice((device) => {
      const wanted = row.formula(x.base, values).toHost();
      assert.deepEqual(wanted.shape, [spec.shape[0], ...output]);
      assertNear(`${note} on ${device}, eager`, layer.forward(x.base, context), wanted);
      assertNear(`${note} on ${device}, compiled`, compile((t: Tensor) => layer.forward(t, context))(x.base), wanted);
    });
  });

  if (row.noGradient === undefined) test(`${note}: gradient`, () => checkGradient(prepare(), context));
}

function checkGradient({ layer, x: { base } }: { layer: Layer; x: Made }, context: Context): void {
  const random = new HostRandom(3);
  const parameters = Object.values(layer.parameters()).filter(({ dtype }) => dtype === 'float32');
  const isFloat = base.dtype === 'float32';
  const loss = (x: Tensor): Tensor => {
    const y = layer.forward(x, context);
    // a weight for each element, so that gradients do not cancel
    return y.mul(y.indices(-1).add(1).cast('float32').cos()).sum();
  };
  const traced = traceFunction((_, ...[x]: Tensor[]) => loss(x!) as Tensor, [base]);
  const way = new Map<Parameter | undefined, Float64Array>();
  for (const of of [undefined, ...parameters])
    way.set(
      of,
      random.uniform((of?.shape ?? base.shape).reduce((a, b) => a * b, 1)).map((u) => 2 * u - 1),
    );
  const moved = (values: Float64Array, of: Parameter | undefined, by: number): Float64Array => {
    const along = way.get(of);
    return along ? values.map((value, i) => value + by * along[i]!) : values;
  };
  const lossAt = (by: number): number =>
    oracle(traced, isFloat ? moved(hostValues(base), undefined, by) : hostValues(base), (parameter) =>
      moved(hostValues(parameter.value), parameter, by),
    )[0]!.data[0]!;
  const step = 1e-5;
  const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
  onEachDevice((device) => {
    const { gradients } = valueAndGrad(() => loss(base), { x: isFloat ? base : [], parameters });
    const along = (gradient: Tensor, of: Parameter | undefined): number =>
      hostValues(gradient).reduce((sum, value, i) => sum + value * way.get(of)![i]!, 0);
    const total =
      (isFloat ? along(gradients.x as Tensor, undefined) : 0) +
      gradients.parameters.reduce((sum, gradient, i) => sum + along(gradient, parameters[i]), 0);
    assert.ok(
      Math.abs(total - slope) <= 1e-4 * (1 + Math.abs(slope)),
      `${device}: ${total}, differences give ${slope}`,
    );
  });
}
