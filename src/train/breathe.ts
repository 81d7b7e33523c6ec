/** How long a loop may hold the event loop; 20 ms is the promise, and one more step of usual length must fit. */
const longestMs = 8;

/**
 * Gives the event loop a turn (signals, timers, a page that wants to be drawn) when the last one is long enough ago. A turn
 * costs microseconds, where setTimeout(0) costs a millisecond.
 */
export class Breath {
  #lastMs = performance.now();

  async take(): Promise<void> {
    if (performance.now() - this.#lastMs < longestMs) return;
    await turn();
    this.#lastMs = performance.now();
  }
}

/** Browsers have no setImmediate. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
