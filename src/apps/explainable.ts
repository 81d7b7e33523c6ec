/** What `kiln explain` asks of an application. */
export interface ExplainOptions {
  /** Examples of a batch; the application's own where none is given. */
  readonly batchSize: number | undefined;
  /** A whole training step, not the forward pass alone. */
  readonly training: boolean;
  readonly seed: number;
}

/** One pass of a network over made-up inputs, to be measured: how long it takes depends on shapes, not on weights. */
export interface Explainable {
  /** "mnist, a training step of 32 digits" */
  readonly what: string;
  run(): Promise<unknown>;
}
