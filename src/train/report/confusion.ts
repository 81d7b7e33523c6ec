/** The confusion matrix in words and tables. Rows are the predicted, columns the true classes. */
import { escapeHtml, scrollable, type Table } from './html.js';

export interface Confusion {
  readonly labels: readonly string[];
  /** counts[predicted][true] */
  readonly counts: readonly (readonly number[])[];
}

const percent = (part: number, whole: number): string => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)}`);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The matrix with row and column headings; at its edges precision (of a row) and recall (of a column) in percent. */
export function confusionTableHtml({ labels, counts }: Confusion): string {
  const columnHeads = labels.map((label) => `<th scope="col" class="number">${escapeHtml(label)}</th>`).join('');
  const columnSum = (column: number): number => sum(counts.map((row) => row[column]!));
  const body = counts.map((row, i) => {
    const cells = row.map((count, j) => {
      const kind = count === 0 ? 'zero' : i === j ? 'right' : 'wrong';
      return `<td class="number ${kind}">${count}</td>`;
    });
    return (
      `<tr><th scope="row">${escapeHtml(labels[i]!)}</th>${cells.join('')}` +
      `<td class="number edge">${percent(row[i]!, sum(row))}</td></tr>`
    );
  });
  const recall = labels.map((_, j) => `<td class="number">${percent(counts[j]![j]!, columnSum(j))}</td>`).join('');
  return scrollable(
    'Confusion matrix as a table',
    '<table class="confusion"><caption>Images. Rows: predicted. Columns: true.</caption>' +
      `<thead><tr><td></td><th scope="colgroup" colspan="${labels.length}">true</th><td></td></tr>` +
      `<tr><th scope="col">predicted</th>${columnHeads}<th scope="col" class="number">precision, %</th></tr></thead>` +
      `<tbody>${body.join('')}</tbody>` +
      `<tfoot><tr><th scope="row">recall, %</th>${recall}<td></td></tr></tfoot></table>`,
  );
}

/** The pairs that are confused most, the most frequent first; equal counts in the order of the labels. */
export function commonMistakes({ labels, counts }: Confusion, limit = 8): Table {
  const pairs = counts
    .flatMap((row, predicted) => row.map((count, truth) => ({ predicted, truth, count })))
    .filter(({ predicted, truth, count }) => predicted !== truth && count > 0)
    .sort((a, b) => b.count - a.count || a.truth - b.truth || a.predicted - b.predicted);
  return {
    caption: 'Most frequent mistakes',
    columns: [
      { title: 'True' },
      { title: 'Taken for' },
      { title: 'Images', align: 'right' },
      { title: 'Of this class, %', align: 'right' },
    ],
    rows: pairs.slice(0, limit).map(({ predicted, truth, count }) => {
      const whole = sum(counts.map((row) => row[truth]!));
      return [labels[truth]!, labels[predicted]!, String(count), percent(count, whole)];
    }),
  };
}
