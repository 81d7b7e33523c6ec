import { readFileSync } from 'node:fs';

/** The nearest package.json above this file is Kiln's own: two folders up from src/, one more from dist/src/. */
function readPackage(): { version: string; bugs: string | undefined } {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const text = readFileSync(new URL(up, import.meta.url), 'utf8');
      const { version, bugs } = JSON.parse(text) as { version: string; bugs?: { url?: string } };
      return { version, bugs: bugs?.url };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return { version: 'unknown', bugs: undefined };
}

/** Kiln's version, and the address for reports of faults where the package names one. */
export const { version, bugs } = readPackage();
