import {
  type ConvParams,
  convOutputSize,
  type Node,
  sizeOf,
  type WindowParams,
  windowOutputSizes,
} from '../../src/core/index.js';
import { type Generator, greatestSize, isExact, type Value } from './generator.js';

const isTame = ({ bound }: Value): boolean => bound < 100;

function product(g: Generator, node: Node, a: Value, b: Value, terms: number): void {
  const bound = Math.max(1, terms) * a.bound * b.bound;
  const error = terms * (a.error * b.bound + b.error * a.bound);
  g.keep(g.result(node, { bound, error, quantum: a.quantum * b.quantum, terms: Math.max(1, terms) }));
}

export function dot(g: Generator): void {
  const { random } = g;
  const sizes = (count: number): number[] =>
    Array.from({ length: count }, () => (random.chance(0.03) ? 0 : random.pick([1, 2, 3, 4, 5])));
  const batch = sizes(random.pick([0, 0, 1, 2]));
  const contracted = sizes(random.pick([0, 1, 1, 2]));
  const side = (): { shape: number[]; batch: number[]; contract: number[] } => {
    const free = sizes(random.pick([0, 1, 1, 2]));
    const all = [
      ...batch.map((size, i) => ({ size, kind: 'batch', i })),
      ...contracted.map((size, i) => ({ size, kind: 'contract', i })),
      ...free.map((size, i) => ({ size, kind: 'free', i })),
    ];
    const order = random.shuffled(all);
    const placesOf = (kind: string, count: number): number[] =>
      Array.from({ length: count }, (_, i) => order.findIndex((axis) => axis.kind === kind && axis.i === i));
    return {
      shape: order.map(({ size }) => size),
      batch: placesOf('batch', batch.length),
      contract: placesOf('contract', contracted.length),
    };
  };
  const [left, right] = [side(), side()];
  if (sizeOf(left.shape) > greatestSize || sizeOf(right.shape) > greatestSize) return;
  const a = g.want(left.shape, 'float32', isTame);
  const b = random.chance(0.1) && left.shape.join() === right.shape.join() ? a : g.want(right.shape, 'float32', isTame);
  const node = g.add('dot', [a, b], {
    leftContract: left.contract,
    rightContract: right.contract,
    leftBatch: left.batch,
    rightBatch: right.batch,
  }) as Node;
  if (sizeOf(node.shape) <= greatestSize) product(g, node, a, b, sizeOf(contracted));
}

/** A convolution's geometry that fits its input. */
function geometry(g: Generator):
  | {
      params: ConvParams;
      input: number[];
      kernel: number[];
      output: number[];
      filters: number;
      channels: number;
      batch: number;
    }
  | undefined {
  const { random } = g;
  const rank = random.pick([1, 2, 2, 3]);
  const each = (choices: readonly number[]): number[] => Array.from({ length: rank }, () => random.pick(choices));
  const input = each(rank === 3 ? [1, 2, 3] : [1, 3, 4, 5, 6]);
  const kernel = each(rank === 3 ? [1, 2] : [1, 2, 3]);
  const groups = random.pick([1, 1, 1, 2, 3]);
  const params: ConvParams = {
    strides: each([1, 1, 2, 3]),
    padding: Array.from(
      { length: rank },
      () => [random.pick([0, 0, 1, 2, -1]), random.pick([0, 0, 1, 2, -1])] as const,
    ),
    dilation: each([1, 1, 2, 3]),
    groups,
  };
  const output = input.map((size, axis) => convOutputSize(size, kernel[axis]!, axis, params));
  if (output.some((size) => size < 1)) return undefined;
  const [channels, filters] = [groups * random.pick([1, 1, 2, 3]), groups * random.pick([1, 2, 3])];
  const batch = random.chance(0.03) ? 0 : random.pick([1, 1, 2]);
  const counts = [
    batch * sizeOf(input) * channels,
    batch * sizeOf(output) * filters,
    (sizeOf(kernel) * channels * filters) / groups,
  ];
  return counts.some((count) => count > greatestSize)
    ? undefined
    : { params, input, kernel, output, filters, channels, batch };
}

export function conv(g: Generator): void {
  const found = geometry(g) ?? geometry(g);
  if (!found) return;
  const { params, input, kernel, output, filters, channels, batch } = found;
  const x = (): Value => g.want([batch, ...input, channels], 'float32', isTame);
  const k = (): Value => g.want([...kernel, channels / params.groups, filters], 'float32', isTame);
  const y = (): Value => g.want([batch, ...output, filters], 'float32', isTame);
  switch (g.random.integer(0, 2)) {
    case 0: {
      const [a, b] = [x(), k()];
      product(g, g.add('conv', [a, b], params) as Node, a, b, sizeOf(kernel) * channels);
      break;
    }
    case 1: {
      const [a, b] = [y(), k()];
      product(
        g,
        g.add('convInputGradient', [a, b], { ...params, inputSizes: input }) as Node,
        a,
        b,
        sizeOf(kernel) * filters,
      );
      break;
    }
    default: {
      const [a, b] = [x(), y()];
      product(
        g,
        g.add('convKernelGradient', [a, b], { ...params, kernelSizes: kernel }) as Node,
        a,
        b,
        batch * sizeOf(output),
      );
    }
  }
}

export function window(g: Generator): void {
  const { random } = g;
  const rank = random.pick([1, 2, 2, 3]);
  const each = (choices: readonly number[]): number[] => Array.from({ length: rank }, () => random.pick(choices));
  const sizes = each([2, 3, 4, 5, 6]);
  const extents = each([1, 2, 3]);
  const pad = (extent: number): number => random.pick([0, 0, 1, 2].filter((amount) => amount < extent));
  const params: WindowParams = {
    window: extents,
    strides: each([1, 2, 3]),
    padding: extents.map((extent) => [pad(extent), pad(extent)] as const),
  };
  const output = windowOutputSizes(sizes, params);
  const isWrong = output.some(
    (size, axis) => size < 1 || (size - 1) * params.strides[axis]! - params.padding[axis]![0] >= sizes[axis]!,
  );
  if (isWrong) return;
  const [batch, channels] = [random.pick([1, 1, 2]), random.pick([1, 2, 3])];
  const input = [batch, ...sizes, channels];
  const seen = [batch, ...output, channels];
  if (sizeOf(input) > greatestSize || sizeOf(seen) > greatestSize) return;
  const count = sizeOf(extents);
  switch (random.pick(['windowMax', 'windowArgmax', 'windowSum', 'windowTake', 'windowPut'] as const)) {
    case 'windowMax': {
      const x = g.want(input, 'float32');
      g.keep(g.moved(g.add('windowMax', [x], params) as Node, x));
      break;
    }
    case 'windowArgmax':
      g.keep(g.result(g.add('windowArgmax', [g.want(input, 'float32', isExact)], params) as Node, { bound: count }));
      break;
    case 'windowSum': {
      const x = g.want(input, 'float32');
      g.keep(
        g.result(g.add('windowSum', [x], params) as Node, {
          bound: count * x.bound,
          error: count * x.error,
          quantum: x.quantum,
          terms: count,
        }),
      );
      break;
    }
    case 'windowTake': {
      const x = g.want(input, 'float32');
      g.keep(g.moved(g.add('windowTake', [x, g.indices(seen, count)], params) as Node, x));
      break;
    }
    case 'windowPut': {
      const y = g.want(seen, 'float32');
      const node = g.add('windowPut', [y, g.indices(seen, count)], { ...params, inputSizes: sizes }) as Node;
      g.keep(g.result(node, { bound: count * y.bound, error: count * y.error, quantum: y.quantum, terms: count }));
    }
  }
}
