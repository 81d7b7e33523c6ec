/**
 * The one check of operations: a row becomes value against the float64 reference, gradient against finite differences along a
 * random direction (first and second order), compiled against eager, on each device.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Traced, traceFunction } from '../src/core/execute.js';
import {
  compile,
  grad,
  HostRandom,
  interpret,
  type Node,
  primitives,
  type ReferenceArray,
  streamOf,
  Tensor,
} from '../src/core/index.js';
import { onEachDevice } from './devices.js';
import { describeOperand, type Made, makeOperand, type Operand } from './operands.js';

export interface Row<P> {
  readonly x: Operand;
  readonly y?: Operand;
  readonly z?: Operand;
  /** Options: given to the function together with y and z. */
  readonly p?: P;
  readonly note?: string;
  /** Why no gradient is checked (kinks at the very values of the row, integers). */
  readonly noGradient?: string;
  /** Relative error of values (1e-5); gradients may have five times as much. */
  readonly tolerance?: number;
}

export type Op<P> = (x: Tensor, rest: P & { readonly y: Tensor; readonly z: Tensor }) => Tensor | readonly Tensor[];

/** A function with its rows, whatever its options are. */
export interface Case {
  readonly rows: readonly Row<unknown>[];
  readonly run: (row: Row<unknown>, inputs: readonly Tensor[]) => readonly Tensor[];
}

export function opCase<P = object>(f: Op<P>, rows: readonly Row<P>[]): Case {
  return {
    rows,
    run: (row, [x, y, z]) => {
      const rest = { ...(row.p as P), ...(y && { y }), ...(z && { z }) };
      const result = f(x!, rest as P & { y: Tensor; z: Tensor });
      return result instanceof Tensor ? [result] : result;
    },
  };
}

export function checkOp<P = object>(name: string, f: Op<P>, rows: readonly Row<P>[]): void {
  checkCase(name, opCase(f, rows));
}

/** @param expect called with the nodes of each row's forward graph */
export function checkCase(name: string, { rows, run }: Case, expect?: (nodes: readonly Node[]) => void): void {
  for (const row of rows) {
    const options = row.p && Object.keys(row.p).length > 0 ? ` ${JSON.stringify(row.p)}` : '';
    const operands = [row.x, row.y, row.z].filter((operand) => operand !== undefined);
    const title = `${name} ${operands.map(describeOperand).join(' and ')}${options}${row.note ? `: ${row.note}` : ''}`;
    test(title, () => {
      const random = new HostRandom(1, streamOf(title));
      const made = operands.map((operand) => makeOperand(operand, random));
      const f: Function_ = (...bases) =>
        run(
          row,
          bases.map((base, i) => made[i]!.view(base)),
        );
      const nodes = checkValues(f, made, row.tolerance ?? 1e-5);
      expect?.(nodes);
      if (row.noGradient === undefined) checkGradients(f, made, random, (row.tolerance ?? 1e-5) * 5);
    });
  }
}

type Function_ = (...inputs: Tensor[]) => readonly Tensor[];

const traceOf = (f: Function_, inputs: readonly Tensor[]): Traced<readonly Tensor[]> =>
  traceFunction((_, ...traced: never[]) => f(...(traced as unknown as Tensor[])), inputs);

const hostValues = (tensor: Tensor): Float64Array => Float64Array.from(tensor.dataSync());

/** A traced function by the reference semantics, in float64 from end to end. */
function oracle({ graph, sources }: Traced<unknown>, inputs: readonly Float64Array[]): ReferenceArray[] {
  const given = sources.map((source, i) => {
    const { shape, dtype } = graph.inputs[i]!;
    if (source.kind === 'parameter') throw new Error('checks take tensors, not parameters');
    return { shape, dtype, data: source.kind === 'argument' ? inputs[source.index]! : hostValues(source.tensor) };
  });
  return interpret(graph, given);
}

/** Values on each device against the oracle, compiled against eager. Returns the nodes of the graph. */
function checkValues(f: Function_, made: readonly Made[], tolerance: number): readonly Node[] {
  const bases = made.map(({ base }) => base);
  const traced = traceOf(f, bases);
  const expected = oracle(traced, bases.map(hostValues));
  const isElementwise = traced.graph.nodes.every(({ op }) =>
    ['elementwise', 'movement', 'source'].includes(primitives[op].category),
  );
  onEachDevice((device) => {
    const eager = f(...bases);
    const compiled = compile(f)(...bases) as readonly Tensor[];
    eager.forEach((value, i) => {
      assertClose(`${device}, eager`, value, expected[i]!, tolerance);
      assertClose(`${device}, compiled`, compiled[i]!, expected[i]!, tolerance);
      // the reference rounds to float32 after each eager operation, and once at the end of a program
      if (isElementwise && device !== 'reference')
        assertSameBits(`${device}, compiled against eager`, compiled[i]!, value);
    });
  });
  return traced.graph.nodes;
}

/** First and second derivatives: by finite differences in float64, and on each device against the float64 ones. */
function checkGradients(f: Function_, made: readonly Made[], random: HostRandom, tolerance: number): void {
  const bases = made.map(({ base }) => base);
  const outputs = traceOf(f, bases).graph.outputs;
  const isFloat = bases.map(({ dtype }) => dtype === 'float32');
  if (!isFloat.includes(true) || !outputs.some(({ dtype }) => dtype === 'float32')) return;
  const like = (shape: readonly number[]): Tensor =>
    Tensor.fromHost({
      dtype: 'float32',
      shape,
      data: Float32Array.from(random.uniform(shape.reduce((a, b) => a * b, 1)), (u) => 2 * u - 1),
    });
  const weights = outputs.map(({ shape }) => like(shape));
  const directions = bases.map(({ shape }) => like(shape));
  const others = bases.map(({ shape }) => like(shape));
  const total = (terms: readonly Tensor[]): Tensor => terms.map((term) => term.sum()).reduce((a, b) => a.add(b));
  const floats = (xs: readonly Tensor[]): readonly Tensor[] => xs.filter((_, i) => isFloat[i]);
  const along = (gradients: readonly Tensor[], way: readonly Tensor[]): Tensor =>
    total(gradients.map((gradient, i) => gradient.mul(floats(way)[i]!)));

  const loss = (xs: readonly Tensor[]): Tensor =>
    total(f(...xs).flatMap((y, i) => (y.dtype === 'float32' ? [y.mul(weights[i]!)] : [])));
  /** The gradient of a scalar function of all inputs with regard to the float ones. */
  const gradientOf =
    (scalar: (xs: readonly Tensor[]) => Tensor) =>
    (xs: readonly Tensor[]): readonly Tensor[] =>
      grad((own: readonly Tensor[]) => {
        let next = 0;
        return scalar(xs.map((x, i) => (isFloat[i] ? own[next++]! : x)));
      })(floats(xs));
  const first = gradientOf(loss);
  const slope = (xs: readonly Tensor[]): Tensor => along(first(xs), directions);
  const second = gradientOf(slope);
  const curvature = (xs: readonly Tensor[]): Tensor => along(second(xs), others);

  const points = bases.map(hostValues);
  const traced = (g: (xs: readonly Tensor[]) => readonly Tensor[]) => traceOf((...xs) => g(xs), bases);
  const scalarAt = (t: Traced<unknown>, at: readonly Float64Array[]): number => oracle(t, at)[0]!.data[0]!;
  const lossGraph = traced((xs) => [loss(xs)]);
  const slopeGraph = traced((xs) => [slope(xs)]);
  const difference = (t: Traced<unknown>, way: readonly Tensor[]): number => {
    const step = 1e-5;
    const moved = (by: number): Float64Array[] =>
      points.map((point, i) => {
        const values = hostValues(way[i]!);
        return isFloat[i] ? point.map((value, e) => value + by * values[e]!) : point;
      });
    return (scalarAt(t, moved(step)) - scalarAt(t, moved(-step))) / (2 * step);
  };
  assertNear('gradient', scalarAt(slopeGraph, points), difference(lossGraph, directions));
  assertNear(
    'second derivative',
    scalarAt(
      traced((xs) => [curvature(xs)]),
      points,
    ),
    difference(slopeGraph, others),
  );

  for (const [order, gradient] of [
    ['gradient', first],
    ['second derivative', second],
  ] as const) {
    const expected = oracle(traced(gradient), points);
    onEachDevice((device) => {
      const compiled = compile((...xs: Tensor[]) => gradient(xs))(...bases) as readonly Tensor[];
      compiled.forEach((value, i) => {
        assertClose(`${device}, ${order} ${i}`, value, expected[i]!, tolerance);
      });
    });
  }
}

/** Equal to the last bit, the sign of zero too; a NaN is a NaN. */
function assertSameBits(what: string, actual: Tensor, expected: Tensor): void {
  const wanted = expected.dataSync();
  actual.dataSync().forEach((value, i) => {
    if (!Object.is(value, wanted[i])) assert.fail(`${what}: element ${i} is ${value}, not ${wanted[i]}`);
  });
}

function assertNear(what: string, actual: number, expected: number): void {
  if (Math.abs(actual - expected) <= 1e-6 * (1 + Math.abs(expected))) return;
  assert.fail(`${what} along a random direction: ${actual}, finite differences give ${expected}`);
}

/** Integers must be equal; floats within `tolerance` of their own and the whole result's magnitude. */
export function assertClose(what: string, actual: Tensor, expected: ReferenceArray, tolerance: number): void {
  assert.deepEqual([actual.dtype, ...actual.shape], [expected.dtype, ...expected.shape], `${what}: dtype and shape`);
  const values = actual.dataSync();
  const wanted = expected.dtype === 'float32' ? expected.data.map(Math.fround) : expected.data;
  const finite = wanted.filter(Number.isFinite);
  const magnitude = Math.sqrt(finite.reduce((sum, value) => sum + value * value, 0) / Math.max(1, finite.length));
  wanted.forEach((value, i) => {
    const got = values[i]!;
    if (Object.is(got, value) || got === value || (Number.isNaN(got) && Number.isNaN(value))) return;
    const allowed = expected.dtype === 'float32' ? tolerance * (Math.abs(value) + magnitude) : 0;
    if (!(Math.abs(got - value) <= allowed)) assert.fail(`${what}: element ${i} is ${got}, expected ${value}`);
  });
}
