import type { Dataset } from '../../data/index.js';
import { type Layer, summaryRows } from '../../nn/index.js';
import {
  type CurveRecord,
  classificationReport,
  type MetricsRecord,
  type RunFolder,
  type Table,
} from '../../train/index.js';
import { mistakesGrid, type TestResults } from './results.js';

export interface ReportContent {
  readonly model: Layer;
  readonly test: Dataset;
  readonly results: TestResults;
  readonly settings: Readonly<Record<string, string | number | undefined>>;
}

/** Writes report.html and its pictures into the run's folder; returns the page's path. */
export async function writeReport(run: RunFolder, { model, test, results, settings }: ReportContent): Promise<string> {
  const { loss, accuracy, confusion, examples, mistakes } = results;
  const records = (await run.readMetrics()).map(curveRecord);
  const steps = records.at(-1)?.step ?? 0;
  const files = await classificationReport({
    title: 'Handwritten digits',
    lead: 'A convolutional network, trained by Kiln on MNIST.',
    facts: [
      ['Test accuracy', `${(100 * accuracy).toFixed(2)} %`],
      ['Test loss', loss.toFixed(4)],
      ['Misclassified', `${mistakes.length} of ${examples}`],
      ['Training steps', String(steps)],
    ],
    records,
    confusion: { labels: test.classes ?? confusion.map((_, i) => String(i)), counts: confusion },
    mistakes: mistakesGrid(results, test),
    mistakeCount: mistakes.length,
    network: networkTable(model),
    options: settings,
    foot: `kiln evaluate ${run.path} measures it again.`,
  });
  await run.writeFiles(files);
  return run.file('report.html');
}

const measured = ['loss', 'accuracy', 'validationLoss', 'validationAccuracy'] as const;

function curveRecord(record: MetricsRecord): CurveRecord {
  const values = measured.flatMap((name) => (typeof record[name] === 'number' ? [[name, record[name]]] : []));
  return { kind: record.kind, step: record.step, ...Object.fromEntries(values) };
}

function networkTable(model: Layer): Table {
  const rows = summaryRows(model);
  const grouped = (count: number): string => count.toLocaleString('en-US');
  return {
    caption: 'Layers',
    columns: [
      { title: 'Layer' },
      { title: 'Type' },
      { title: 'Output shape' },
      { title: 'Parameters', align: 'right' },
    ],
    rows: rows.map(({ name, type, outputShape, parameters }) => [
      name,
      type,
      `(${outputShape.map((size) => size ?? 'None').join(', ')})`,
      grouped(parameters),
    ]),
    foot: [['Total', '', '', grouped(rows.reduce((sum, { parameters }) => sum + parameters, 0))]],
  };
}
