import assert from 'node:assert/strict';

type ErrorClass = new (message: string) => Error;

/** Checks the class and the whole text of an error, and that its stack begins outside Kiln: at the line of `f`. */
export function assertFails(f: () => unknown, kind: ErrorClass, text: string): void {
  let caught: unknown;
  try {
    f();
  } catch (error) {
    caught = error;
  }
  assert.ok(caught instanceof Error, `nothing was thrown, expected ${text}`);
  assert.equal(caught.message, text);
  assert.ok(caught instanceof kind, `${caught.name} is thrown, expected ${kind.name}`);
  const stack = caught.stack ?? '';
  assert.ok(stack.startsWith(`${kind.name}: ${text}\n`), `the stack begins with ${stack.slice(0, 200)}`);
  const [top] = stack.split('\n').filter((line) => line.trim().startsWith('at '));
  assert.match(top ?? '', /\.test\.js:\d+:\d+/, `the stack begins at ${top}`);
}
