/** The repository as the house tests see it: its root and the text files that are, or are about to be, committed. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Tests run from dist/tests/house. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

const generated = /^(node_modules|dist|runs|\.git)(\/|$)|\/node_modules\//;

/** Paths relative to the root. Git knows them; an unpacked archive without Git is walked. */
export function repositoryFiles(): string[] {
  const listed = existsSync(`${root}.git`)
    ? execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
        cwd: root,
        encoding: 'utf8',
      }).split('\n')
    : readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${entry.parentPath}/${entry.name}`.replace(root, '').replace(/^\//, ''));
  return listed.filter((path) => path !== '' && !generated.test(path) && existsSync(root + path)).sort();
}

/** The file's text, or undefined where it is not text. */
export function readText(path: string): string | undefined {
  const bytes = readFileSync(root + path);
  return bytes.includes(0) ? undefined : bytes.toString('utf8');
}
