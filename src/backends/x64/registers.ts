import type { MachineLoop } from './instructions.js';
import type { Ranges } from './liveness.js';

/** A register's life, or a part of it. */
export interface Interval {
  readonly register: number;
  readonly ranges: Ranges;
  readonly isVector: boolean;
  /** What keeping it in memory would cost, for its length; infinite where it cannot be kept there. */
  readonly weight: number;
  /** Depth of the innermost loop that uses it. */
  readonly depth: number;
  /** Who comes first among those of a depth: 0 what lives across blocks, 1 what lives in one, 2 pieces, 3 constants. */
  readonly rank: number;
  /** The loop in which it stands for a register that is at home in memory. */
  readonly loop: MachineLoop | undefined;
}

/** Which intervals one machine register holds when. */
export class Occupancy {
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #owners: Interval[] = [];

  /** Index of the first range that ends behind a position. */
  #find(position: number): number {
    let low = 0;
    let high = this.#to.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#to[middle]! <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  isFree(ranges: Ranges): boolean {
    for (let i = 0; i < ranges.length; i += 2) {
      const at = this.#find(ranges[i]!);
      if (at < this.#from.length && this.#from[at]! < ranges[i + 1]!) return false;
    }
    return true;
  }

  conflicts(ranges: Ranges): Set<Interval> {
    const found = new Set<Interval>();
    for (let i = 0; i < ranges.length; i += 2) {
      for (let at = this.#find(ranges[i]!); at < this.#from.length && this.#from[at]! < ranges[i + 1]!; at++)
        found.add(this.#owners[at]!);
    }
    return found;
  }

  add(interval: Interval): void {
    const { ranges } = interval;
    for (let i = 0; i < ranges.length; i += 2) {
      const at = this.#find(ranges[i]!);
      this.#from.splice(at, 0, ranges[i]!);
      this.#to.splice(at, 0, ranges[i + 1]!);
      this.#owners.splice(at, 0, interval);
    }
  }

  remove(interval: Interval): void {
    const { ranges } = interval;
    for (let i = 0; i < ranges.length; i += 2) {
      const at = this.#find(ranges[i]!);
      this.#from.splice(at, 1);
      this.#to.splice(at, 1);
      this.#owners.splice(at, 1);
    }
  }
}

/** A heap of intervals: those that inner loops use come first. */
export class Queue {
  readonly #heap: Interval[] = [];

  get isEmpty(): boolean {
    return this.#heap.length === 0;
  }

  push(interval: Interval): void {
    const heap = this.#heap;
    let at = heap.push(interval) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!precedes(interval, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = interval;
  }

  pop(): Interval {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && precedes(heap[child + 1]!, heap[child]!)) child++;
      if (!precedes(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function precedes(a: Interval, b: Interval): boolean {
  if (a.depth !== b.depth) return a.depth > b.depth;
  if (a.rank !== b.rank) return a.rank < b.rank;
  // within a block in the order of the code, which leaves the fewest gaps
  if (a.rank === 1 && a.ranges[0] !== b.ranges[0]) return a.ranges[0]! < b.ranges[0]!;
  if (a.weight !== b.weight) return a.weight > b.weight;
  return a.register < b.register;
}
