/** What an application is given by whoever runs it (command line, page, test): how to say what goes on, and when to stop. */

export interface Progress {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done in this epoch. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** Means since the epoch began, or over the last steps: whatever the trainer shows. Accuracies are fractions. */
  readonly loss?: number;
  readonly accuracy?: number;
  /** The epoch is over, its validation included: a line about it stays. */
  readonly isEpochDone?: boolean;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
}

export interface Host {
  /** Aborts when the person interrupts: end the step, save, return. */
  readonly signal: AbortSignal;
  /** May be called each step: the host redraws as often as is useful. */
  progress(progress: Progress): void;
  /** A line of the result. */
  print(text: string): void;
  /** A line about what goes on, such as what a wait will take. */
  note(text: string): void;
}
