/** What a network makes of the test digits, and how that is said. */
import { fail, type HostArray, KilnError } from '../../core/index.js';
import { type Dataset, gatherRows } from '../../data/index.js';
import type { Layer } from '../../nn/index.js';
import {
  argmaxRows,
  type ClassMetrics,
  classMetrics,
  confusionMatrix,
  type ImageGrid,
  predict,
} from '../../train/index.js';

export interface TestResults {
  /** Mean cross-entropy. */
  readonly loss: number;
  readonly accuracy: number;
  readonly examples: number;
  /** counts[predicted][true] */
  readonly confusion: readonly (readonly number[])[];
  readonly perClass: readonly ClassMetrics[];
  readonly predicted: HostArray;
  /** Indices of the digits that were taken for another. */
  readonly mistakes: readonly number[];
}

export async function testResults(model: Layer, test: Dataset): Promise<TestResults> {
  const { images, labels } = test.fields;
  if (!images || !labels)
    return fail(`${test.name}: has no images or no labels`, 'Give the test set of mnist().', KilnError);
  const logits = await predict(model, images, { scale: test.scale['images'] ?? 1 });
  const predicted = argmaxRows(logits);
  const classes = logits.shape[1]!;
  const confusion = confusionMatrix(predicted, labels, classes);
  const mistakes = [...labels.data.keys()].filter((i) => predicted.data[i] !== labels.data[i]);
  const losses = Array.from(labels.data, (label, i) => -logSoftmax(rowOf(logits, i))[label]!);
  return {
    loss: losses.reduce((sum, loss) => sum + loss, 0) / test.length,
    accuracy: 1 - mistakes.length / test.length,
    examples: test.length,
    confusion,
    perClass: classMetrics(confusion),
    predicted,
    mistakes,
  };
}

export const rowOf = ({ shape, data }: HostArray, i: number): ArrayLike<number> =>
  data.subarray(i * shape[1]!, (i + 1) * shape[1]!);

/** zᵢ − log Σⱼ exp zⱼ, in float64. */
export function logSoftmax(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits);
  const greatest = Math.max(...values);
  const logSum = greatest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - greatest), 0));
  return values.map((value) => value - logSum);
}

/** The misclassified digits, the first `most` of them: red what they were taken for, blue what they are. */
export function mistakesGrid({ mistakes, predicted }: TestResults, test: Dataset, most = 100): ImageGrid {
  const shown = mistakes.slice(0, most);
  const truth = test.fields['labels']!.data;
  return {
    title: 'Misclassified digits',
    images: gatherRows(test.fields['images']!, shown),
    captions: shown.map((i) => [
      { text: String(predicted.data[i]), color: 'red' },
      { text: String(truth[i]), color: 'blue' },
    ]),
    describe: (i) => `predicted ${predicted.data[shown[i]!]}, true ${truth[shown[i]!]}`,
    look: 'ink',
  };
}

/** The confusion matrix and the figures of each class, as text for a terminal. */
export function resultsText({ confusion, perClass, loss, accuracy, examples }: TestResults): string {
  const width = Math.max(5, ...confusion.flat().map((count) => String(count).length)) + 1;
  const cell = (text: string | number): string => String(text).padStart(width);
  const classes = confusion.map((_, i) => i);
  const line = '─'.repeat(11 + classes.length * width);
  const row = (head: string, cells: readonly (string | number)[]): string =>
    `${head.padStart(10)} ${cells.map(cell).join('')}`;
  const percent = (value: number): string => (Number.isNaN(value) ? '–' : (100 * value).toFixed(1));
  return [
    'Confusion matrix (rows: predicted, columns: true)',
    row('', classes),
    line,
    ...confusion.map((counts, i) =>
      row(
        String(i),
        counts.map((count) => (count === 0 ? '·' : count)),
      ),
    ),
    line,
    row(
      'precision%',
      perClass.map(({ precision }) => percent(precision)),
    ),
    row(
      'recall%',
      perClass.map(({ recall }) => percent(recall)),
    ),
    row(
      'F1%',
      perClass.map(({ f1 }) => percent(f1)),
    ),
    '',
    `Test loss ${loss.toFixed(4)}, accuracy ${(100 * accuracy).toFixed(2)} % (${Math.round(accuracy * examples)} of ${examples})`,
  ].join('\n');
}
