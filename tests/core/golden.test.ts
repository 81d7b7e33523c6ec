/** Values and gradients that PyTorch gives (scripts/golden.py says which version), on each device. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ConvOptions, compile, einsum, type HostArray, Tensor, valueAndGrad } from '../../src/core/index.js';
import { readSafetensors } from '../../src/formats/index.js';
import { onEachDevice } from '../devices.js';

interface Case {
  readonly name: string;
  readonly file: string;
  readonly op: string;
  readonly parameters: Parameters;
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly gradients: Readonly<Record<string, string>>;
  readonly tolerance: number;
}

const folder = new URL('../../../tests/golden/torch/', import.meta.url);
const { cases } = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as {
  readonly cases: readonly Case[];
};

/** Files whose operations are Tensor's own; layers, losses and optimisers have theirs in tests/nn. */
const ownFiles = ['elementwise', 'binary', 'reductions', 'products', 'conv2d', 'pool', 'volumes', 'sorting'].map(
  (name) => `${name}.safetensors`,
);

/** What index.json has for the operation: its options under the names that Tensor's methods take. */
interface Parameters {
  readonly equation: string;
  readonly padding: readonly number[];
  readonly axis: number;
  readonly k: number;
}
type Op = (inputs: Readonly<Record<string, Tensor>>, parameters: Parameters) => Tensor;
const pairs = (padding: readonly number[]): [number, number][] => padding.map((amount) => [amount, amount]);

/** Operations whose operands or options do not simply follow: x.op(options), a.op(b). */
const ops: Readonly<Record<string, Op>> = {
  geluTanh: ({ x }) => x!.gelu({ approximate: 'tanh' }),
  einsum: ({ a, b }, { equation }) => einsum(equation, a!, b!),
  embedding: ({ ids, table }) => table!.take(ids!),
  conv2d: ({ x, kernel }, p) => x!.conv2d(kernel!, p as unknown as ConvOptions),
  conv2dTranspose: ({ x, kernel }, p) => x!.conv2dTranspose(kernel!, { ...p, padding: pairs(p.padding) }),
  maxPool2d: ({ x }, p) => x!.maxPool2d({ ...p, padding: pairs(p.padding) }),
  averagePool2d: ({ x }, p) => x!.averagePool2d({ ...p, padding: pairs(p.padding) }),
  conv3d: ({ x, kernel }, p) => x!.conv3d(kernel!, { ...p, padding: pairs(p.padding) }),
  conv3dTranspose: ({ x, kernel }, p) => x!.conv3dTranspose(kernel!, { ...p, padding: pairs(p.padding) }),
  maxPool3d: ({ x }, p) => x!.maxPool3d({ ...p, padding: pairs(p.padding) }),
  averagePool3d: ({ x }, p) => x!.averagePool3d({ ...p, padding: pairs(p.padding) }),
  topK: ({ x }, { axis, k }) => x!.topK(k, { axis }).values,
};
const method: (name: string) => Op =
  (name) =>
  ({ x, a, b }, p) => {
    const own = (a ?? x) as unknown as Readonly<Record<string, (other: unknown) => Tensor>>;
    return own[name]!(b ?? p);
  };

const loaded = new Map(
  await Promise.all(
    ownFiles.map(
      async (file) => [file, (await readSafetensors(fileURLToPath(new URL(file, folder)))).tensors] as const,
    ),
  ),
);
const arraysOf = (file: string, names: Readonly<Record<string, string>>): Map<string, HostArray> =>
  new Map(Object.entries(names).map(([key, name]) => [key, loaded.get(file)!.get(name)!]));

for (const { name, file, op, parameters, inputs, outputs, gradients, tolerance } of cases) {
  if (!ownFiles.includes(file)) continue;
  test(name, () => {
    const f = ops[op] ?? method(op);
    const given = Object.fromEntries([...arraysOf(file, inputs)].map(([key, array]) => [key, Tensor.fromHost(array)]));
    const isEdges = name.endsWith('-edges');
    const at = given['x']?.dataSync() ?? [];
    const isIn = (i: number): boolean => !(Math.abs(at[i] ?? 0) > (limits[op] ?? Infinity)) || at[i] === Infinity;
    onEachDevice((device) => {
      const y = compile(() => f(given, parameters))();
      assertGolden(`${device}: ${name}`, y, arraysOf(file, outputs).get('y')!, {
        tolerance,
        isEdges,
        isIn,
        floor: 1e-6,
      });
      if (Object.keys(gradients).length === 0) return;
      const wrt = Object.fromEntries(Object.keys(gradients).map((key) => [key, given[key]!]));
      const loss = (): Tensor => f(given, parameters).mul(given['dy']!).sum();
      const got = compile(() => valueAndGrad(loss, wrt).gradients)();
      // where a gradient is what is left of terms that cancel (a softmax that is nearly one-hot), their size counts
      const floor = 0.01 * greatestOf(given['dy']!.dataSync());
      for (const [key, expected] of arraysOf(file, gradients))
        assertGolden(`${device}: gradient of ${name} by ${key}`, got[key]!, expected, {
          tolerance,
          isEdges,
          floor,
          isIn: () => true,
        });
    });
  });
}

/** Sine and cosine are exact up to 10⁵; beyond, float32 has few of their digits. */
const limits: Readonly<Record<string, number>> = { sin: 1e5, cos: 1e5 };

const greatestOf = (values: ArrayLike<number>): number =>
  Math.max(...Array.from(values).filter(Number.isFinite).map(Math.abs));

interface Allowance {
  readonly tolerance: number;
  /** Each element for itself, not against the greatest. */
  readonly isEdges: boolean;
  readonly floor: number;
  /** Which elements count. */
  readonly isIn: (element: number) => boolean;
}

function assertGolden(
  what: string,
  got: Tensor,
  expected: HostArray,
  { tolerance, isEdges, floor, isIn }: Allowance,
): void {
  assert.deepEqual(got.shape, expected.shape, what);
  const values = got.dataSync();
  const greatest = Math.max(floor, greatestOf(expected.data));
  [...expected.data].forEach((value, i) => {
    if (Object.is(values[i], value) || values[i] === value || !isIn(i)) return;
    const allowed = tolerance * (isEdges ? Math.abs(value) : greatest);
    if (!(Math.abs(values[i]! - value) <= allowed))
      assert.fail(`${what}: element ${i} is ${values[i]}, expected ${value}`);
  });
}
