import { freeAxes, type Node } from '../core/index.js';
import { type Affine, addAffine, constantAffine, scaleAffine, variable } from './affine.js';
import { type Expression, float } from './expression.js';
import type { Group } from './fuse.js';
import { axesOf, KernelBuilder, type StoredValue } from './kernel-builder.js';
import type { Axis, Component, Kernel, Operand } from './nest.js';
import { phasesOf } from './phases.js';

type Contraction = Extract<Node, { op: 'dot' | 'conv' | 'convInputGradient' | 'convKernelGradient' }>;

interface Place {
  readonly index: Affine;
  readonly extent?: number | undefined;
}

/** Contractions become one form: output axes, reduction axes, and an index map for each operand. */
export function lowerContraction(group: Group, anchor: Contraction, stored: StoredValue): Kernel[] {
  const nodes = group.stored;
  const name = [...new Set<Node>([anchor, ...nodes])].map(({ op }) => op).join('+');
  const build = (
    axes: readonly Axis[],
    reductions: readonly Axis[],
    left: readonly Place[],
    right: readonly Place[],
    indices: readonly Affine[],
  ): Kernel => {
    const builder = new KernelBuilder(name, anchor.label, stored);
    const [a, b] = anchor.inputs as readonly [Node, Node];
    const operands = { left: operandOf(builder, a, left, 'l'), right: operandOf(builder, b, right, 'r') };
    const sum: Expression = { kind: 'accumulator', type: 'f32', number: 0 };
    builder.define(anchor, indices, sum);
    return builder.finish({
      kind: 'contraction',
      axes,
      reductions,
      ...operands,
      stores: builder.stores(nodes, indices),
    });
  };
  const nothing = (axes: readonly Axis[], indices: readonly Affine[]): Kernel => {
    const builder = new KernelBuilder(name, anchor.label, stored);
    builder.define(anchor, indices, float(0));
    return builder.finish({
      kind: 'loop',
      axes,
      reductions: [],
      ordered: undefined,
      accumulators: [],
      stores: builder.stores(nodes, indices),
    });
  };
  switch (anchor.op) {
    case 'dot':
      return [lowerDot(anchor, build)];
    case 'conv':
      return [lowerForward(anchor, build)];
    case 'convKernelGradient':
      return [lowerKernelGradient(anchor, build)];
    case 'convInputGradient':
      return lowerInputGradient(anchor, build, nothing);
  }
}

type Build = (
  axes: readonly Axis[],
  reductions: readonly Axis[],
  left: readonly Place[],
  right: readonly Place[],
  indices: readonly Affine[],
) => Kernel;

function operandOf(builder: KernelBuilder, node: Node, places: readonly Place[], prefix: string): Operand {
  const components: Component[] = places.map(({ index, extent }, i) => ({ name: `${prefix}${i}`, index, extent }));
  return {
    components,
    value: builder.express(
      node,
      components.map(({ name }) => variable(name)),
    ),
  };
}

const at = (indices: readonly Affine[]): Place[] => indices.map((index) => ({ index }));

function lowerDot(node: Extract<Node, { op: 'dot' }>, build: Build): Kernel {
  const [a, b] = node.inputs as readonly [Node, Node];
  const { leftContract, rightContract, leftBatch, rightBatch } = node.params;
  const sizes = (x: Node, axes: readonly number[]): number[] => axes.map((axis) => x.shape[axis]!);
  const leftFree = freeAxes(a.shape.length, leftContract, leftBatch);
  const rightFree = freeAxes(b.shape.length, rightContract, rightBatch);
  const batch = axesOf(sizes(a, leftBatch), 'b');
  const rows = axesOf(sizes(a, leftFree), 'm');
  const columns = axesOf(sizes(b, rightFree), 'n');
  const steps = axesOf(sizes(a, leftContract), 'k');
  const spread = (rank: number, ...lists: readonly (readonly [readonly number[], readonly Affine[]])[]): Place[] => {
    const places = new Array<Place>(rank);
    for (const [axes, indices] of lists) {
      axes.forEach((axis, i) => {
        places[axis] = { index: indices[i]! };
      });
    }
    return places;
  };
  return build(
    [...batch.axes, ...rows.axes, ...columns.axes],
    steps.axes,
    spread(a.shape.length, [leftBatch, batch.indices], [leftFree, rows.indices], [leftContract, steps.indices]),
    spread(b.shape.length, [rightBatch, batch.indices], [rightFree, columns.indices], [rightContract, steps.indices]),
    [...batch.indices, ...rows.indices, ...columns.indices],
  );
}

/** Loops over groups, and over channels and filters inside one; the channel is group · (channels in a group) + its number there. */
function channelAxes(channels: number, filters: number, groups: number) {
  const group = axesOf([groups], 'g');
  const inputs = axesOf([channels / groups], 'i');
  const outputs = axesOf([filters / groups], 'o');
  const inside = (per: number, index: Affine): Affine => addAffine(scaleAffine(group.indices[0]!, per), index);
  return {
    group: group.axes,
    inputs: inputs.axes,
    outputs: outputs.axes,
    channel: inside(channels / groups, inputs.indices[0]!),
    perGroup: inputs.indices[0]!,
    filter: inside(filters / groups, outputs.indices[0]!),
  };
}

/** Where input of a convolution lies for an output position and a kernel offset; guarded where padding is seen. */
function inputPlace(
  position: Affine,
  offset: Affine,
  axis: number,
  extent: number,
  {
    strides,
    padding,
    dilation,
  }: {
    readonly strides: readonly number[];
    readonly padding: readonly (readonly [number, number])[];
    readonly dilation: readonly number[];
  },
): Place {
  const index = addAffine(
    addAffine(scaleAffine(position, strides[axis]!), scaleAffine(offset, dilation[axis]!)),
    constantAffine(-padding[axis]![0]),
  );
  return { index, extent };
}

function lowerForward(node: Extract<Node, { op: 'conv' }>, build: Build): Kernel {
  const [x, kernel] = node.inputs as readonly [Node, Node];
  const rank = node.params.strides.length;
  const batch = axesOf([x.shape[0]!], 'b');
  const positions = axesOf(node.shape.slice(1, -1), 'y');
  const offsets = axesOf(kernel.shape.slice(0, rank), 'k');
  const { group, inputs, outputs, channel, perGroup, filter } = channelAxes(
    x.shape.at(-1)!,
    node.shape.at(-1)!,
    node.params.groups,
  );
  const places = positions.indices.map((position, axis) =>
    inputPlace(position, offsets.indices[axis]!, axis, x.shape[axis + 1]!, node.params),
  );
  return build(
    [...batch.axes, ...positions.axes, ...group, ...outputs],
    [...offsets.axes, ...inputs],
    [...at(batch.indices), ...places, { index: channel }],
    at([...offsets.indices, perGroup, filter]),
    [...batch.indices, ...positions.indices, filter],
  );
}

function lowerKernelGradient(node: Extract<Node, { op: 'convKernelGradient' }>, build: Build): Kernel {
  const [x, dy] = node.inputs as readonly [Node, Node];
  const rank = node.params.strides.length;
  const batch = axesOf([x.shape[0]!], 'b');
  const positions = axesOf(dy.shape.slice(1, -1), 'y');
  const offsets = axesOf(node.shape.slice(0, rank), 'k');
  const { group, inputs, outputs, channel, perGroup, filter } = channelAxes(
    x.shape.at(-1)!,
    dy.shape.at(-1)!,
    node.params.groups,
  );
  const places = positions.indices.map((position, axis) =>
    inputPlace(position, offsets.indices[axis]!, axis, x.shape[axis + 1]!, node.params),
  );
  return build(
    [...offsets.axes, ...group, ...inputs, ...outputs],
    [...batch.axes, ...positions.axes],
    [...at(batch.indices), ...places, { index: channel }],
    at([...batch.indices, ...positions.indices, filter]),
    [...offsets.indices, perGroup, filter],
  );
}

function lowerInputGradient(
  node: Extract<Node, { op: 'convInputGradient' }>,
  build: Build,
  nothing: (axes: readonly Axis[], indices: readonly Affine[]) => Kernel,
): Kernel[] {
  const [dy, kernel] = node.inputs as readonly [Node, Node];
  const rank = node.params.strides.length;
  const { strides, padding, dilation, groups } = node.params;
  const batch = axesOf([node.shape[0]!], 'b');
  const { group, inputs, outputs, channel, perGroup, filter } = channelAxes(
    node.shape.at(-1)!,
    dy.shape.at(-1)!,
    groups,
  );
  return phasesOf(
    node.shape.slice(1, -1),
    kernel.shape.slice(0, rank),
    strides,
    padding,
    dilation,
    dy.shape.slice(1, -1),
  ).map((phase) => {
    const axes = [...batch.axes, ...phase.inputAxes, ...group, ...inputs];
    const indices = [...batch.indices, ...phase.input, channel];
    if (phase.isEmpty) return nothing(axes, indices);
    return build(
      axes,
      [...phase.kernelAxes, ...outputs],
      [...at(batch.indices), ...phase.output.map(({ index, extent }) => ({ index, extent })), { index: filter }],
      at([...phase.kernel, perGroup, filter]),
      indices,
    );
  });
}
