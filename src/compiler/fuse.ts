import { type Graph, type Node, primitives, sizeOf } from '../core/index.js';

/** How a node's value comes about. */
export type Placement =
  /** Computed by a kernel and kept in a buffer. */
  | { readonly kind: 'stored'; readonly group: Group }
  /** Another node's buffer under another shape. */
  | { readonly kind: 'alias'; readonly of: Node }
  /** Given from outside. */
  | { readonly kind: 'input' }
  /** No buffer: part of each kernel that reads it. */
  | { readonly kind: 'inline' };

/** Nodes that one kernel computes. An anchor (contraction, reduction, …) gathers; stored elementwise nodes follow it at the same points. */
export interface Group {
  readonly level: number;
  readonly anchor: Node | undefined;
  /** Nodes that the kernel stores, in the graph's order; the anchor's own value among them if something else reads it. */
  readonly stored: Node[];
}

export interface FusionPlan {
  readonly placements: ReadonlyMap<Node, Placement>;
  /** In an order in which they can run. */
  readonly groups: readonly Group[];
}

/** Rough cost of an elementwise node, in additions: decides whether to compute it anew or to keep it. */
function costOf(node: Node): number {
  switch (node.op) {
    case 'randomBits':
      return 100;
    case 'exp':
    case 'expm1':
    case 'log':
    case 'log1p':
    case 'sin':
    case 'cos':
    case 'tanh':
    case 'erf':
    case 'sigmoid':
    case 'pow':
      return 20;
    case 'div':
    case 'sqrt':
    case 'rsqrt':
    case 'mod':
      return 4;
    case 'constant':
    case 'iota':
    case 'identity':
    case 'stopGradient':
      return 0;
    default:
      return primitives[node.op].category === 'elementwise' ? 1 : 0;
  }
}

/** More than this, for a value that several kernels read, and it is kept. */
const cheapCost = 2;

/** More than this, and a factor is not computed by the contraction that reads it, which may do so for several blocks anew. */
const prologueCost = 4;

const isElementwise = (node: Node): boolean => primitives[node.op].category === 'elementwise';

/** A reshape that only adds or drops axes of size 1: still an affine map of indices. */
export const isThinReshape = (node: Node): boolean => {
  const wide = (shape: readonly number[]): string => shape.filter((size) => size !== 1).join();
  return node.op === 'reshape' && wide(node.shape) === wide(node.inputs[0]!.shape);
};

/** A map of indices without arithmetic, which a reader can apply by itself. */
const isView = (node: Node): boolean =>
  node.op === 'transpose' ||
  node.op === 'broadcast' ||
  node.op === 'slice' ||
  node.op === 'flip' ||
  isThinReshape(node);

const isSource = (node: Node): boolean => node.op === 'constant' || node.op === 'iota' || node.op === 'randomBits';

/** Values that a kernel of their own (or a copy) must make. */
const isAnchor = (node: Node): boolean => {
  switch (primitives[node.op].category) {
    case 'contraction':
    case 'reduction':
    case 'window':
    case 'control':
      return true;
    case 'indexing':
      return node.op === 'scatterAdd' || node.op === 'scatterAddAlong' || node.op === 'dynamicUpdate';
    default:
      return node.op === 'concat' || node.op === 'pad';
  }
};

/** Anchors whose kernel can go on with elementwise work at each of its output points. */
const takesEpilogue = (node: Node): boolean => {
  switch (primitives[node.op].category) {
    case 'contraction':
    case 'window':
      return true;
    case 'reduction':
      return node.op !== 'cumsum' && node.op !== 'argsort';
    default:
      return false;
  }
};

/** What must be in a buffer for a node's kernel to read its input `input`, if anything. */
function storedFor(node: Node, input: Node, isPrologue: (operand: Node) => boolean): Node | undefined {
  switch (primitives[node.op].category) {
    case 'control':
      return input;
    case 'contraction': {
      const operand = viewed(input);
      return isPrologue(operand) ? undefined : operand;
    }
    case 'indexing':
      // several axes of indices are run through as one
      if (node.op === 'scatterAdd') return node.params.indexRank > 1 ? input : undefined;
      // a data-dependent index needs a place to count from
      return !isAnchor(node) && input === node.inputs[0] ? input : undefined;
    default:
      return undefined;
  }
}

/** What a chain of views looks at. */
const viewed = (node: Node): Node => (isView(node) ? viewed(node.inputs[0]!) : node);

const sameSizes = (a: Node, b: Node): boolean =>
  a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i]);

/**
 * Decides which values are kept in buffers and which kernels compute them.
 *
 * Levels: a kernel's level is above those of the kernels it reads, except that elementwise work joins the level (and the kernel)
 * of what it reads at the same points. So kernels of one level never wait for one another in a circle: elementwise ones come
 * first, then anchors in the graph's order, and an epilogue that reads two anchors belongs to the later one.
 *
 * @param enabled false: every node is a kernel of its own (tests compare)
 */
export function fuse(graph: Graph, enabled = true): FusionPlan {
  const level = new Map<Node, number>();
  /** The latest anchor of the same level that a node reads at the same points. */
  const lastAnchor = new Map<Node, Node | undefined>();
  const chainCost = new Map<Node, number>();
  const isGiven = (node: Node): boolean =>
    node.op === 'input' || (isSource(node) && node.inputs.every(isGiven)) || (isView(node) && isGiven(node.inputs[0]!));
  const levelOf = (node: Node): number => level.get(node)!;
  for (const node of graph.nodes) {
    const deepest = Math.max(0, ...node.inputs.map(levelOf));
    const cost =
      costOf(node) +
      (isAnchor(node) ? 0 : node.inputs.reduce((sum, input) => sum + (isAnchor(input) ? 0 : chainCost.get(input)!), 0));
    chainCost.set(node, cost);
    if (isAnchor(node)) {
      level.set(node, deepest + 1);
      lastAnchor.set(node, takesEpilogue(node) ? node : undefined);
    } else if (isElementwise(node)) {
      const own = Math.max(
        0,
        ...node.inputs.map(
          (input) => levelOf(input) + (!enabled || (isAnchor(input) && !takesEpilogue(input)) ? 1 : 0),
        ),
      );
      level.set(node, own);
      const anchors = node.inputs.flatMap((input) =>
        levelOf(input) === own && lastAnchor.get(input) ? [lastAnchor.get(input)!] : [],
      );
      const latest = anchors.reduce<Node | undefined>(
        (best, anchor) => (best && best.id > anchor.id ? best : anchor),
        undefined,
      );
      lastAnchor.set(node, latest);
    } else {
      level.set(node, isGiven(node) ? deepest : deepest + 1);
      lastAnchor.set(node, undefined);
    }
  }

  const placements = new Map<Node, Placement>();
  const groups = new Map<string, Group>();
  const outputs = new Set(graph.outputs);
  const mustStore = new Set<Node>(graph.outputs);
  const readers = new Map<Node, Set<Group>>();
  const readBy = (node: Node, by: Iterable<Group>): void => {
    if (!readers.has(node)) readers.set(node, new Set());
    for (const group of by) readers.get(node)!.add(group);
  };
  const keep = (node: Node | undefined): void => {
    if (node) mustStore.add(node);
  };
  const groupOf = (node: Node): Group => {
    const anchor = isAnchor(node) ? node : enabled ? anchorFor(node) : undefined;
    const key = anchor
      ? `anchor ${anchor.id}`
      : enabled && isElementwise(node)
        ? `level ${levelOf(node)} ${node.shape.join()}`
        : `node ${node.id}`;
    let group = groups.get(key);
    if (!group) {
      group = { level: levelOf(anchor ?? node), anchor, stored: [] };
      groups.set(key, group);
    }
    return group;
  };
  const anchorFor = (node: Node): Node | undefined => {
    const anchor = lastAnchor.get(node);
    return isElementwise(node) && anchor && levelOf(anchor) === levelOf(node) && sameSizes(anchor, node)
      ? anchor
      : undefined;
  };

  const plainChains = new Map<Node, boolean>();
  /** Elementwise work on what lies in buffers, through maps of indices at most. */
  const isPlainChain = (node: Node): boolean => {
    let isPlain = plainChains.get(node);
    if (isPlain === undefined) {
      isPlain =
        node.op === 'input' ||
        node.op === 'constant' ||
        isAnchor(node) ||
        (node.op === 'reshape' && !isThinReshape(node))
          ? true
          : (isElementwise(node) || isView(node)) && node.inputs.every(isPlainChain);
      plainChains.set(node, isPlain);
    }
    return isPlain;
  };
  /** Whether a contraction computes this factor as it reads it. What can follow an anchor in its own kernel does that instead. */
  const isPrologue = (operand: Node): boolean =>
    enabled &&
    isElementwise(operand) &&
    !anchorFor(operand) &&
    chainCost.get(operand)! <= prologueCost &&
    isPlainChain(operand);

  for (const node of [...graph.nodes].reverse()) {
    if (node.op === 'input') {
      placements.set(node, { kind: 'input' });
      continue;
    }
    if (node.op === 'part') {
      // stored by the loop or branch it belongs to
      placements.set(node, { kind: 'stored', group: groupOf(node.inputs[0]!) });
      readBy(node.inputs[0]!, readers.get(node) ?? []);
      continue;
    }
    if (node.op === 'reshape' && !isThinReshape(node)) {
      const [of] = node.inputs as readonly [Node];
      placements.set(node, { kind: 'alias', of });
      mustStore.add(of);
      readBy(of, readers.get(node) ?? []);
      continue;
    }
    const users = readers.get(node) ?? new Set<Group>();
    const isShared =
      users.size > 1 && !isView(node) && !isSource(node)
        ? chainCost.get(node)! > cheapCost
        : node.op === 'randomBits' && users.size > 1;
    const stores = isAnchor(node) || mustStore.has(node) || isShared || (!enabled && !isView(node) && !isSource(node));
    if (!stores) {
      placements.set(node, { kind: 'inline' });
      for (const input of node.inputs) {
        readBy(input, users);
        keep(storedFor(node, input, isPrologue));
      }
      continue;
    }
    const group = groupOf(node);
    // an anchor that only its own epilogue reads needs no buffer
    const isKept =
      !isAnchor(node) ||
      outputs.has(node) ||
      mustStore.has(node) ||
      [...users].some((user) => user !== group) ||
      group.stored.length === 0;
    if (isKept) group.stored.unshift(node);
    placements.set(node, isKept ? { kind: 'stored', group } : { kind: 'inline' });
    for (const input of node.inputs) {
      readBy(input, [group]);
      keep(storedFor(node, input, isPrologue));
    }
  }
  const order = [...groups.values()].sort((a, b) => a.level - b.level || rank(a) - rank(b));
  return { placements, groups: order };
}

/** Within a level: copies of views first, which read nothing of it, then elementwise kernels, then anchors as the graph has them. */
const rank = ({ anchor, stored }: Group): number => {
  const [first] = stored;
  return anchor ? anchor.id : (first?.id ?? 0) - (first && isElementwise(first) ? 1e9 : 2e9);
};

/** What is fused and why, for people: `KILN_DEBUG=fusion`. */
export function printFusion({ groups, placements }: FusionPlan): string {
  const inlined = [...placements].filter(([, { kind }]) => kind === 'inline').length;
  const lines = groups.map(({ level, anchor, stored }, i) => {
    const name = (node: Node): string => `%${node.id} ${node.op}`;
    const follows = stored.filter((node) => node !== anchor);
    const elements = sizeOf((anchor ?? stored[0])?.shape ?? []);
    return `kernel ${i} (level ${level}, ${elements} points): ${anchor ? name(anchor) : 'elementwise'}${follows.length > 0 ? ` -> stores ${follows.map(name).join(', ')}` : ''}`;
  });
  return [...lines, `${inlined} of ${placements.size} values have no buffer`].join('\n');
}
