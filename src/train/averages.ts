/** Means over the examples seen so far, of the loss and each metric. Sums in float64, in the order of the steps. */
export class Averages {
  readonly #sums = new Map<string, number>();
  #weight = 0;

  /** @param size how many examples the values are the mean of */
  add(values: Readonly<Record<string, number>>, size: number): void {
    for (const [name, value] of Object.entries(values)) {
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + value * size);
    }
    this.#weight += size;
  }

  means(): Record<string, number> {
    return Object.fromEntries([...this.#sums].map(([name, sum]) => [name, sum / this.#weight]));
  }

  clear(): void {
    this.#sums.clear();
    this.#weight = 0;
  }

  /** Plain JSON, which holds every finite float64 exactly. */
  state(): AveragesState {
    return { weight: this.#weight, sums: Object.fromEntries(this.#sums) };
  }

  restore({ weight, sums }: AveragesState): void {
    this.clear();
    this.#weight = weight;
    for (const [name, sum] of Object.entries(sums)) this.#sums.set(name, sum);
  }
}

export interface AveragesState {
  readonly weight: number;
  readonly sums: Readonly<Record<string, number>>;
}
