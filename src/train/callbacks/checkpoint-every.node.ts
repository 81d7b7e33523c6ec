import { writeCheckpoint } from '../checkpoint.node.js';
import type { Callback, FitView } from './callback.js';

export interface CheckpointOptions {
  /** The file, replaced as a whole each time. */
  readonly path: string;
  /** Steps between two (none within an epoch); one is made at each epoch's end as well, and when the training ends or is interrupted. */
  readonly steps?: number;
  /** Also when so many seconds have passed since the last one (30). */
  readonly seconds?: number;
  /** Strings to be found in the file's header. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Called before each, so that what was measured is on the disk first. */
  readonly before?: () => Promise<void>;
  /** Seconds, from anywhere. */
  readonly now?: () => number;
}

/** Keeps a checkpoint from which the training goes on exactly. Name it last among the callbacks: it saves what the others did. */
export function checkpointEvery(options: CheckpointOptions): Callback {
  const { path, steps = Number.POSITIVE_INFINITY, seconds = 30, metadata = {}, before } = options;
  const { now = () => performance.now() / 1000 } = options;
  let savedAt = now();
  let savedState = '';
  const describe = ({ step, history }: FitView): string => `${step} ${history.length}`;
  const save = async (fit: FitView): Promise<void> => {
    if (describe(fit) === savedState) return;
    await before?.();
    await writeCheckpoint(path, fit.state(), metadata);
    savedAt = now();
    savedState = describe(fit);
  };
  return {
    name: 'checkpointEvery',
    onBegin: () => {
      savedAt = now();
      savedState = '';
    },
    onStep: async ({ step }, fit) => {
      if (step % steps === 0 || now() - savedAt >= seconds) await save(fit);
    },
    onEpochEnd: (_, fit) => save(fit),
    onEnd: save,
  };
}
