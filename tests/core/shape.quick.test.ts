/** Shape algebra, broadcasting and slices against naive oracles that follow NumPy's text. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  broadcastShapes,
  concat,
  elementStridesOf,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  type SliceItem,
  sizeOf,
  type Tensor,
  tensor,
} from '../../src/core/index.js';
import '../devices.js';
import { indexOf } from '../operands.js';

const runs = { numRuns: 200 };
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
/** The tensor of a shape whose elements are 0, 1, 2 …: every element says where it comes from. */
const counted = (shape: Shape): Tensor =>
  tensor(
    Int32Array.from({ length: sizeOf(shape) }, (_, i) => i),
    { shape },
  );
const offsetOf = (index: readonly number[], shape: Shape): number =>
  index.reduce((sum, i, axis) => sum + i * elementStridesOf(shape)[axis]!, 0);

/** A tensor of `shape`, element by element. */
const build = (shape: Shape, at: (index: readonly number[]) => number): number[] =>
  Array.from({ length: sizeOf(shape) }, (_, i) => at(indexOf(i, shape)));
const elements = (x: Tensor): number[] => [...x.dataSync()];

test('two shapes broadcast as NumPy says, or not at all', () => {
  const oracle = (a: Shape, b: Shape): number[] | undefined => {
    const rank = Math.max(a.length, b.length);
    const result: number[] = [];
    for (let fromRight = 1; fromRight <= rank; fromRight++) {
      const [p, q] = [a.at(-fromRight) ?? 1, b.at(-fromRight) ?? 1];
      if (fromRight > a.length) result.unshift(q);
      else if (fromRight > b.length) result.unshift(p);
      else if (p === q || q === 1) result.unshift(p);
      else if (p === 1) result.unshift(q);
      else return undefined;
    }
    return result;
  };
  fc.assert(
    fc.property(shapes, shapes, (a, b) => {
      const expected = oracle(a, b);
      if (expected) assert.deepEqual(broadcastShapes('test', a, b), expected);
      else assert.throws(() => broadcastShapes('test', a, b), { name: 'ShapeError' });
    }),
    { numRuns: 1000 },
  );
});

test('broadcasting is commutative, associative, and keeps what it has reached', () => {
  const ofBase = fc
    .array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
    .chain((base) =>
      fc.tuple(
        ...[0, 1, 2].map(() =>
          fc
            .tuple(fc.nat(base.length), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
            .map(([drop, ones]) => base.map((size, i) => (ones[i] ? 1 : size)).slice(drop)),
        ),
      ),
    );
  fc.assert(
    fc.property(ofBase, ([a, b, c]) => {
      const join = (...list: Shape[]): number[] => broadcastShapes('test', ...list);
      assert.deepEqual(join(a!, b!), join(b!, a!));
      assert.deepEqual(join(join(a!, b!), c!), join(a!, join(b!, c!)));
      assert.deepEqual(join(a!, b!, c!), join(join(a!, b!), c!));
      assert.deepEqual(join(join(a!, b!), a!), join(a!, b!));
    }),
    runs,
  );
});

test('an operation on broadcast operands takes each element from where it should', () => {
  fc.assert(
    fc.property(shapes, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), fc.nat(4), (shape, ones, drop) => {
      const left = shape.map((size, axis) => (ones[axis] ? 1 : size));
      const right = shape.map((size, axis) => (ones[axis + 4] ? 1 : size)).slice(Math.min(drop, shape.length));
      const result = broadcastShapes('test', left, right);
      const from = (own: Shape, index: readonly number[]): number =>
        offsetOf(
          own.map((size, axis) => (size === 1 ? 0 : index[axis + result.length - own.length]!)),
          own,
        );
      const sum = counted(left).mul(1000).add(counted(right));
      assert.deepEqual(sum.shape, result);
      assert.deepEqual(
        elements(sum),
        build(result, (index) => 1000 * from(left, index) + from(right, index)),
      );
    }),
    runs,
  );
});

/** Python's slice.indices: the elements that start:stop:step picks from `size`. */
type Range = readonly [start?: number | undefined, stop?: number | undefined, step?: number | undefined];
function picked(size: number, [start, stop, step = 1]: Range): number[] {
  const wrap = (at: number): number => (at < 0 ? at + size : at);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (at: number): number => Math.min(high, Math.max(low, at));
  const first = start === undefined ? (step > 0 ? low : high) : clamp(wrap(start));
  const last = stop === undefined ? (step > 0 ? high : low) : clamp(wrap(stop));
  const list: number[] = [];
  for (let i = first; step > 0 ? i < last : i > last; i += step) list.push(i);
  return list;
}

test('slices pick what Python picks', () => {
  const bound = fc.option(fc.integer({ min: -7, max: 7 }), { nil: undefined });
  const step = fc.option(
    fc.integer({ min: -3, max: 3 }).filter((s) => s !== 0),
    { nil: undefined },
  );
  const range = fc.tuple(bound, bound, step);
  const item = fc.oneof(range, fc.constant(undefined), fc.nat());
  fc.assert(
    fc.property(shapes, fc.array(item, { maxLength: 4 }), (shape, wanted) => {
      const items = wanted.slice(0, shape.length).map((own, axis): SliceItem => {
        if (typeof own === 'number') return shape[axis] === 0 ? undefined : (own % (2 * shape[axis]!)) - shape[axis]!;
        return own && ([own[0], own[1], ...(own[2] === undefined ? [] : [own[2]])] as unknown as SliceItem);
      });
      const lists = shape.map((size, axis) => {
        const own = items[axis];
        if (typeof own === 'number') return [own < 0 ? own + size : own];
        return picked(size, own ?? []);
      });
      const keptAxes = lists.flatMap((list, axis) => (typeof items[axis] === 'number' ? [] : [list.length]));
      const x = counted(shape).slice(...items);
      assert.deepEqual(x.shape, keptAxes);
      const full = lists.map((list) => list.length);
      assert.deepEqual(
        elements(x),
        build(full, (index) =>
          offsetOf(
            index.map((i, axis) => lists[axis]![i]!),
            shape,
          ),
        ),
      );
    }),
    { numRuns: 500 },
  );
});

test('transpose, flip, moveAxis, tile and repeat move each element to its place', () => {
  fc.assert(
    fc.property(shapes, fc.infiniteStream(fc.nat()), (shape, stream) => {
      const next = (below: number): number => stream.next().value % below;
      const order = shape.map((_, axis) => axis);
      for (let i = order.length - 1; i > 0; i--) {
        const j = next(i + 1);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      const x = counted(shape);
      const turned = x.transpose(order);
      assert.deepEqual(
        turned.shape,
        order.map((axis) => shape[axis]!),
      );
      assert.deepEqual(
        elements(turned),
        build(turned.shape, (index) =>
          offsetOf(
            shape.map((_, axis) => index[order.indexOf(axis)]!),
            shape,
          ),
        ),
      );
      assert.deepEqual(elements(turned.transpose(order.map((_, axis) => order.indexOf(axis)))), elements(x));
      assert.deepEqual(elements(x.flip()), elements(x).toReversed());
      assert.deepEqual(elements(x.flip().flip()), elements(x));
      if (shape.length === 0) return;
      const [axis, to] = [next(shape.length), next(shape.length)];
      assert.deepEqual(elements(x.moveAxis(axis, to).moveAxis(to, axis)), elements(x));
      const counts = shape.map(() => next(3));
      const tiled = x.tile(counts);
      assert.deepEqual(
        elements(tiled),
        build(tiled.shape, (index) =>
          offsetOf(
            index.map((i, a) => i % shape[a]!),
            shape,
          ),
        ),
      );
      const repeated = x.repeat(2, { axis });
      assert.deepEqual(
        elements(repeated),
        build(repeated.shape, (index) =>
          offsetOf(
            index.map((i, a) => (a === axis ? Math.floor(i / 2) : i)),
            shape,
          ),
        ),
      );
      const cuts = [next(shape[axis]! + 1), next(shape[axis]! + 1)].sort((a, b) => a - b);
      assert.deepEqual(elements(concat(x.split(cuts, { axis }), { axis })), elements(x));
    }),
    runs,
  );
});

test('reductions and running sums over any axes', () => {
  const nonEmpty = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(nonEmpty, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), (shape, chosen) => {
      const axes = shape.flatMap((_, axis) => (chosen[axis] ? [axis] : []));
      const x = counted(shape);
      const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
      const groups = build(shape, (index) =>
        offsetOf(
          index.map((i, axis) => (axes.includes(axis) ? 0 : i)),
          kept,
        ),
      );
      const members = (group: number): number[] => groups.flatMap((g, i) => (g === group ? [i] : []));
      const each = (f: (list: number[]) => number): number[] =>
        Array.from({ length: sizeOf(kept) }, (_, g) => f(members(g)));
      assert.deepEqual(x.sum({ axis: axes, keepDims: true }).shape, kept);
      assert.deepEqual(
        elements(x.sum({ axis: axes })),
        each((list) => list.reduce((a, b) => a + b)),
      );
      assert.deepEqual(
        elements(x.max({ axis: axes })),
        each((list) => Math.max(...list)),
      );
      assert.deepEqual(
        elements(x.min({ axis: axes })),
        each((list) => Math.min(...list)),
      );
      assert.deepEqual(
        elements(x.cumsum({ axis: -1 }).slice(...shape.slice(1).map(() => undefined))),
        elements(x.cumsum({ axis: -1 })),
      );
      assert.deepEqual(elements(x.cumsum({ axis: 0, reverse: true })), elements(x.flip(0).cumsum({ axis: 0 }).flip(0)));
    }),
    runs,
  );
});

test('axes count from either end and are named once', () => {
  assert.deepEqual(normalizeAxes('test', [-1, 0], 3), [0, 2]);
  assert.deepEqual(normalizeAxes('test', undefined, 3), [0, 1, 2]);
  assert.deepEqual(normalizeAxes('test', -2, 3), [1]);
  assert.equal(normalizeAxis('test', -3, 3), 0);
  for (const axis of [3, -4, 0.5, Number.NaN])
    assert.throws(() => normalizeAxis('test', axis, 3), { name: 'ShapeError' });
});
