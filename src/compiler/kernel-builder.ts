import { type DType, elementStridesOf, InternalError, type Node, primitives } from '../core/index.js';
import { type Affine, addAffine, combine, constantAffine, printAffine, scaleAffine, variable } from './affine.js';
import { elementwiseRules, literal } from './elementwise.js';
import { type Access, type Expression, scalarTypeOf } from './expression.js';
import { isThinReshape } from './fuse.js';
import { randomWord } from './math.js';
import type { BufferUse, Kernel, LoopNest, Nest, Store } from './nest.js';
import { normalize } from './normalize.js';

/** Where values lie; `undefined` for those that each reader computes. */
export interface StoredValue {
  bufferOf(node: Node): number | undefined;
}

export type Unnamed<N extends Nest> = Omit<N, 'name'>;

/** Builds one kernel: numbers its buffers and turns nodes into expressions at given indices. */
export class KernelBuilder {
  readonly #name: string;
  readonly #label: string;
  readonly #stored: StoredValue;
  readonly #buffers: number[] = [];
  readonly #made = new Map<string, Expression>();
  readonly #local = new Map<string, Expression>();
  /** Nodes that this kernel computes although they have buffers. */
  readonly #members = new Set<Node>();

  constructor(name: string, label: string, stored: StoredValue) {
    this.#name = name;
    this.#label = label;
    this.#stored = stored;
  }

  /** Says that `node` at `indices` is `value` in this kernel: what an anchor has gathered. */
  define(node: Node, indices: readonly Affine[], value: Expression): void {
    this.#local.set(keyOf(node, indices), value);
  }

  /** The stores of a group's nodes at the kernel's points. */
  stores(nodes: readonly Node[], indices: readonly Affine[]): Store[] {
    for (const node of nodes) this.#members.add(node);
    return nodes.map((node) => ({
      access: this.access(this.#bufferOf(node), node.dtype, combine(indices, elementStridesOf(node.shape))),
      value: this.express(node, indices),
      mode: 'set',
    }));
  }

  #bufferOf(node: Node): number {
    const buffer = this.#stored.bufferOf(node);
    if (buffer === undefined) throw new InternalError(`${node.op} #${node.id} has no buffer`);
    return buffer;
  }

  access(buffer: number, dtype: DType, address: Affine, dynamic: Access['dynamic'] = []): Access {
    let number = this.#buffers.indexOf(buffer);
    if (number < 0) number = this.#buffers.push(buffer) - 1;
    return { buffer: number, dtype, address, dynamic };
  }

  load(buffer: number, dtype: DType, address: Affine, dynamic: Access['dynamic'] = []): Expression {
    const key = `@${buffer}[${printAffine(address)}]`;
    const known = dynamic.length === 0 && this.#made.get(key);
    if (known) return known;
    const access = this.access(buffer, dtype, address, dynamic);
    const load: Expression = { kind: 'load', type: scalarTypeOf(dtype), access };
    if (dynamic.length === 0) this.#made.set(key, load);
    return load;
  }

  /** A store into a node's buffer at a place of its own choosing. */
  storeAt(
    node: Node,
    address: Affine,
    value: Expression,
    { dynamic = [], mode = 'set' }: { readonly dynamic?: Access['dynamic']; readonly mode?: Store['mode'] } = {},
  ): Store {
    return { access: this.access(this.#bufferOf(node), node.dtype, address, dynamic), value, mode };
  }

  /** `node` at `indices`, one for each of its axes. */
  express(node: Node, indices: readonly Affine[]): Expression {
    const key = keyOf(node, indices);
    const known = this.#local.get(key) ?? this.#made.get(key);
    if (known) return known;
    const made = this.#express(node, indices);
    this.#made.set(key, made);
    return made;
  }

  #express(node: Node, indices: readonly Affine[]): Expression {
    const buffer = this.#members.has(node) ? undefined : this.#stored.bufferOf(node);
    if (buffer !== undefined) return this.load(buffer, node.dtype, combine(indices, elementStridesOf(node.shape)));
    const [x] = node.inputs as readonly [Node];
    switch (node.op) {
      case 'constant':
        return literal(node.params.value, node.dtype);
      case 'iota':
        return { kind: 'index', type: 'i32', index: indices[node.params.axis]! };
      case 'randomBits': {
        const word = (i: number): Expression => this.express(x, [constantAffine(i)]);
        const element: Expression = {
          kind: 'index',
          type: 'i32',
          index: combine(indices, elementStridesOf(node.shape)),
        };
        return randomWord(element, word(0), word(1), word(2), node.params.stream);
      }
      case 'transpose': {
        const inside: Affine[] = [];
        node.params.permutation.forEach((axis, i) => {
          inside[axis] = indices[i]!;
        });
        return this.express(x, inside);
      }
      case 'broadcast': {
        const added = node.shape.length - x.shape.length;
        return this.express(
          x,
          x.shape.map((size, axis) => (size === 1 ? constantAffine(0) : indices[axis + added]!)),
        );
      }
      case 'slice': {
        const { start, step } = node.params;
        return this.express(
          x,
          indices.map((index, axis) => addAffine(scaleAffine(index, step[axis]!), constantAffine(start[axis]!))),
        );
      }
      case 'flip':
        return this.express(
          x,
          indices.map((index, axis) =>
            node.params.axes.includes(axis)
              ? addAffine(scaleAffine(index, -1), constantAffine(node.shape[axis]! - 1))
              : index,
          ),
        );
      case 'reshape': {
        if (!isThinReshape(node)) break;
        const wide = indices.filter((_, axis) => node.shape[axis] !== 1);
        let next = 0;
        return this.express(
          x,
          x.shape.map((size) => (size === 1 ? constantAffine(0) : wide[next++]!)),
        );
      }
      case 'gather':
        return this.#gather(node, indices);
      case 'gatherAlong':
        return this.#gatherAlong(node, indices);
      case 'dynamicSlice':
        return this.#dynamicSlice(node, indices);
      default:
        break;
    }
    if (primitives[node.op].category !== 'elementwise')
      throw new InternalError(`${node.op} #${node.id} cannot be part of another kernel`);
    const operands = node.inputs.map((input) => this.express(input, indices));
    return elementwiseRules[node.op as keyof typeof elementwiseRules](operands, node);
  }

  #gather(node: Extract<Node, { op: 'gather' }>, indices: readonly Affine[]): Expression {
    const [x, at] = node.inputs as readonly [Node, Node];
    const { axis } = node.params;
    const rank = at.shape.length;
    const strides = elementStridesOf(x.shape);
    const others = [...indices.slice(0, axis), constantAffine(0), ...indices.slice(axis + rank)];
    const value = this.express(at, indices.slice(axis, axis + rank));
    return this.load(this.#bufferOf(x), x.dtype, combine(others, strides), [
      { value, stride: strides[axis]!, extent: x.shape[axis]!, outside: 'raise', where: 'gather' },
    ]);
  }

  #gatherAlong(node: Extract<Node, { op: 'gatherAlong' }>, indices: readonly Affine[]): Expression {
    const [x, at] = node.inputs as readonly [Node, Node];
    const { axis } = node.params;
    const strides = elementStridesOf(x.shape);
    const others = indices.map((index, i) => (i === axis ? constantAffine(0) : index));
    const value = this.express(at, indices);
    return this.load(this.#bufferOf(x), x.dtype, combine(others, strides), [
      { value, stride: strides[axis]!, extent: x.shape[axis]!, outside: 'raise', where: 'takeAlongAxis' },
    ]);
  }

  #dynamicSlice(node: Extract<Node, { op: 'dynamicSlice' }>, indices: readonly Affine[]): Expression {
    const [x, starts] = node.inputs as readonly [Node, Node];
    return this.load(
      this.#bufferOf(x),
      x.dtype,
      combine(indices, elementStridesOf(x.shape)),
      this.clampedStarts(x, starts, node.params.sizes),
    );
  }

  /** Where a window of `sizes` begins in an array like `x`, moved inside. */
  clampedStarts(x: Node, starts: Node, sizes: readonly number[]): Access['dynamic'] {
    const strides = elementStridesOf(x.shape);
    return sizes.flatMap((size, axis) => {
      const extent = x.shape[axis]! - size + 1;
      if (extent <= 1) return [];
      return [
        {
          value: this.express(starts, [constantAffine(axis)]),
          stride: strides[axis]!,
          extent,
          outside: 'clamp' as const,
          where: 'dynamicSlice',
        },
      ];
    });
  }

  finish(nest: Unnamed<LoopNest> | Unnamed<Extract<Nest, { kind: 'contraction' }>>): Kernel {
    const named = normalize({ ...nest, name: this.#name } as Nest);
    const written = new Map<number, BufferUse['access']>();
    for (const { access, mode } of named.stores)
      written.set(access.buffer, mode === 'add' ? 'readWrite' : (written.get(access.buffer) ?? 'write'));
    return {
      nest: named,
      label: this.#label,
      buffers: this.#buffers.map((buffer, i) => ({ buffer, access: written.get(i) ?? 'read' })),
    };
  }
}

const keyOf = (node: Node, indices: readonly Affine[]): string => `${node.id}[${indices.map(printAffine).join()}]`;

/** A loop axis for each axis of a shape, and the indices that follow from them; axes of size 1 have no loop. */
export function axesOf(
  shape: readonly number[],
  prefix: string,
): { axes: { name: string; size: number }[]; indices: Affine[] } {
  const axes: { name: string; size: number }[] = [];
  const indices = shape.map((size, i) => {
    if (size === 1) return constantAffine(0);
    axes.push({ name: `${prefix}${i}`, size });
    return variable(`${prefix}${i}`);
  });
  return { axes, indices };
}
