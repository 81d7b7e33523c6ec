import { type Node, sizeOf } from '../../src/core/index.js';
import { dtypes, type Generator, greatestInt, greatestSize, type Value } from './generator.js';

const any = (g: Generator): Value =>
  g.some(({ node }) => node.shape.length > 0) ?? g.want([g.random.integer(1, 4), ...g.shape(3)], g.random.pick(dtypes));

/** One move, or a chain of them. */
export function move(g: Generator): void {
  moveOf(g, any(g));
  while (g.random.chance(0.4)) {
    const last = g.values.at(-1)!;
    moveOf(g, last.node.shape.length > 0 ? last : any(g));
  }
}

function moveOf(g: Generator, x: Value): void {
  const { shape, dtype } = x.node;
  const axes = shape.map((_, axis) => axis);
  const add = (node: Node, ...from: readonly Value[]): void => {
    if (sizeOf(node.shape) <= greatestSize) g.keep(g.moved(node, ...(from.length > 0 ? from : [x])));
  };
  switch (g.random.pick(['reshape', 'transpose', 'broadcast', 'slice', 'flip', 'pad', 'concat', 'iota'] as const)) {
    case 'reshape':
      add(g.add('reshape', [x], { shape: reshaped(g, shape) }));
      break;
    case 'transpose':
      add(g.add('transpose', [x], { permutation: g.random.shuffled(axes) }));
      break;
    case 'broadcast': {
      const wider = shape.map((size) => (size === 1 ? g.random.pick([1, 2, 3]) : size));
      add(g.add('broadcast', [x], { shape: g.random.chance(0.4) ? [g.random.integer(1, 3), ...wider] : wider }));
      break;
    }
    case 'slice': {
      const start = shape.map((size) => (g.random.chance(0.5) ? 0 : g.random.integer(0, size)));
      const stop = shape.map((size, axis) => (g.random.chance(0.5) ? size : g.random.integer(start[axis]!, size)));
      add(g.add('slice', [x], { start, stop, step: axes.map(() => g.random.pick([1, 1, 2, 3])) }));
      break;
    }
    case 'flip':
      add(g.add('flip', [x], { axes: axes.filter(() => g.random.chance(0.6)) }));
      break;
    case 'pad': {
      const amounts = (greatest: number): number[] =>
        axes.map(() => (g.random.chance(0.5) ? 0 : g.random.integer(0, greatest)));
      const value =
        dtype === 'bool'
          ? g.random.integer(0, 1)
          : dtype === 'float32'
            ? g.random.pick([0, 0, -1.5, 2])
            : g.random.pick([0, 0, 3]);
      const padded = g.add('pad', [x], { low: amounts(2), high: amounts(2), interior: amounts(2), value });
      add(padded, x, g.constant(value, dtype, []));
      break;
    }
    case 'concat': {
      const axis = g.random.pick(axes);
      const others = Array.from({ length: g.random.integer(0, 2) }, () => {
        const size = g.random.pick([0, 1, 1, 2, 3]);
        return g.random.chance(0.3)
          ? x
          : g.want(
              shape.map((length, i) => (i === axis ? size : length)),
              dtype,
            );
      });
      add(g.add('concat', [x, ...others], { axis }), x, ...others);
      break;
    }
    case 'iota':
      g.keep(g.result(g.add('iota', [], { shape, axis: g.random.pick(axes) }), { bound: Math.max(1, ...shape) }));
  }
}

/** The same count of elements, axes split, joined, dropped or added. */
function reshaped(g: Generator, shape: readonly number[]): number[] {
  const size = sizeOf(shape);
  switch (g.random.integer(0, 3)) {
    case 0:
      return [size];
    case 1:
      return shape.filter((length) => length !== 1);
    case 2: {
      const result = [...shape];
      result.splice(g.random.integer(0, shape.length), 0, 1);
      return result;
    }
    default: {
      if (size === 0) return [...shape, 3];
      const divisor = g.random.pick([2, 3, 4, 5].filter((d) => size % d === 0).concat(1));
      return g.random.chance(0.5) ? [divisor, size / divisor] : [size / divisor, 1, divisor];
    }
  }
}

export function reduce(g: Generator): void {
  const x = any(g);
  const { shape, dtype } = x.node;
  const axes = shape.flatMap((_, axis) => (g.random.chance(0.5) ? [axis] : []));
  const count = axes.reduce((product, axis) => product * shape[axis]!, 1);
  const axis = g.random.integer(0, shape.length - 1);
  const op = g.random.pick([
    'reduceSum',
    'reduceSum',
    'reduceProd',
    'reduceMax',
    'reduceMin',
    'argmax',
    'argmin',
    'argsort',
    'cumsum',
  ] as const);
  const { bound, error, quantum } = x;
  switch (op) {
    case 'reduceSum':
      g.keep(
        g.result(g.add(op, [x], { axes }), {
          bound: Math.max(1, count) * bound,
          error: count * error,
          quantum,
          terms: count,
        }),
      );
      break;
    case 'reduceProd':
      if (dtype === 'float32' && (count > 6 || bound > 3)) return;
      g.keep(
        g.result(g.add(op, [x], { axes }), {
          bound: Math.max(1, bound) ** Math.max(1, count),
          error: count * error * Math.max(1, bound) ** count,
          quantum: count > 6 ? 0 : quantum ** Math.max(1, count),
          terms: count,
        }),
      );
      break;
    case 'reduceMax':
    case 'reduceMin':
      if (count === 0) return;
      g.keep(g.moved(g.add(op, [x], { axes }), x));
      break;
    case 'argmax':
    case 'argmin':
      if (shape[axis] === 0 || quantum === 0) return;
      g.keep(g.result(g.add(op, [x], { axis }), { bound: shape[axis]! }));
      break;
    case 'argsort':
      if (quantum === 0) return;
      g.keep(
        g.result(
          g.add(op, [x], {
            axis,
            descending: g.random.chance(0.5),
            count: g.random.chance(0.5) ? shape[axis]! : g.random.integer(0, shape[axis]!),
          }),
          { bound: Math.max(1, shape[axis]!) },
        ),
      );
      break;
    case 'cumsum': {
      if (dtype === 'bool') return;
      const size = Math.max(1, shape[axis]!);
      g.keep(
        g.result(g.add(op, [x], { axis, reverse: g.random.chance(0.5) }), {
          bound: size * bound,
          error: size * error,
          quantum,
          terms: size,
        }),
      );
    }
  }
}

export function index(g: Generator): void {
  const x = any(g);
  const { shape, dtype } = x.node;
  const axis = g.random.integer(0, shape.length - 1);
  const size = shape[axis]!;
  const ops = [
    'gather',
    'scatterAdd',
    'gatherAlong',
    'scatterAddAlong',
    'dynamicSlice',
    'dynamicUpdate',
    'randomBits',
  ] as const;
  switch (g.random.pick(ops)) {
    case 'gather': {
      if (size === 0) return;
      const at = g.indices(g.shape(2), size);
      if ((sizeOf(shape) / size) * sizeOf(at.node.shape) > greatestSize) return;
      g.keep(g.moved(g.add('gather', [x, at], { axis }), x));
      break;
    }
    case 'scatterAdd': {
      const indexRank = g.random.integer(0, shape.length - axis);
      const indexShape = shape.slice(axis, axis + indexRank);
      const target = g.random.integer(1, 5);
      const count = sizeOf(indexShape);
      if ((sizeOf(shape) / Math.max(1, count)) * target > greatestSize) return;
      const at = g.indices(indexShape, target);
      const node = g.add('scatterAdd', [x, at], { axis, size: target, indexRank });
      if (dtype === 'bool') return;
      g.keep(
        g.result(node, {
          bound: Math.max(1, count) * x.bound,
          error: count * x.error,
          quantum: x.quantum,
          terms: count,
        }),
      );
      break;
    }
    case 'gatherAlong': {
      if (size === 0) return;
      const wanted = shape.map((own, i) => (i === axis ? g.random.integer(0, 5) : own));
      if (sizeOf(wanted) > greatestSize) return;
      g.keep(g.moved(g.add('gatherAlong', [x, g.indices(wanted, size)], { axis }), x));
      break;
    }
    case 'scatterAddAlong': {
      const target = g.random.integer(1, 5);
      if (dtype === 'bool' || (sizeOf(shape) / Math.max(1, size)) * target > greatestSize) return;
      const node = g.add('scatterAddAlong', [x, g.indices(shape, target)], { axis, size: target });
      g.keep(
        g.result(node, { bound: Math.max(1, size) * x.bound, error: size * x.error, quantum: x.quantum, terms: size }),
      );
      break;
    }
    case 'dynamicSlice': {
      const sizes = shape.map((length) => g.random.integer(Math.min(1, length), length));
      g.keep(g.moved(g.add('dynamicSlice', [x, g.want([shape.length], 'int32')], { sizes }), x));
      break;
    }
    case 'dynamicUpdate': {
      const update = g.want(
        shape.map((length) => g.random.integer(Math.min(1, length), length)),
        dtype,
      );
      g.keep(g.moved(g.add('dynamicUpdate', [x, update, g.want([shape.length], 'int32')], {}), x, update));
      break;
    }
    case 'randomBits':
      g.keep(
        g.result(g.add('randomBits', [g.want([3], 'int32')], { shape: g.shape(), stream: g.random.integer(0, 9) }), {
          bound: greatestInt,
        }),
      );
  }
}
