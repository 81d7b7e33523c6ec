import { fail, formatShape, type HostArray, sizeOf, Tensor } from '../../core/index.js';

/**
 * What is measured beside the loss, inside the compiled step: the mean of a batch, as one float32 number.
 * Epochs take the mean of batches weighted by their sizes, so it must be a mean over examples.
 */
export type Metric = (outputs: Tensor, targets: Tensor) => Tensor;

/**
 * The fraction of examples whose greatest score is that of their class. In a compiled step of tensors, else of host arrays.
 *
 * @param outputs scores or logits [..., classes]
 * @param targets integer classes [...], or one-hot rows [..., classes]
 */
export function accuracy(outputs: Tensor, targets: Tensor): Tensor;
export function accuracy(outputs: HostArray, targets: HostArray): number;
export function accuracy(outputs: Tensor | HostArray, targets: Tensor | HostArray): Tensor | number {
  if (!(outputs instanceof Tensor)) return topKAccuracy(outputs, targets as HostArray, 1);
  const labels = targets as Tensor;
  const truth = labels.rank === outputs.rank ? labels.argmax({ axis: -1 }) : labels;
  return outputs.argmax({ axis: -1 }).equal(truth).cast('float32').mean();
}

/**
 * The fraction of examples whose class is among the `k` greatest scores. Of equal scores the earlier class counts as greater.
 *
 * @param scores [..., classes]
 * @param labels integer classes [...], or one-hot rows [..., classes]
 */
export function topKAccuracy(scores: HostArray, labels: HostArray, k: number): number {
  const classes = scores.shape.at(-1) ?? 0;
  const examples = sizeOf(scores.shape.slice(0, -1));
  const isOneHot = labels.shape.length === scores.shape.length;
  if (labels.data.length !== (isOneHot ? examples * classes : examples)) {
    fail(
      `topKAccuracy: scores ${formatShape(scores.shape)}, labels ${formatShape(labels.shape)}`,
      `Give ${examples} integer classes, or one-hot rows of ${classes}.`,
    );
  }
  let hits = 0;
  for (let i = 0; i < examples; i++) {
    const row = scores.data.subarray(i * classes, (i + 1) * classes);
    const label = isOneHot ? greatest(labels.data.subarray(i * classes, (i + 1) * classes)) : labels.data[i]!;
    if (label < 0 || label >= classes) {
      fail(`topKAccuracy: example ${i} is class ${label} (0 to ${classes - 1})`, 'Classes are the integers from 0.');
    }
    if (rankOf(row, label) < k) hits++;
  }
  return hits / examples;
}

/** How many classes are ahead of `label`. NaN is ahead of every number, as in argmax: a broken row is no hit by chance. */
function rankOf(row: ArrayLike<number>, label: number): number {
  const own = row[label]!;
  let ahead = 0;
  for (let c = 0; c < row.length; c++) {
    const score = row[c]!;
    if (c === label) continue;
    if (score > own || (score === own && c < label) || (Number.isNaN(score) && !(Number.isNaN(own) && c > label)))
      ahead++;
  }
  return ahead;
}

const greatest = (row: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
};

/** The class of the greatest score of each row, int32 [...]; the first of equals, NaN before every number. */
export function argmaxRows({ shape, data }: HostArray): HostArray {
  const classes = shape.at(-1) ?? 0;
  const rows = sizeOf(shape.slice(0, -1));
  const classOf = (i: number): number => {
    const row = data.subarray(i * classes, (i + 1) * classes);
    const broken = row.findIndex(Number.isNaN);
    return broken >= 0 ? broken : greatest(row);
  };
  return { dtype: 'int32', shape: shape.slice(0, -1), data: Int32Array.from({ length: rows }, (_, i) => classOf(i)) };
}
