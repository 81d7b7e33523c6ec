/** Kiln's own side of the bench. */
import type { BenchCase } from './cases.js';

export interface KilnOptions {
  readonly device: string;
  readonly threads: number;
}

/** Builds the case on Kiln; undefined where Kiln cannot do it. A run ends when its values are there. */
export function prepareKiln(_problem: BenchCase, _options: KilnOptions): { run(): void | Promise<void> } | undefined {
  return undefined;
}

/** What multiply-adds on registers alone reach on this machine with the lanes of `device`, in GFLOP/s. */
export async function measureLimit(_options: KilnOptions): Promise<number | undefined> {
  return undefined;
}
