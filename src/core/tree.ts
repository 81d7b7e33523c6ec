/** Plain objects and arrays with leaves: what batches and the results of transforms are. */
export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [key: string]: Tree<Leaf> };

/** The tree `T` with every leaf of type `From` replaced by one of type `To`. */
export type MapLeaves<T, From, To> = T extends From
  ? To
  : T extends object
    ? { [K in keyof T]: MapLeaves<T[K], From, To> }
    : T;

export const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Copies a tree with each leaf replaced by what `change` makes of it; `path` names the leaf (`layers/0/kernel`). Keys keep their order. */
export function mapTree<T>(tree: T, change: (leaf: unknown, path: string) => unknown, path = ''): unknown {
  const below = (key: string | number): string => (path === '' ? `${key}` : `${path}/${key}`);
  if (Array.isArray(tree)) return tree.map((item, i) => mapTree(item, change, below(i)));
  if (isPlain(tree))
    return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, mapTree(item, change, below(key))]));
  return change(tree, path);
}

/** The leaves of a tree in its own order. */
export function leavesOf(tree: unknown): unknown[] {
  const leaves: unknown[] = [];
  mapTree(tree, (leaf) => leaves.push(leaf));
  return leaves;
}
