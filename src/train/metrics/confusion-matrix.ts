import { fail, formatShape, type HostArray } from '../../core/index.js';

/** counts[predicted][true]. Rows are what was predicted, columns what is true (other packages turn it round). */
export type ConfusionCounts = readonly (readonly number[])[];

export interface ClassMetrics {
  /** Of what was taken for this class, the fraction that is; NaN where nothing was. */
  readonly precision: number;
  /** Of what is this class, the fraction that was found; NaN where there is none. */
  readonly recall: number;
  /** Harmonic mean of both: 2·hits / (predicted + true); NaN where the class neither occurs nor was predicted. */
  readonly f1: number;
  /** How many examples are of this class. */
  readonly support: number;
}

/**
 * How often each class was taken for each.
 *
 * @param predicted integers [examples]
 * @param truth     integers [examples]
 * @param classes   how many there are
 * @throws ShapeError if the lengths differ or a class is out of range
 */
export function confusionMatrix(predicted: HostArray, truth: HostArray, classes: number): number[][] {
  if (predicted.data.length !== truth.data.length) {
    fail(
      `confusionMatrix: ${formatShape(predicted.shape)} predictions for ${formatShape(truth.shape)} labels (${predicted.data.length} ≠ ${truth.data.length})`,
      'Give one predicted and one true class an example; of scores, take the argmax first.',
    );
  }
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < truth.data.length; i++) {
    const [row, column] = [predicted.data[i]!, truth.data[i]!];
    if (!isClass(row, classes) || !isClass(column, classes)) {
      fail(
        `confusionMatrix: example ${i} is class ${column}, predicted ${row} (0 to ${classes - 1})`,
        'Classes are the integers from 0; is the number of classes right?',
      );
    }
    counts[row]![column]! += 1;
  }
  return counts;
}

const isClass = (value: number, classes: number): boolean => Number.isInteger(value) && value >= 0 && value < classes;

/** Precision, recall and F1 of each class. */
export function classMetrics(counts: ConfusionCounts): ClassMetrics[] {
  return counts.map((row, i) => {
    const hits = row[i]!;
    const predicted = row.reduce((sum, count) => sum + count, 0);
    const support = counts.reduce((sum, line) => sum + line[i]!, 0);
    return { precision: hits / predicted, recall: hits / support, f1: (2 * hits) / (predicted + support), support };
  });
}
