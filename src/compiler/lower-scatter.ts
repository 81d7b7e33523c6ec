import { elementStridesOf, InternalError, type Node, sizeOf } from '../core/index.js';
import { addAffine, combine, constantAffine, scaleAffine, variable } from './affine.js';
import { constantOf, type Expression, scalarTypeOf } from './expression.js';
import { axesOf, KernelBuilder, type StoredValue } from './kernel-builder.js';
import { fill } from './lower-loops.js';
import type { Kernel } from './nest.js';

const zeroOf = (node: Node): Expression => constantOf(0, scalarTypeOf(node.dtype));

/** Zeros, then each update added in the order of the indices; points of the other axes are independent. */
export function lowerScatter(node: Extract<Node, { op: 'scatterAdd' }>, stored: StoredValue): Kernel[] {
  const [updates, at] = node.inputs as readonly [Node, Node];
  const { axis, size, indexRank } = node.params;
  const builder = new KernelBuilder(node.op, node.label, stored);
  const { axes, indices } = axesOf(node.shape, 'a');
  const strides = elementStridesOf(node.shape);
  const flat = variable('t');
  const others = indices.filter((_, i) => i !== axis);
  let value: Expression;
  let update: Expression;
  if (indexRank <= 1) {
    const row = indexRank === 0 ? [] : [flat];
    value = builder.express(at, row);
    update = builder.express(updates, [...others.slice(0, axis), ...row, ...others.slice(axis)]);
  } else {
    // the axes of the indices as one row: so they lie one after another in their buffers
    const outer = elementStridesOf(updates.shape);
    const otherStrides = [...outer.slice(0, axis), ...outer.slice(axis + indexRank)];
    const place = addAffine(combine(others, otherStrides), scaleAffine(flat, outer[axis + indexRank - 1]!));
    value = builder.load(bufferOf(stored, at), at.dtype, flat);
    update = builder.load(bufferOf(stored, updates), updates.dtype, place);
  }
  const store = builder.storeAt(
    node,
    combine(
      indices.map((index, i) => (i === axis ? constantAffine(0) : index)),
      strides,
    ),
    update,
    {
      dynamic: [{ value, stride: strides[axis]!, extent: size, outside: 'raise', where: 'scatterAdd' }],
      mode: 'add',
    },
  );
  const kernel = builder.finish({
    kind: 'loop',
    axes: axes.filter(({ name }) => name !== `a${axis}`),
    reductions: [],
    ordered: { name: 't', size: sizeOf(at.shape) },
    accumulators: [],
    stores: [store],
  });
  return [fill(node, zeroOf(node), stored), kernel];
}

/** Zeros, then each update added at its own index along one axis, in the axis's order; points of the other axes are independent. */
export function lowerScatterAlong(node: Extract<Node, { op: 'scatterAddAlong' }>, stored: StoredValue): Kernel[] {
  const [updates, at] = node.inputs as readonly [Node, Node];
  const { axis, size } = node.params;
  const builder = new KernelBuilder(node.op, node.label, stored);
  const { axes, indices } = axesOf(updates.shape, 'a');
  const strides = elementStridesOf(node.shape);
  const inside = indices.map((index, i) => (i === axis ? variable('t') : index));
  const row = indices.map((index, i) => (i === axis ? constantAffine(0) : index));
  const value = builder.express(at, inside);
  const store = builder.storeAt(node, combine(row, strides), builder.express(updates, inside), {
    dynamic: [{ value, stride: strides[axis]!, extent: size, outside: 'raise', where: 'scatterAddAlongAxis' }],
    mode: 'add',
  });
  const kernel = builder.finish({
    kind: 'loop',
    axes: axes.filter(({ name }) => name !== `a${axis}`),
    reductions: [],
    ordered: { name: 't', size: updates.shape[axis]! },
    accumulators: [],
    stores: [store],
  });
  return [fill(node, zeroOf(node), stored), kernel];
}

function bufferOf(stored: StoredValue, node: Node): number {
  const buffer = stored.bufferOf(node);
  if (buffer === undefined) throw new InternalError(`${node.op} #${node.id} has no buffer`);
  return buffer;
}
