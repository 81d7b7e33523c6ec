import { touchedBy } from './accesses.js';
import { bytesOf } from './order.js';
import type { PlannedStep } from './plan.js';
import type { Buffer } from './program.js';

/** Temporaries begin at multiples of this: a cache line, and the widest vector. */
export const alignmentBytes = 64;

/** Phases, numbered in the order in which they stand, during which a buffer's bytes must stay. */
export interface Lifetime {
  readonly first: number;
  readonly last: number;
}

interface Use {
  readonly time: number;
  readonly isRead: boolean;
  /** The loops around it, outermost first, each with the times it spans. */
  readonly loops: readonly { readonly id: number; readonly first: number; readonly last: number }[];
}

/**
 * When each temporary is live. What a loop uses and something outside it too, or what a round reads before it writes it, stays
 * through all of that loop. Branches stand one after the other, so that their temporaries share places.
 */
export function lifetimesOf(steps: readonly PlannedStep[], buffers: readonly Buffer[]): Map<number, Lifetime> {
  const uses = new Map<number, Use[]>();
  let time = 0;
  const lengthOf = (list: readonly PlannedStep[]): number =>
    list.reduce((sum, step) => {
      if (step.kind === 'phase') return sum + 1;
      return (
        sum + (step.kind === 'loop' ? lengthOf(step.steps) : 1 + lengthOf(step.whenTrue) + lengthOf(step.whenFalse))
      );
    }, 0);
  const note = (id: number, isRead: boolean, loops: Use['loops']): void => {
    if (buffers[id]!.role.kind !== 'temporary') return;
    if (!uses.has(id)) uses.set(id, []);
    uses.get(id)!.push({ time, isRead, loops });
  };
  const visit = (list: readonly PlannedStep[], loops: Use['loops']): void => {
    for (const step of list) {
      switch (step.kind) {
        case 'phase':
          for (const kernel of step.launches) {
            const { reads, writes } = touchedBy({ kind: 'launch', kernel }, buffers);
            for (const id of reads) note(id, true, loops);
            for (const id of writes) note(id, false, loops);
          }
          time++;
          break;
        case 'loop':
          visit(step.steps, [...loops, { id: step.id, first: time, last: time + lengthOf(step.steps) - 1 }]);
          break;
        case 'branch':
          for (const id of touchedBy(
            { kind: 'branch', predicate: step.predicate, whenTrue: [], whenFalse: [] },
            buffers,
          ).reads)
            note(id, true, loops);
          time++;
          visit(step.whenTrue, loops);
          visit(step.whenFalse, loops);
          break;
      }
    }
  };
  visit(steps, []);
  return new Map([...uses].map(([id, list]) => [id, lifetimeOf(list)]));
}

function lifetimeOf(uses: readonly Use[]): Lifetime {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const use of uses) {
    first = Math.min(first, use.time);
    last = Math.max(last, use.time);
    for (const loop of use.loops) {
      const isInside = uses.every(({ loops }) => loops.some(({ id }) => id === loop.id));
      if (isInside && !uses[0]!.isRead) continue;
      first = Math.min(first, loop.first);
      last = Math.max(last, loop.last);
    }
  }
  return { first, last };
}

/** Offsets in one arena, the largest first, each into the tightest gap that is free as long as it lives. */
export function placeInArena(
  lifetimes: ReadonlyMap<number, Lifetime>,
  buffers: readonly Buffer[],
): { readonly offsets: Map<number, number>; readonly arenaBytes: number } {
  const sized = [...lifetimes].map(([id, lifetime]) => ({
    id,
    lifetime,
    bytes: Math.ceil(bytesOf(buffers[id]!) / alignmentBytes) * alignmentBytes,
  }));
  sized.sort((a, b) => b.bytes - a.bytes || a.lifetime.first - b.lifetime.first || a.id - b.id);
  const placed: { readonly offset: number; readonly bytes: number; readonly lifetime: Lifetime }[] = [];
  const offsets = new Map<number, number>();
  let arenaBytes = 0;
  for (const { id, lifetime, bytes } of sized) {
    const others = placed
      .filter((other) => other.lifetime.first <= lifetime.last && lifetime.first <= other.lifetime.last)
      .sort((a, b) => a.offset - b.offset);
    let offset: number | undefined;
    let tightest = Number.POSITIVE_INFINITY;
    let end = 0;
    for (const other of others) {
      const gap = other.offset - end;
      if (gap >= bytes && gap < tightest) [offset, tightest] = [end, gap];
      end = Math.max(end, other.offset + other.bytes);
    }
    offset ??= end;
    offsets.set(id, offset);
    if (bytes > 0) placed.push({ offset, bytes, lifetime });
    arenaBytes = Math.max(arenaBytes, offset + bytes);
  }
  return { offsets, arenaBytes };
}
