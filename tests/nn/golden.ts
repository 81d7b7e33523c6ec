/** Golden values of tests/golden/torch: computed by PyTorch (see `about` in index.json there), read from files. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type HostArray, type Shape, sizeOf, Tensor } from '../../src/core/index.js';
import { decodeSafetensors } from '../../src/formats/index.js';

// from dist/tests/nn to the sources, where files that are not code stay
const folder = new URL('../../../tests/golden/torch/', import.meta.url);

interface Entry {
  readonly name: string;
  readonly file: string;
  readonly op: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly gradients: Readonly<Record<string, string>>;
  readonly tolerance: number;
}

const { cases } = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as { cases: readonly Entry[] };
const files = new Map<string, ReadonlyMap<string, HostArray>>();

function arraysOf(file: string): ReadonlyMap<string, HostArray> {
  const known = files.get(file);
  if (known) return known;
  const { tensors } = decodeSafetensors(Uint8Array.from(readFileSync(new URL(file, folder))), file);
  files.set(file, tensors);
  return tensors;
}

export interface Golden extends Pick<Entry, 'name' | 'op' | 'tolerance'> {
  /** Options of the op, whatever their type. */
  readonly options: never;
  readonly names: readonly string[];
  input(name: string): Tensor;
  output(name: string): HostArray;
  gradient(name: string): HostArray;
  /** Fails unless the tensor has the golden values. */
  check(what: string, actual: Tensor, expected: HostArray): void;
}

function open(entry: Entry): Golden {
  const read = (table: Readonly<Record<string, string>>, name: string): HostArray => {
    const array = arraysOf(entry.file).get(table[name] ?? '');
    assert.ok(array, `${entry.name} has no ${name}`);
    return array;
  };
  return {
    name: entry.name,
    op: entry.op,
    tolerance: entry.tolerance,
    options: entry.parameters as never,
    names: Object.keys(entry.inputs),
    input: (name) => Tensor.fromHost(read(entry.inputs, name)),
    output: (name) => read(entry.outputs, name),
    gradient: (name) => read(entry.gradients, name),
    check: (what, actual, expected) => assertNear(`${entry.name}: ${what}`, actual, expected, entry.tolerance),
  };
}

/** The golden cases of an op. */
export const goldenOf = (op: string): Golden[] => cases.filter((entry) => entry.op === op).map(open);

/** Each element within `tolerance` of the largest. */
export function assertNear(
  what: string,
  actual: Tensor,
  expected: { readonly shape: Shape; readonly data: ArrayLike<number> },
  tolerance = 1e-5,
): void {
  assert.deepEqual(actual.shape, expected.shape, `${what}: shape`);
  const values = actual.dataSync();
  let largest = 1e-6;
  for (let i = 0; i < sizeOf(expected.shape); i++) largest = Math.max(largest, Math.abs(expected.data[i]!));
  for (let i = 0; i < values.length; i++) {
    const [got, want] = [values[i]!, expected.data[i]!];
    if (!(Math.abs(got - want) <= tolerance * largest))
      assert.fail(`${what}: element ${i} is ${got}, expected ${want}`);
  }
}
