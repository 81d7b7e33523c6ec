/** Base of every error Kiln throws for something its user can mend. The message says what, got, expected; then how to mend it. */
export class KilnError extends Error {
  override name = 'KilnError';
}

/** Shapes, axes or dtypes that do not fit together. */
export class ShapeError extends KilnError {
  override name = 'ShapeError';
}

/** A file that is not what it claims to be: truncated, oversized, lying, or of another format. */
export class FormatError extends KilnError {
  override name = 'FormatError';
}

/** A promise that Kiln itself broke. Never the user's fault; carries what is needed to report it. */
export class InternalError extends Error {
  override name = 'InternalError';
}

type ErrorClass = new (message: string) => Error;

/**
 * Throws an error of two lines, `message` and `mend`, whose stack begins at the caller's own code.
 *
 * @param message `where: what: got (the two numbers that clash)`
 * @param mend    how to mend it, with the values filled in
 */
export function fail(message: string, mend: string, kind: ErrorClass = ShapeError): never {
  // the user's line may lie below more of Kiln's own frames than V8 records by default
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const error = new kind(`${message}\n  ${mend}`);
  Error.stackTraceLimit = stackTraceLimit;
  cutKilnFrames(error);
  throw error;
}

/** Directory of Kiln's own built sources, whose frames say nothing to a user. */
const ownDirectory = new URL('..', import.meta.url).href;

/** Removes Kiln's own frames from the top of the stack; all of them stay when nothing else is on it. */
export function cutKilnFrames(error: Error): void {
  const { stack, message } = error;
  if (!stack) return;
  const head = `${error.name}: ${message}`;
  const frames = stack
    .slice(stack.indexOf(message) + message.length)
    .split('\n')
    .filter((line) => line.trim().startsWith('at '));
  // natives such as Array.map stand between Kiln's own frames
  const isOwn = (line: string): boolean =>
    line.includes(ownDirectory) || line.includes('node:internal') || line.endsWith('(<anonymous>)');
  const first = frames.findIndex((line) => !isOwn(line));
  if (first > 0) error.stack = [head, ...frames.slice(first)].join('\n');
}

/** For the `default` of a switch over a union: a forgotten case does not compile. */
export function unreachable(value: never): never {
  throw new InternalError(`unreachable: ${JSON.stringify(value)}`);
}

/** The candidate nearest to `word` by edit distance, when it is near enough to have been meant. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
