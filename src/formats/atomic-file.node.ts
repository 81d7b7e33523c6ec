import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failOnFile } from '../core/index.js';

export interface AtomicWriteOptions {
  /** Opens the file that is written beside; tests hand in a full disk. */
  readonly openTemporary?: (path: string) => Promise<FileHandle>;
}

/** Tells the temporary files of one process apart. */
let written = 0;

/**
 * Replaces a file as a whole: after a crash, a kill or a full disk there is the old one or the new one, never a part.
 * Written beside, synced, renamed; then the folder is synced, so that the new name outlives a power cut as well.
 *
 * @throws KilnError if it cannot be written; the old file is untouched and nothing is left beside it
 */
export async function writeFileAtomic(
  path: string,
  content: Uint8Array | string,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const { openTemporary = (beside) => open(beside, 'wx') } = options;
  const temporary = `${path}.${process.pid}-${++written}.tmp`;
  let isBeside = false;
  try {
    const file = await openTemporary(temporary);
    isBeside = true;
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    isBeside = false;
    await syncFolder(dirname(path));
  } catch (error) {
    // the first error is the one to tell; this one can only be its echo
    if (isBeside) await unlink(temporary).catch(() => undefined);
    failOnFile('write', path, error);
  }
  await removeOrphans(path);
}

async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders, and its rename is on disk when it returns
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r').catch(passUnlessBroken);
  try {
    await handle?.sync().catch(passUnlessBroken);
  } finally {
    await handle?.close();
  }
}

/** Some network file systems know no sync of folders, and some folders may be written but not opened. */
function passUnlessBroken(error: NodeJS.ErrnoException): undefined {
  if (!['EINVAL', 'ENOTSUP', 'EACCES', 'EPERM'].includes(error.code ?? '')) throw error;
}

/** Removes what processes that were killed while they wrote this file have left beside it. */
async function removeOrphans(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = name.startsWith(prefix) ? /^(\d+)-\d+\.tmp$/.exec(name.slice(prefix.length))?.[1] : undefined;
    // another process may remove it first
    if (owner !== undefined && !isAlive(Number(owner))) await unlink(join(folder, name)).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
