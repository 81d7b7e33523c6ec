import { fail, KilnError } from './errors.js';

/** What the operating system says about a file, in words, and what its user can do about it. */
const causes: Readonly<Record<string, readonly [what: string, mend: string]>> = {
  ENOENT: [
    'no such file or folder',
    'Check the spelling of the path; a folder must exist before a file is written into it.',
  ],
  EACCES: ['permission denied', 'Change its permissions, or choose a folder of your own.'],
  EPERM: ['not permitted', 'Change its permissions, or choose a folder of your own.'],
  EROFS: ['the folder is read-only', 'Choose a folder that can be written, for example with --out.'],
  ENOSPC: ['the disk is full', 'Free some space and try again; what was there before is untouched.'],
  EDQUOT: ['the disk quota is used up', 'Free some space and try again; what was there before is untouched.'],
  EFBIG: [
    'the file would be larger than allowed here',
    'Raise the limit (`ulimit -f`), or choose another file system.',
  ],
  EISDIR: ['it is a folder', 'Name a file.'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'Check the path.'],
  EMFILE: ['too many files are open', 'Close some, or raise the limit (`ulimit -n`).'],
};

/** Turns a system error about `path` into Kiln's words; what is no system error is thrown on as it came. */
export function failOnFile(action: 'read' | 'write', path: string, error: unknown): never {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  const syscall = error instanceof Error && 'syscall' in error;
  if (code === undefined || !syscall) throw error;
  const [what, mend] = causes[code] ?? ['the system refused', 'The code tells the cause.'];
  fail(`${path}: cannot ${action}: ${what} (${code})`, mend, KilnError);
}
