import { elementStridesOf, type Node } from '../core/index.js';
import { type Affine, addAffine, combine, constantAffine, scaleAffine, variable } from './affine.js';
import {
  type Bound,
  constantOf,
  type Expression,
  float,
  int,
  operation,
  scalarTypeOf,
  selectOf,
} from './expression.js';
import type { Group } from './fuse.js';
import { axesOf, KernelBuilder, type StoredValue } from './kernel-builder.js';
import type { Axis, CombineOp, Kernel } from './nest.js';
import { phasesOf } from './phases.js';

const unordered = { kind: 'loop', ordered: undefined } as const;

/** Elementwise work, and copies of views: each point by itself. */
export function lowerPointwise({ stored: nodes }: Group, stored: StoredValue): Kernel[] {
  const first = nodes[0]!;
  const builder = new KernelBuilder(nodes.map(({ op }) => op).join('+'), first.label, stored);
  const { axes, indices } = axesOf(first.shape, 'a');
  return [
    builder.finish({ ...unordered, axes, reductions: [], accumulators: [], stores: builder.stores(nodes, indices) }),
  ];
}

const combines: Partial<Record<Node['op'], CombineOp>> = {
  reduceSum: 'sum',
  reduceProd: 'prod',
  reduceMax: 'max',
  reduceMin: 'min',
  argmax: 'argmax',
  argmin: 'argmin',
  cumsum: 'sum',
};

/** A bool as a number that max and min can order. */
const ordered = (value: Expression): Expression => (value.type === 'bool' ? operation('toInt', value) : value);

const nameOf = ({ anchor, stored }: Group): string => [...new Set([anchor!, ...stored])].map(({ op }) => op).join('+');

type Reduction = Extract<
  Node,
  { op: 'reduceSum' | 'reduceProd' | 'reduceMax' | 'reduceMin' | 'argmax' | 'argmin' | 'cumsum' }
>;

export function lowerReduction(group: Group, anchor: Reduction, stored: StoredValue): Kernel[] {
  const [x] = anchor.inputs as readonly [Node];
  const builder = new KernelBuilder(nameOf(group), anchor.label, stored);
  if (anchor.op === 'cumsum') return [lowerRunningSum(anchor, x, builder)];
  const reduced = 'axes' in anchor.params ? anchor.params.axes : [anchor.params.axis];
  const { axes, indices } = axesOf(anchor.shape, 'a');
  const reductions: Axis[] = [];
  let next = 0;
  const inside = x.shape.map((size, axis) => {
    if (!reduced.includes(axis)) return indices[next++]!;
    if (size === 1) return constantAffine(0);
    reductions.push({ name: `r${axis}`, size });
    return variable(`r${axis}`);
  });
  const combine = combines[anchor.op]!;
  const value = ordered(builder.express(x, inside));
  const isArgument = combine === 'argmax' || combine === 'argmin';
  builder.define(anchor, indices, result(0, isArgument ? 'i32' : value.type, anchor));
  const accumulator = { combine, type: value.type, value, ...(isArgument && { position: inside[reduced[0]!]! }) };
  return [
    builder.finish({
      ...unordered,
      axes,
      reductions,
      accumulators: [accumulator],
      stores: builder.stores(storesOf(group), indices),
    }),
  ];
}

/** The value of accumulator `number` as `node` has it. */
function result(number: number, type: Expression['type'], node: Node): Expression {
  const value: Expression = { kind: 'accumulator', type, number };
  return node.dtype === 'bool'
    ? operation('toBool', value)
    : node.dtype === 'uint8'
      ? operation('and', value, int(255))
      : value;
}

const storesOf = ({ stored }: Group): readonly Node[] => stored;

function lowerRunningSum(node: Extract<Node, { op: 'cumsum' }>, x: Node, builder: KernelBuilder): Kernel {
  const { axis, reverse } = node.params;
  const { axes, indices } = axesOf(node.shape, 'a');
  const size = node.shape[axis]!;
  const at = reverse ? addAffine(constantAffine(size - 1), scaleAffine(variable('t'), -1)) : variable('t');
  const inside = indices.map((index, i) => (i === axis ? at : index));
  const value = builder.express(x, inside);
  builder.define(node, inside, { kind: 'accumulator', type: value.type, number: 0 });
  return builder.finish({
    kind: 'loop',
    axes: axes.filter(({ name }) => name !== `a${axis}`),
    reductions: [],
    ordered: { name: 't', size },
    accumulators: [{ combine: 'sum', type: value.type, value }],
    stores: builder.stores([node], inside),
  });
}

type Window = Extract<Node, { op: 'windowMax' | 'windowArgmax' | 'windowSum' | 'windowTake' | 'windowPut' }>;

export function lowerWindow(group: Group, anchor: Window, stored: StoredValue): Kernel[] {
  return anchor.op === 'windowPut' ? lowerWindowPut(group, anchor, stored) : [lowerWindowTo(group, anchor, stored)];
}

function lowerWindowTo(group: Group, anchor: Exclude<Window, { op: 'windowPut' }>, stored: StoredValue): Kernel {
  const { window, strides, padding } = anchor.params;
  const [x, index] = anchor.inputs as readonly [Node, Node];
  const builder = new KernelBuilder(nameOf(group), anchor.label, stored);
  const { axes, indices } = axesOf(anchor.shape, 'a');
  const offsets = axesOf(window, 'k');
  const bounds: Bound[] = [];
  const inside = indices.map((at, axis) => {
    const spatial = axis - 1;
    if (spatial < 0 || spatial >= window.length) return at;
    const place = addAffine(
      addAffine(scaleAffine(at, strides[spatial]!), offsets.indices[spatial]!),
      constantAffine(-padding[spatial]![0]),
    );
    const extent = x.shape[axis]!;
    if (padding[spatial]!.some((amount) => amount > 0)) bounds.push({ index: place, extent });
    return place;
  });
  const position = combine(offsets.indices, elementStridesOf(window));
  const guarded = (value: Expression, outside: number): Expression =>
    bounds.length === 0 ? value : { kind: 'guard', type: value.type, bounds, inside: value, outside };
  const element = builder.express(x, inside);
  const isMax = anchor.op === 'windowMax' || anchor.op === 'windowArgmax';
  const taken =
    anchor.op === 'windowTake'
      ? selectOf(
          operation('equal', builder.express(index, indices), { kind: 'index', type: 'i32', index: position }),
          element,
          float(0),
        )
      : element;
  const accumulator =
    anchor.op === 'windowArgmax'
      ? { combine: 'argmax' as const, type: element.type, value: guarded(element, Number.NEGATIVE_INFINITY), position }
      : {
          combine: isMax ? ('max' as const) : ('sum' as const),
          type: element.type,
          value: guarded(taken, isMax ? Number.NEGATIVE_INFINITY : 0),
        };
  builder.define(anchor, indices, { kind: 'accumulator', type: scalarTypeOf(anchor.dtype), number: 0 });
  return builder.finish({
    ...unordered,
    axes,
    reductions: offsets.axes,
    accumulators: [accumulator],
    stores: builder.stores(storesOf(group), indices),
  });
}

/** Each input element asks the windows that could have taken it: stride² dense phases, like a strided input gradient. */
function lowerWindowPut(group: Group, anchor: Extract<Node, { op: 'windowPut' }>, stored: StoredValue): Kernel[] {
  const { window, strides, padding } = anchor.params;
  const [y, index] = anchor.inputs as readonly [Node, Node];
  const sizes = anchor.shape.slice(1, -1);
  return phasesOf(
    sizes,
    window,
    strides,
    padding,
    strides.map(() => 1),
    y.shape.slice(1, -1),
  ).map((phase) => {
    const builder = new KernelBuilder(nameOf(group), anchor.label, stored);
    const batch = axesOf([anchor.shape[0]!], 'n');
    const channels = axesOf([anchor.shape.at(-1)!], 'c');
    const indices = [...batch.indices, ...phase.input, ...channels.indices];
    const from = [...batch.indices, ...phase.output.map(({ index: place }) => place), ...channels.indices];
    const bounds = phase.output.filter(({ isGuarded }) => isGuarded);
    const position = combine(phase.kernel, elementStridesOf(window));
    const taken = selectOf(
      operation('equal', builder.express(index, from), { kind: 'index', type: 'i32', index: position }),
      builder.express(y, from),
      constantOf(0, scalarTypeOf(y.dtype)),
    );
    const value: Expression =
      bounds.length === 0
        ? taken
        : {
            kind: 'guard',
            type: taken.type,
            bounds: bounds.map(({ index: place, extent }) => ({ index: place, extent })),
            inside: taken,
            outside: 0,
          };
    builder.define(
      anchor,
      indices,
      phase.isEmpty ? constantOf(0, value.type) : { kind: 'accumulator', type: value.type, number: 0 },
    );
    return builder.finish({
      ...unordered,
      axes: [...batch.axes, ...phase.inputAxes, ...channels.axes],
      reductions: phase.isEmpty ? [] : phase.kernelAxes,
      accumulators: phase.isEmpty ? [] : [{ combine: 'sum', type: value.type, value }],
      stores: builder.stores(storesOf(group), indices),
    });
  });
}

/** A kernel that fills the whole of a node's buffer. */
export function fill(node: Node, value: Expression, stored: StoredValue): Kernel {
  const builder = new KernelBuilder('fill', node.label, stored);
  const { axes, indices } = axesOf(node.shape, 'a');
  return builder.finish({
    ...unordered,
    axes,
    reductions: [],
    accumulators: [],
    stores: [builder.storeAt(node, combine(indices, elementStridesOf(node.shape)), value)],
  });
}

/** Results put together from parts: a kernel for each part, which computes it right where it goes. */
export function lowerCopies(
  node: Extract<Node, { op: 'concat' | 'pad' | 'dynamicUpdate' }>,
  stored: StoredValue,
): Kernel[] {
  const strides = elementStridesOf(node.shape);
  const part = (
    x: Node,
    place: (
      indices: readonly Affine[],
      builder: KernelBuilder,
    ) => { address: Affine; dynamic?: ReturnType<KernelBuilder['clampedStarts']> },
  ): Kernel => {
    const builder = new KernelBuilder(node.op, node.label, stored);
    const { axes, indices } = axesOf(x.shape, 'a');
    const { address, dynamic = [] } = place(indices, builder);
    return builder.finish({
      ...unordered,
      axes,
      reductions: [],
      accumulators: [],
      stores: [builder.storeAt(node, address, builder.express(x, indices), { dynamic })],
    });
  };
  switch (node.op) {
    case 'concat': {
      let from = 0;
      return node.inputs.map((x) => {
        const offset = from * strides[node.params.axis]!;
        from += x.shape[node.params.axis]!;
        return part(x, (indices) => ({ address: addAffine(combine(indices, strides), constantAffine(offset)) }));
      });
    }
    case 'pad': {
      const { low, interior, value } = node.params;
      const [x] = node.inputs as readonly [Node];
      const at = (indices: readonly Affine[]): Affine =>
        combine(
          indices.map((index, axis) => addAffine(scaleAffine(index, interior[axis]! + 1), constantAffine(low[axis]!))),
          strides,
        );
      return [
        fill(node, constantOf(value, scalarTypeOf(node.dtype)), stored),
        part(x, (indices) => ({ address: at(indices) })),
      ];
    }
    case 'dynamicUpdate': {
      const [x, update, starts] = node.inputs as readonly [Node, Node, Node];
      return [
        part(x, (indices) => ({ address: combine(indices, strides) })),
        part(update, (indices, builder) => ({
          address: combine(indices, strides),
          dynamic: builder.clampedStarts(node, starts, update.shape),
        })),
      ];
    }
  }
}
