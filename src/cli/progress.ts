/** Progress on stderr: a bar on a terminal, plain lines elsewhere. */
import type { Progress } from '../train/index.js';
import { formatCount, formatSeconds, type Output } from './print.js';

export interface ProgressOptions {
  readonly output: Output;
  readonly hasColor: boolean;
  /** Milliseconds, from anywhere. */
  readonly now?: () => number;
}

/** A bar is drawn this often at most, a plain line as seldom. */
const redrawMs = 100;
const lineMs = 5000;
/** The rate is that of the last seconds: it follows when the machine gets busy. */
const rateWindowMs = 8000;
const barWidth = 24;

/** Takes the state of each step and shows it as often as is useful. */
export class ProgressDisplay {
  readonly #output: Output;
  readonly #hasColor: boolean;
  readonly #isTerminal: boolean;
  readonly #now: () => number;
  readonly #samples: { readonly atMs: number; readonly step: number }[] = [];
  #shownMs = Number.NEGATIVE_INFINITY;
  #epochBeganMs = 0;
  #epoch = 0;
  #isBarOpen = false;

  constructor({ output, hasColor, now = () => performance.now() }: ProgressOptions) {
    this.#output = output;
    this.#hasColor = hasColor;
    this.#isTerminal = output.isTTY === true;
    this.#now = now;
  }

  update(progress: Progress): void {
    const nowMs = this.#now();
    const isNewEpoch = progress.epoch !== this.#epoch;
    if (isNewEpoch) this.#beginEpoch(progress.epoch, nowMs);
    if (progress.isEpochDone) {
      this.#line(epochLine(progress, (nowMs - this.#epochBeganMs) / 1000));
      return;
    }
    const waitMs = this.#isTerminal ? redrawMs : lineMs;
    if (!isNewEpoch && nowMs - this.#shownMs < waitMs) return;
    this.#shownMs = nowMs;
    const stepsPerSecond = this.#rate(progress.step, nowMs);
    if (this.#isTerminal) this.#bar(barLine(progress, stepsPerSecond, this.#output.columns ?? 80, this.#hasColor));
    else if (!isNewEpoch) this.#line(stepLine(progress, stepsPerSecond));
  }

  /** The rate starts anew: between two epochs lies the validation, which is no training step. */
  #beginEpoch(epoch: number, nowMs: number): void {
    this.#epoch = epoch;
    this.#epochBeganMs = nowMs;
    this.#samples.length = 0;
  }

  /** Removes an open bar, so that other lines can be written. */
  clear(): void {
    if (this.#isBarOpen) this.#output.write('\r\x1b[K');
    this.#isBarOpen = false;
  }

  #bar(text: string): void {
    this.#output.write(`\r${text}\x1b[K`);
    this.#isBarOpen = true;
  }

  #line(text: string): void {
    this.clear();
    this.#output.write(`${text}\n`);
  }

  #rate(step: number, atMs: number): number | undefined {
    const samples = this.#samples;
    samples.push({ atMs, step });
    while (samples.length > 2 && atMs - samples[0]!.atMs > rateWindowMs) samples.shift();
    const first = samples[0]!;
    return atMs > first.atMs ? ((step - first.step) * 1000) / (atMs - first.atMs) : undefined;
  }
}

const lossText = (loss: number): string =>
  Math.abs(loss) < 1e-3 && loss !== 0 ? loss.toExponential(2) : loss.toFixed(4);
const percentText = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;

/** loss and accuracy, as far as they are known */
function metricsText({ loss, accuracy }: Progress): string[] {
  return [
    ...(loss === undefined ? [] : [`loss ${lossText(loss)}`]),
    ...(accuracy === undefined ? [] : [`accuracy ${percentText(accuracy)}`]),
  ];
}

function rateText(progress: Progress, stepsPerSecond: number | undefined): string[] {
  if (stepsPerSecond === undefined || stepsPerSecond <= 0) return [];
  const { epoch, epochs, step, stepsPerEpoch } = progress;
  const stepsLeft = (epochs - epoch) * stepsPerEpoch + (stepsPerEpoch - step);
  const rate = stepsPerSecond < 10 ? stepsPerSecond.toFixed(1) : String(Math.round(stepsPerSecond));
  return [`${rate} steps/s`, `${formatSeconds(stepsLeft / stepsPerSecond)} left`];
}

/** One line that fits `columns`: what is least needed, at its end, goes first. */
export function barLine(
  progress: Progress,
  stepsPerSecond: number | undefined,
  columns: number,
  hasColor: boolean,
): string {
  const { epoch, epochs, step, stepsPerEpoch } = progress;
  const fraction = stepsPerEpoch > 0 ? Math.min(1, step / stepsPerEpoch) : 1;
  const filled = Math.round(fraction * barWidth);
  const full = '━'.repeat(filled);
  const empty = '─'.repeat(barWidth - filled);
  const head = `epoch ${epoch}/${epochs}`;
  const [rate = [], left = []] = rateText(progress, stepsPerSecond).map((text) => [text]);
  const parts = [`${formatCount(step)}/${formatCount(stepsPerEpoch)}`, ...metricsText(progress), ...rate, ...left];
  const width = (): number => [head, full + empty, ...parts].join('  ').length;
  // the time left stays longest, after the count of steps
  while (width() >= columns && parts.length > 1) parts.splice(left.length > 0 && parts.length > 2 ? -2 : -1, 1);
  if (width() >= columns) return head.slice(0, Math.max(0, columns - 1));
  const bar = hasColor ? `\x1b[36m${full}\x1b[39m\x1b[2m${empty}\x1b[22m` : full + empty;
  return [head, bar, ...parts].join('  ');
}

/** A line in the middle of an epoch, for logs. */
export function stepLine(progress: Progress, stepsPerSecond: number | undefined): string {
  const { epoch, epochs, step, stepsPerEpoch } = progress;
  const place = `epoch ${epoch}/${epochs}  step ${formatCount(step)}/${formatCount(stepsPerEpoch)}`;
  return [place, ...metricsText(progress), ...rateText(progress, stepsPerSecond)].join('  ');
}

/** The line that stays when an epoch is over. */
export function epochLine(progress: Progress, seconds: number): string {
  const { epoch, epochs, validationLoss, validationAccuracy } = progress;
  const validation = [
    ...(validationLoss === undefined ? [] : [`validation loss ${lossText(validationLoss)}`]),
    ...(validationAccuracy === undefined ? [] : [`validation accuracy ${percentText(validationAccuracy)}`]),
  ];
  return [`epoch ${epoch}/${epochs}  ${formatSeconds(seconds)}`, ...metricsText(progress), ...validation].join('  ');
}
