import { InternalError } from '../errors.js';
import type { Primitive } from './primitive.js';

const table = new Map<string, Primitive<unknown>>();

/** Makes primitives known by name. A leaf of its own, so that rules may use what looks primitives up. */
export function registerPrimitives(primitives: Readonly<Record<string, Primitive<never>>>): void {
  for (const [name, primitive] of Object.entries(primitives))
    table.set(name, primitive as unknown as Primitive<unknown>);
}

/** Shape rule, gradient rule and reference semantics of a primitive. */
export function primitiveOf(op: string): Primitive<unknown> {
  const known = table.get(op);
  if (!known) throw new InternalError(`there is no primitive ${op}`);
  return known;
}
