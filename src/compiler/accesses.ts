import { type Access, loadsOf } from './expression.js';
import type { Nest } from './nest.js';
import type { Buffer, Step } from './program.js';

/** The buffer that holds the bytes: what a slice is cut from, itself otherwise. */
export function baseOf(buffers: readonly Buffer[], id: number): number {
  const { role } = buffers[id]!;
  return role.kind === 'slice' ? baseOf(buffers, role.of) : id;
}

/** Buffers that a step touches, whole ones in place of their slices. */
export interface Touched {
  readonly reads: ReadonlySet<number>;
  readonly writes: ReadonlySet<number>;
}

export function touchedBy(step: Step, buffers: readonly Buffer[]): Touched {
  const reads = new Set<number>();
  const writes = new Set<number>();
  const visit = (inner: Step): void => {
    switch (inner.kind) {
      case 'launch':
        for (const { buffer, access } of inner.kernel.buffers) {
          if (access !== 'write') reads.add(baseOf(buffers, buffer));
          if (access !== 'read') writes.add(baseOf(buffers, buffer));
        }
        break;
      case 'loop':
        inner.steps.forEach(visit);
        break;
      case 'branch':
        reads.add(baseOf(buffers, inner.predicate));
        inner.whenTrue.forEach(visit);
        inner.whenFalse.forEach(visit);
        break;
    }
  };
  visit(step);
  return { reads, writes };
}

/** Loads of a contraction's operands, in terms of their components. */
export const operandLoads = (nest: Nest): Access[] =>
  nest.kind === 'contraction' ? loadsOf([nest.left.value, nest.right.value]) : [];

/** Loads in terms of the loop axes: of accumulators, stored values and dynamic indices. */
export function pointLoads(nest: Nest): Access[] {
  const gathered = nest.kind === 'loop' ? nest.accumulators.map(({ value }) => value) : [];
  const stored = nest.stores.flatMap(({ value, access }) => [value, ...access.dynamic.map((index) => index.value)]);
  return loadsOf([...gathered, ...stored]);
}
