import { bytesPerElement, InternalError } from '../core/index.js';
import { operandLoads, pointLoads, type Touched, touchedBy } from './accesses.js';
import { printAffine } from './affine.js';
import type { Kernel, Nest } from './nest.js';
import { mayMeet } from './places.js';
import type { Buffer, LoweredProgram, Step } from './program.js';

/** Which steps of a list must wait for which. */
export interface Dependences {
  readonly steps: readonly Step[];
  readonly touched: readonly Touched[];
  /** For each step, the steps that it waits for. */
  readonly before: readonly Set<number>[];
}

export const bytesOf = ({ dtype, elements }: Buffer): number => elements * bytesPerElement[dtype];

/** Dependences of a list whose own order is right: reads after writes, writes after reads, writes after writes of the same places. */
export function dependencesOf(steps: readonly Step[], buffers: readonly Buffer[]): Dependences {
  const touched = steps.map((step) => touchedBy(step, buffers));
  const before = steps.map(() => new Set<number>());
  const writers = new Map<number, number[]>();
  const readers = new Map<number, number[]>();
  const note = (table: Map<number, number[]>, buffer: number, step: number): void => {
    const list = table.get(buffer);
    if (list) list.push(step);
    else table.set(buffer, [step]);
  };
  touched.forEach(({ reads, writes }, i) => {
    for (const buffer of reads) for (const writer of writers.get(buffer) ?? []) before[i]!.add(writer);
    for (const buffer of writes) {
      for (const reader of readers.get(buffer) ?? []) before[i]!.add(reader);
      for (const writer of writers.get(buffer) ?? []) {
        if (!writeApart(steps[writer]!, steps[i]!, buffer)) before[i]!.add(writer);
      }
    }
    for (const buffer of reads) note(readers, buffer, i);
    for (const buffer of writes) note(writers, buffer, i);
  });
  return { steps, touched, before };
}

/** Whether two launches store to different places of one buffer: the parts of a concatenation, the phases of a strided gradient. */
function writeApart(a: Step, b: Step, buffer: number): boolean {
  if (a.kind !== 'launch' || b.kind !== 'launch') return false;
  const [aStores, bStores] = [storesTo(a.kernel, buffer), storesTo(b.kernel, buffer)];
  if (!aStores || !bStores) return false;
  const [aAxes, bAxes] = [storeAxes(a.kernel.nest), storeAxes(b.kernel.nest)];
  return aStores.every(({ access: one }) =>
    bStores.every(({ access: other }) => !mayMeet(one.address, aAxes, other.address, bAxes)),
  );
}

/** A kernel's stores to a buffer, or nothing where their places are not known beforehand. */
function storesTo({ nest, buffers }: Kernel, buffer: number): Nest['stores'] | undefined {
  const number = buffers.findIndex((use) => use.buffer === buffer);
  const stores = nest.stores.filter(({ access }) => access.buffer === number);
  const isKnown =
    stores.length > 0 && stores.every(({ access, mode }) => mode === 'set' && access.dynamic.length === 0);
  return isKnown ? stores : undefined;
}

export const storeAxes = (nest: Nest): Nest['axes'] =>
  nest.kind === 'loop' && nest.ordered ? [...nest.axes, nest.ordered] : nest.axes;

/**
 * Keeps the donations that can be: adds to `dependences` that whoever reads the donated input comes before the steps that write
 * over it, and gives back the buffers, without a donor where that cannot be.
 */
export function settleDonations({ buffers, outputs }: LoweredProgram, dependences: Dependences): Buffer[] {
  const inputs = new Map(
    buffers.flatMap((buffer) => (buffer.role.kind === 'input' ? [[buffer.role.index, buffer]] : [])),
  );
  const taken = new Set<number>();
  const bySize = buffers.toSorted((a, b) => bytesOf(b) - bytesOf(a) || a.id - b.id);
  const kept = new Set<number>();
  for (const output of bySize) {
    if (output.role.kind !== 'output' || output.role.donor === undefined) continue;
    const input = inputs.get(output.role.donor);
    if (!input || taken.has(input.id) || bytesOf(input) !== bytesOf(output) || outputs.includes(input.id)) continue;
    if (!donate(input, output, dependences)) continue;
    taken.add(input.id);
    kept.add(output.id);
  }
  return buffers.map((buffer) =>
    buffer.role.kind === 'output' && !kept.has(buffer.id)
      ? { ...buffer, role: { ...buffer.role, donor: undefined } }
      : buffer,
  );
}

function donate(input: Buffer, output: Buffer, { steps, touched, before }: Dependences): boolean {
  const readers = steps.flatMap((_, i) => (touched[i]!.reads.has(input.id) ? [i] : []));
  const writers = steps.flatMap((_, i) => (touched[i]!.writes.has(output.id) ? [i] : []));
  const inside = writers.filter((i) => readers.includes(i));
  if (inside.some((i) => !isInPlace(steps[i]!, input.id, output.id))) return false;
  // a step that writes, and that a reader waits for, directly or not: it could never come after that reader
  const awaited = new Set<number>();
  const stack = [...readers];
  while (stack.length > 0) {
    for (const i of before[stack.pop()!]!) {
      if (awaited.has(i)) continue;
      awaited.add(i);
      stack.push(i);
    }
  }
  if (writers.some((i) => awaited.has(i)) || inside.length > 1) return false;
  for (const writer of writers) for (const reader of readers) if (reader !== writer) before[writer]!.add(reader);
  return true;
}

/** Whether a launch reads the input only where it then writes the output. */
function isInPlace(step: Step, input: number, output: number): boolean {
  if (step.kind !== 'launch') return false;
  const { nest, buffers } = step.kernel;
  const [from, to] = [input, output].map((id) => buffers.findIndex(({ buffer }) => buffer === id));
  const stores = nest.stores.filter(({ access }) => access.buffer === to);
  const [first] = stores;
  if (!first || stores.length > 1 || first.mode === 'add' || first.access.dynamic.length > 0) return false;
  if (operandLoads(nest).some(({ buffer }) => buffer === from)) return false;
  const place = canonical(first.access.address);
  return pointLoads(nest).every(
    ({ buffer, address, dynamic }) => buffer !== from || (dynamic.length === 0 && canonical(address) === place),
  );
}

const canonical = ({ constant, terms }: Kernel['nest']['stores'][number]['access']['address']): string =>
  printAffine({ constant, terms: Object.fromEntries(Object.entries(terms).toSorted(([a], [b]) => (a < b ? -1 : 1))) });

/** An order that keeps the dependences: the list's own where nothing forbids it, or the one that needs less memory. */
export function orderOf(dependences: Dependences, buffers: readonly Buffer[], reorder: boolean): number[] {
  const own = listSchedule(dependences, buffers, false);
  if (!reorder) return own.order;
  const greedy = listSchedule(dependences, buffers, true);
  return greedy.peak < own.peak ? greedy.order : own.order;
}

/** Takes, of the steps that wait for nothing any more, the first, or the one that frees most against what it takes. */
function listSchedule(
  { steps, touched, before }: Dependences,
  buffers: readonly Buffer[],
  greedy: boolean,
): { readonly order: number[]; readonly peak: number } {
  const after = steps.map(() => [] as number[]);
  before.forEach((list, i) => {
    for (const j of list) after[j]!.push(i);
  });
  const waiting = before.map(({ size }) => size);
  /** Buffers that come into being while the steps run. */
  const held = touched.map(({ reads, writes }) =>
    [...new Set([...reads, ...writes])].filter((id) => {
      const { role } = buffers[id]!;
      return role.kind === 'temporary' || (role.kind === 'output' && role.donor === undefined);
    }),
  );
  const uses = new Map<number, number>();
  for (const list of held) for (const id of list) uses.set(id, (uses.get(id) ?? 0) + 1);
  const begun = new Set<number>();
  const ready = waiting.flatMap((count, i) => (count === 0 ? [i] : []));
  const order: number[] = [];
  let live = 0;
  let peak = 0;
  const born = (i: number): number =>
    held[i]!.reduce((sum, id) => sum + (begun.has(id) ? 0 : bytesOf(buffers[id]!)), 0);
  const freed = (i: number): number =>
    held[i]!.reduce(
      (sum, id) => sum + (uses.get(id) === 1 && buffers[id]!.role.kind === 'temporary' ? bytesOf(buffers[id]!) : 0),
      0,
    );
  while (ready.length > 0) {
    let at = 0;
    if (greedy) {
      let best = Number.POSITIVE_INFINITY;
      ready.forEach((i, place) => {
        const growth = born(i) - freed(i);
        if (growth < best) [best, at] = [growth, place];
      });
    }
    const [next] = ready.splice(at, 1) as [number];
    order.push(next);
    live += born(next);
    peak = Math.max(peak, live);
    live -= freed(next);
    for (const id of held[next]!) {
      begun.add(id);
      uses.set(id, uses.get(id)! - 1);
    }
    for (const i of after[next]!) {
      if (--waiting[i]! > 0) continue;
      const place = ready.findIndex((other) => other > i);
      ready.splice(place < 0 ? ready.length : place, 0, i);
    }
  }
  if (order.length !== steps.length) throw new InternalError('order: steps wait for one another in a circle');
  return { order, peak };
}
