import assert from 'node:assert/strict';
import test from 'node:test';
import { addAffine, constantAffine, variable } from '../../src/compiler/affine.js';
import { rangeWithin } from '../../src/compiler/bounds.js';
import { type Expression, float, loadsOf, operation } from '../../src/compiler/expression.js';
import { lower } from '../../src/compiler/lower.js';
import type { Axis, Kernel, LoopNest, Nest } from '../../src/compiler/nest.js';
import { isInjective, mayMeet } from '../../src/compiler/places.js';
import { type Buffer, launchesOf } from '../../src/compiler/program.js';
import { simplify } from '../../src/compiler/simplify.js';
import { verifyKernel } from '../../src/compiler/verify.js';
import { InternalError } from '../../src/core/index.js';
import { Random } from '../random/generator.js';
import { randomCase } from '../random-graph.js';

const affine = (constant: number, terms: Record<string, number>) => ({ constant, terms });

/** Ways to break a kernel; `undefined` where there is nothing to break. */
const breakages: Readonly<
  Record<string, (nest: Nest, kernel: Kernel, buffers: readonly Buffer[]) => Nest | Kernel | undefined>
> = {
  'a store past the end': (nest, kernel, buffers) =>
    withStore(nest, ({ access, ...store }) => {
      const { elements } = buffers[kernel.buffers[access.buffer]!.buffer]!;
      return { ...store, access: { ...access, address: addAffine(access.address, constantAffine(elements)) } };
    }),
  'a store before the beginning': (nest, kernel, buffers) =>
    withStore(nest, ({ access, ...store }) => {
      const { elements } = buffers[kernel.buffers[access.buffer]!.buffer]!;
      return { ...store, access: { ...access, address: addAffine(access.address, constantAffine(-elements)) } };
    }),
  'an axis that a store forgets': (nest) => {
    const axis = nest.axes.find(({ size }) => size > 1);
    return (
      axis &&
      withStore(nest, ({ access, ...store }) => {
        const { [axis.name]: _, ...terms } = access.address.terms;
        return { ...store, access: { ...access, address: { ...access.address, terms } } };
      })
    );
  },
  'an axis that runs too far': (nest, kernel, buffers) => {
    const [axis, ...rest] = nest.axes;
    const { elements } = buffers[kernel.buffers[nest.stores[0]!.access.buffer]!.buffer]!;
    return axis && { ...nest, axes: [{ ...axis, size: axis.size + elements }, ...rest] };
  },
  'an unknown axis': (nest) =>
    withStore(nest, ({ access, ...store }) => ({
      ...store,
      access: { ...access, address: addAffine(access.address, variable('nowhere')) },
    })),
  'two axes of one name': (nest) => {
    const [axis] = nest.axes;
    return axis && { ...nest, axes: [axis, axis, ...nest.axes.slice(1)] };
  },
  'an empty axis': (nest) => ({ ...nest, axes: [...nest.axes, { name: 'empty', size: 0 }] }),
  'a value of another type': (nest) =>
    withStore(nest, ({ value, ...store }) => ({
      ...store,
      value:
        value.type === 'f32' ? operation('toInt', value) : value.type === 'i32' ? operation('toBool', value) : float(1),
    })),
  'an operation on different types': (nest) =>
    withStore(nest, ({ value, ...store }) => {
      const other = value.type === 'f32' ? operation('toInt', value) : float(1);
      return { ...store, value: operation('equal', value, other) as Expression };
    }),
  'a store that reads what it writes': (nest) =>
    withStore(nest, ({ access, value, ...store }) => {
      const load: Expression = { kind: 'load', type: value.type, access };
      return { ...store, access, value: operation(value.type === 'bool' ? 'or' : 'max', value, load) };
    }),
  'an accumulator that is not there': (nest) =>
    withStore(nest, ({ value, ...store }) => {
      const accumulator: Expression = { kind: 'accumulator', type: value.type, number: 7 };
      return { ...store, value: operation('equal', value, accumulator) };
    }),
  'one store twice': (nest) => ({ ...nest, stores: [...nest.stores, nest.stores[0]!] }),
  'a use that is not listed': (_, kernel) => ({
    ...kernel,
    buffers: kernel.buffers.map(({ buffer }) => ({ buffer, access: 'read' as const })),
  }),
  'components without padding': (nest) => {
    if (nest.kind !== 'contraction') return undefined;
    const read = new Set(loadsOf([nest.left.value]).flatMap(({ address }) => Object.keys(address.terms)));
    if (!nest.left.components.some(({ name, extent }) => extent !== undefined && read.has(name))) return undefined;
    const components = nest.left.components.map((component) =>
      component.extent === undefined
        ? component
        : { ...component, extent: undefined, index: addAffine(component.index, constantAffine(-1000)) },
    );
    return { ...nest, left: { ...nest.left, components } };
  },
};

function withStore(nest: Nest, change: (store: Nest['stores'][number]) => Nest['stores'][number]): Nest {
  const [first, ...rest] = nest.stores as readonly [Nest['stores'][number], ...Nest['stores'][number][]];
  return { ...nest, stores: [change(first), ...rest] };
}

for (const [name, broken] of Object.entries(breakages)) {
  test(`refuses ${name}`, () => {
    let tried = 0;
    for (let seed = 0; seed < 90; seed++) {
      const { graph, donations } = randomCase(seed);
      const { steps, buffers } = lower(simplify(graph), donations, { fusion: true, simplification: () => true });
      for (const kernel of launchesOf(steps)) {
        const wrong = broken(kernel.nest, kernel, buffers);
        if (!wrong) continue;
        tried++;
        const whole = 'nest' in wrong ? wrong : { ...kernel, nest: wrong };
        assert.throws(() => verifyKernel(whole, buffers), InternalError);
      }
    }
    assert.ok(tried > 5, `${tried} kernels had something to break`);
  });
}

const buffers: readonly Buffer[] = [
  { id: 0, dtype: 'float32', elements: 10, role: { kind: 'input', index: 0 } },
  { id: 1, dtype: 'float32', elements: 10, role: { kind: 'output', donor: undefined } },
];
const kernelOf = (nest: Partial<LoopNest>): Kernel => ({
  label: '',
  buffers: [
    { buffer: 0, access: 'read' },
    { buffer: 1, access: 'write' },
  ],
  nest: {
    kind: 'loop',
    name: 'test',
    axes: [{ name: 'i', size: 10 }],
    reductions: [],
    ordered: undefined,
    accumulators: [],
    stores: [],
    ...nest,
  },
});
const storeOf = (value: Expression): LoopNest['stores'] => [
  { access: { buffer: 1, dtype: 'float32', address: variable('i'), dynamic: [] }, value, mode: 'set' },
];
const loadAt = (constant: number): Expression => ({
  kind: 'load',
  type: 'f32',
  access: { buffer: 0, dtype: 'float32', address: affine(constant, { i: 1 }), dynamic: [] },
});

test('what a guard excludes need not be in bounds, what it lets in must', () => {
  const guarded = (constant: number): Kernel =>
    kernelOf({
      stores: storeOf({
        kind: 'guard',
        type: 'f32',
        bounds: [{ index: affine(-1, { i: 1 }), extent: 10 }],
        inside: loadAt(constant),
        outside: 0,
      }),
    });
  verifyKernel(guarded(-1), buffers);
  verifyKernel(guarded(0), buffers);
  assert.throws(() => verifyKernel(guarded(-2), buffers), {
    name: 'InternalError',
    message:
      'verify: b0.float32[i-2] reaches -1 … 7, the buffer has 0 … 9\n' +
      'test: for i<10\n    b1.float32[i] = (0≤i-1<10 ? b0.float32[i-2] : 0)',
  });
});

test('ranges under guards are true and as tight as they can be', () => {
  const random = new Random(5);
  let tight = 0;
  for (let round = 0; round < 500; round++) {
    const sizes = new Map([
      ['y', random.integer(1, 4)],
      ['k', random.integer(1, 3)],
      ['x', random.integer(1, 4)],
    ]);
    const row = affine(random.integer(-2, 1), { y: random.pick([1, 2, -1]), k: random.pick([1, 2, -1]) });
    const guards = [{ index: row, extent: random.integer(1, 5) }];
    const address = addAffine(
      affine(random.integer(-3, 3), { x: 1 }),
      affine(row.constant * 4, { y: row.terms['y']! * 4, k: row.terms['k']! * 4 }),
    );
    const seen: number[] = [];
    for (let y = 0; y < sizes.get('y')!; y++)
      for (let k = 0; k < sizes.get('k')!; k++)
        for (let x = 0; x < sizes.get('x')!; x++) {
          const at = row.constant + row.terms['y']! * y + row.terms['k']! * k;
          if (at >= 0 && at < guards[0]!.extent)
            seen.push(address.constant + x + address.terms['y']! * y + address.terms['k']! * k);
        }
    const [low, high] = rangeWithin(address, sizes, guards);
    if (seen.length === 0) continue;
    assert.ok(low <= Math.min(...seen) && high >= Math.max(...seen));
    if (low === Math.min(...seen) && high === Math.max(...seen)) tight++;
  }
  assert.ok(tight > 300, `${tight} of 500 were tight`);
});

test('places: what is called apart is apart, by trying all points', () => {
  const random = new Random(6);
  const placesOf = ({ constant, terms }: ReturnType<typeof affine>, axes: readonly Axis[]): number[] =>
    axes.reduce(
      (all, { name, size }) =>
        all.flatMap((place) => Array.from({ length: size }, (_, i) => place + i * (terms[name] ?? 0))),
      [constant],
    );
  for (let round = 0; round < 1000; round++) {
    const map = () =>
      affine(random.integer(-4, 9), { a: random.integer(-6, 6), b: random.integer(-3, 8), c: random.integer(-1, 12) });
    const axes = () => ['a', 'b', 'c'].map((name) => ({ name, size: random.integer(1, 4) }));
    const [one, other, oneAxes, otherAxes] = [map(), map(), axes(), axes()];
    const [here, there] = [placesOf(one, oneAxes), placesOf(other, otherAxes)];
    assert.equal(
      mayMeet(one, oneAxes, other, otherAxes),
      here.some((place) => there.includes(place)),
    );
    assert.equal(isInjective(one, oneAxes), new Set(here).size === here.length);
  }
});
