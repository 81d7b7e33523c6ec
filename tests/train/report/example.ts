/** A made-up trained classifier, as good as a real one, for the report's tests. */
import type { ClassificationReport, CurveRecord } from '../../../src/train/index.js';

const labels = [...'0123456789'];

/** The lecture's matrix: rows predicted, columns true. */
const counts = [
  [975, 0, 1, 0, 0, 0, 4, 1, 2, 3],
  [0, 1128, 0, 0, 0, 0, 2, 1, 0, 0],
  [0, 3, 1026, 2, 0, 0, 0, 11, 1, 0],
  [1, 2, 0, 1004, 0, 4, 0, 1, 1, 3],
  [0, 0, 2, 0, 973, 0, 1, 0, 0, 4],
  [0, 0, 0, 3, 0, 887, 4, 0, 0, 4],
  [3, 1, 0, 0, 4, 1, 946, 0, 1, 0],
  [0, 0, 3, 0, 0, 0, 0, 1010, 2, 0],
  [1, 1, 0, 1, 1, 0, 1, 1, 965, 2],
  [0, 0, 0, 0, 4, 0, 0, 3, 2, 993],
];

/** Curves that fall and rise as training does, with a wave for the noise. */
export function exampleRecords(epochs: number, stepsPerEpoch = 1875): CurveRecord[] {
  const records: CurveRecord[] = [];
  for (let step = 25; step <= epochs * stepsPerEpoch; step += 25) {
    const fall = 2.2 * Math.exp(-step / 120) + 0.3 * Math.exp(-step / 1500) + 0.05;
    const loss = fall * (1 + 0.4 * Math.sin(step));
    records.push({ kind: 'step', step, loss, accuracy: Math.max(0.1, 1 - loss / 3) });
    if (step % stepsPerEpoch === 0) {
      const epoch = step / stepsPerEpoch;
      records.push({
        kind: 'epoch',
        step,
        validationLoss: 0.027 + 0.045 / epoch,
        validationAccuracy: 0.991 - 0.006 / epoch,
      });
    }
  }
  return records;
}

/** `count` pictures of 28 × 28 with a stroke each. */
export function exampleImages(count: number): { dtype: 'uint8'; shape: number[]; data: Uint8Array } {
  const data = new Uint8Array(count * 784);
  for (let i = 0; i < count; i++) {
    for (let y = 4; y < 24; y++) data.fill(255, i * 784 + y * 28 + 6 + (i % 10), i * 784 + y * 28 + 10 + (i % 10));
  }
  return { dtype: 'uint8', shape: [count, 28, 28, 1], data };
}

export function exampleReport(mistakes = 12): ClassificationReport {
  return {
    title: 'MNIST: a convolutional network',
    lead: '60,000 digits to learn from, 10,000 to be tested on.',
    facts: [
      ['Test accuracy', '99.07 %'],
      ['Test loss', '0.0288'],
    ],
    records: exampleRecords(2),
    confusion: { labels, counts },
    mistakes: {
      title: 'Misclassified digits',
      images: exampleImages(mistakes),
      captions: Array.from({ length: mistakes }, (_, i) => [
        { text: String(i % 10), color: 'red' as const },
        { text: String((i + 3) % 10), color: 'blue' as const },
      ]),
      describe: (i) => `predicted ${i % 10}, true ${(i + 3) % 10}`,
      look: 'ink',
    },
    mistakeCount: 93,
    network: {
      caption: 'Layers from input to output',
      columns: [{ title: 'Layer' }, { title: 'Parameters', align: 'right' }],
      rows: [['dense_1', '589,952']],
      foot: [['Total', '600,810']],
    },
    options: { epochs: 2, '<b>': '"&\'', limit: undefined },
  };
}
