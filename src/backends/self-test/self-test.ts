import {
  type Device,
  Storage,
  storageOf,
  Tensor,
  type TensorType,
  Trace,
  type TypedArray,
  viewAs,
  withTrace,
} from '../../core/index.js';
import { reference } from '../reference/index.js';
import { type Family, type Program, programs } from './programs.js';

/** What a program of the self-test came to. */
export interface Outcome {
  readonly family: Family;
  readonly name: string;
  /** What is wrong; `undefined` where nothing is. */
  readonly failure: string | undefined;
}

export interface Failure extends Outcome {
  readonly failure: string;
}

/** The programs whose results are not the reference's on this device: none where it may be used. */
export async function selfTest(device: Device): Promise<Failure[]> {
  return (await testAll(device)).filter((outcome): outcome is Failure => outcome.failure !== undefined);
}

/** Runs all programs of the self-test; on all threads, if the device's are up. */
export async function testAll(device: Device, list: readonly Program[] = programs): Promise<Outcome[]> {
  return list.map((program) => ({
    family: program.family,
    name: program.name,
    failure: failureOf(device, program),
  }));
}

function failureOf(device: Device, program: Program): string | undefined {
  const expected = program.raises === true ? undefined : run(reference(), program);
  let got: readonly Result[];
  try {
    got = run(device, program);
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return program.raises === true ? undefined : line;
  }
  if (!expected) return 'an index out of range does not raise';
  for (const [i, { data, dtype }] of expected.entries()) {
    const wrong = difference(got[i]!.data, data, dtype === 'float32' ? program : { exact: true });
    if (wrong !== undefined) return expected.length > 1 ? `result ${i}: ${wrong}` : wrong;
  }
  return undefined;
}

interface Result extends TensorType {
  readonly data: TypedArray;
}

/** Traces the program and runs it on this device, whichever is in use. */
function run(device: Device, { inputs, body, donations = [] }: Program): Result[] {
  const trace = new Trace();
  const given = inputs();
  const traced = given.map((tensor, i) => trace.argument(tensor, i));
  const outputs = withTrace(trace, () => {
    const result = body(...traced);
    return result instanceof Tensor ? [result] : result;
  });
  const graph = trace.graph(outputs);
  const storages = trace.sources.map((source): Storage => {
    if (source.kind === 'parameter') throw new TypeError('programs of the self-test have no parameters');
    const tensor = source.kind === 'argument' ? given[source.index]! : source.tensor;
    // a copy of its own, which the device may write anew where it is donated
    return Storage.of(storageOf(tensor).atRest().slice(0));
  });
  const executable = device.compile(
    graph,
    outputs.map((_, i) => donations[i]),
  );
  try {
    return executable.run(storages).map((storage, i) => {
      const { shape, dtype } = graph.outputs[i]!;
      return { shape, dtype, data: viewAs(dtype, storage.atRest()) };
    });
  } finally {
    executable.release();
  }
}

/** The first element that is too far from what it should be. */
function difference(
  got: TypedArray,
  expected: TypedArray,
  { exact = false, tolerance = 1e-6, relative = false }: Pick<Program, 'exact' | 'tolerance' | 'relative'>,
): string | undefined {
  const magnitude = relative ? 0 : rootMeanSquare(expected);
  for (const [i, value] of expected.entries()) {
    const actual = got[i]!;
    if (Object.is(actual, value)) continue;
    const allowed = exact ? Number.NaN : tolerance * (Math.abs(value) + magnitude) + leastNormal;
    if (!(Math.abs(actual - value) <= allowed))
      return `element ${i} of ${expected.length} is ${shown(actual)}, not ${shown(value)}`;
  }
  return undefined;
}

/** Below it floats lose digits. */
const leastNormal = 2 ** -126;

function rootMeanSquare(values: TypedArray): number {
  const finite = Array.from(values).filter(Number.isFinite);
  return Math.sqrt(finite.reduce((sum, value) => sum + value * value, 0) / Math.max(1, finite.length));
}

const shown = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));
