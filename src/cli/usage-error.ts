import { fail, KilnError } from '../core/index.js';

/** The command line itself is wrong: exit code 2. */
export class UsageError extends KilnError {
  override name = 'UsageError';
}

export function failUsage(message: string, mend: string): never {
  fail(message, mend, UsageError);
}
