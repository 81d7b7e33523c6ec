/** Finds the imports in TypeScript source. */

export interface Import {
  /** As written: './shape.js', '../core/index.js', 'node:fs', 'commander'. */
  readonly specifier: string;
  /** `static` runs with the file, `dynamic` on first use, `type` never. */
  readonly kind: 'static' | 'dynamic' | 'type';
}

const clause = String.raw`(?:[\w$]+\s*,\s*)?(?:\*(?:\s+as\s+[\w$]+)?|[\w$]+|\{[^}]*\})`;
const statements = new RegExp(
  String.raw`(?:^|[\n;])\s*(?:import|export)\s+(?:(type\s+)?${clause}\s*from\s*)?(['"])([^'"\n]+)\2`,
  'g',
);
const calls = /(\btypeof\s+)?\bimport\(\s*(['"])([^'"\n]+)\2\s*\)(\.[A-Z]\w*)?/g;

/** Imports and re-exports of `source`, in the order of the text. `import('x').Name` and `typeof import('x')` are types. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source);
  const found: (Import & { at: number })[] = [];
  for (const match of code.matchAll(statements)) {
    found.push({ specifier: match[3]!, kind: match[1] ? 'type' : 'static', at: match.index });
  }
  for (const match of code.matchAll(calls)) {
    found.push({ specifier: match[3]!, kind: match[1] || match[4] ? 'type' : 'dynamic', at: match.index });
  }
  return found.sort((a, b) => a.at - b.at).map(({ specifier, kind }) => ({ specifier, kind }));
}

/** The source with comments and templates blanked out; strings and regular expressions keep what looks like one. */
export function withoutComments(source: string): string {
  const tokens =
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*|(?<=[=(,:[!&|?{};\n]\s*)\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//g;
  return source.replace(tokens, (token) => (/^(\/[/*]|`)/.test(token) ? token.replace(/[^\n]/g, ' ') : token));
}
