/** Alternating measurement: within a round each contestant has its turn, and the median over all rounds counts. */

export interface Contestant {
  readonly name: string;
  /** Times in milliseconds of so many runs. */
  run(times: number): Promise<number[]>;
}

export interface MeasureOptions {
  readonly rounds: number;
  /** About how long a turn takes. */
  readonly turnMs?: number;
  /** Who takes longer for one run is measured once and not again. */
  readonly slowMs?: number;
}

/** Median time of each contestant by name; who gave no time is left out. */
export async function alternate(
  contestants: readonly Contestant[],
  { rounds, turnMs = 60, slowMs = 2000 }: MeasureOptions,
): Promise<Map<string, number>> {
  const times = new Map<string, number[]>();
  const turns = new Map<Contestant, number>();
  for (const contestant of contestants) {
    const first = await contestant.run(1);
    times.set(contestant.name, first);
    const ms = first[0];
    if (ms === undefined || ms > slowMs) continue;
    first.length = 0; // the first run pays for caches and compilation
    turns.set(contestant, Math.max(1, Math.min(50, Math.round(turnMs / ms))));
  }
  for (let round = 0; round < rounds; round++) {
    for (const [contestant, count] of turns) {
      await pause(10); // threads of the one before stop spinning
      times.get(contestant.name)!.push(...(await contestant.run(count)));
    }
  }
  return new Map([...times].filter(([, all]) => all.length > 0).map(([name, all]) => [name, median(all)]));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
