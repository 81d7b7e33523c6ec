/** The report of a trained classifier: curves, confusion matrix, mistakes, network, options; and each picture as a file. */
import { type Confusion, commonMistakes, confusionTableHtml } from './confusion.js';
import { heatMap } from './heat-map.js';
import type { Table } from './html.js';
import { type ImageGrid, imageGridPng, imageGridSvg } from './image-grid.js';
import { type LineChart, lineChart, type Point, type Series } from './line-chart.js';
import { type Block, reportPage, type Section } from './page.js';

/** What curves are drawn from: a line of `metrics.jsonl`. Accuracies are fractions. */
export interface CurveRecord {
  /** `step`: measured while training. `epoch`: at the end of an epoch, with the validation data. */
  readonly kind: 'step' | 'epoch';
  /** Steps done since the training began. */
  readonly step: number;
  readonly loss?: number;
  readonly accuracy?: number;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
}

export interface ClassificationReport {
  readonly title: string;
  readonly lead?: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly records: readonly CurveRecord[];
  readonly confusion: Confusion;
  /** The pictures that were misclassified, or the first of them. */
  readonly mistakes?: ImageGrid;
  /** How many there are, where the grid shows only the first. */
  readonly mistakeCount?: number;
  /** The network's summary. */
  readonly network?: Table;
  readonly options?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly foot?: string;
}

/** `report.html` and the pictures in it, by file name. */
export type ReportFiles = ReadonlyMap<string, string | Uint8Array>;

export async function classificationReport(report: ClassificationReport): Promise<ReportFiles> {
  const { confusion, mistakes, network, options } = report;
  const [loss, accuracy, matrix] = await Promise.all([
    lineChart(lossChart(report.records)),
    lineChart(accuracyChart(report.records)),
    heatMap({
      title: 'Confusion matrix',
      values: confusion.counts,
      rowLabels: confusion.labels,
      columnLabels: confusion.labels,
      rowTitle: 'predicted',
      columnTitle: 'true',
    }),
  ]);
  const files = new Map<string, string | Uint8Array>([
    ['loss.svg', loss],
    ['accuracy.svg', accuracy],
    ['confusion-matrix.svg', matrix],
  ]);
  const sections: Section[] = [
    {
      title: 'Training',
      lead: 'Dotted lines mark the ends of epochs.',
      blocks: [
        {
          kind: 'pair',
          blocks: [
            {
              kind: 'figure',
              figure: { svg: loss, caption: `Lower is better; the axis is logarithmic. ${bandCaption}` },
            },
            { kind: 'figure', figure: { svg: accuracy, caption: `Higher is better. ${bandCaption}` } },
          ],
        },
      ],
    },
    {
      title: 'Confusion matrix',
      lead: 'Rows are what the network predicted, columns what is true: the diagonal counts what it got right.',
      blocks: [
        {
          kind: 'pair',
          blocks: [
            {
              kind: 'figure',
              figure: {
                svg: matrix,
                caption: 'Color grows with the logarithm of the count, so that single mistakes are seen.',
              },
            },
            { kind: 'table', table: commonMistakes(confusion) },
          ],
        },
        { kind: 'html', html: confusionTableHtml(confusion) },
      ],
    },
  ];
  if (mistakes) {
    files.set('mistakes.svg', imageGridSvg(mistakes));
    files.set('mistakes.png', imageGridPng(mistakes));
    sections.push({ title: mistakes.title, ...mistakesSection(mistakes, report.mistakeCount) });
  }
  if (network) sections.push({ title: 'Network', blocks: [{ kind: 'table', table: network }] });
  if (options) sections.push({ title: 'Options', blocks: [optionsBlock(options)] });
  const { title, lead, facts, foot } = report;
  const page = { title, facts, sections, ...(lead ? { lead } : {}), ...(foot ? { foot } : {}) };
  return new Map<string, string | Uint8Array>([['report.html', reportPage(page)], ...files]);
}

const bandCaption = 'A band holds the middle 80 % of the steps that a point of the curve averages.';
const stepAxis = { label: 'training step' };
const percent = (value: number): string => `${value.toFixed(2)} %`;

function lossChart(records: readonly CurveRecord[]): LineChart {
  return {
    title: 'Loss',
    x: stepAxis,
    y: { label: 'cross-entropy (nats)', scale: 'log', format: (value) => value.toPrecision(3) },
    series: curves(records, 'loss', 'validationLoss', 1),
    rules: epochEnds(records),
  };
}

function accuracyChart(records: readonly CurveRecord[]): LineChart {
  const series = curves(records, 'accuracy', 'validationAccuracy', 100);
  return {
    title: 'Accuracy',
    x: stepAxis,
    y: { label: 'accuracy (%)', format: percent, domain: [accuracyFloor(series), 100] },
    series,
    rules: epochEnds(records),
  };
}

function curves(
  records: readonly CurveRecord[],
  train: 'loss' | 'accuracy',
  validation: 'validationLoss' | 'validationAccuracy',
  factor: number,
): Series[] {
  const points = (kind: CurveRecord['kind'], key: keyof CurveRecord): Point[] =>
    records.flatMap((record) => {
      const value = record[key];
      return record.kind === kind && typeof value === 'number' ? [[record.step, value * factor] as const] : [];
    });
  const steps = points('step', train);
  const series = [
    { name: 'train', points: steps.length > 0 ? steps : points('epoch', train) },
    { name: 'validation', points: points('epoch', validation), dots: true },
  ];
  return series.filter((each) => each.points.length > 0);
}

/** The first steps are far below all others and would press the rest together: the axis begins where 95 % of the points lie. */
function accuracyFloor(series: readonly Series[]): number {
  const values = series.flatMap(({ points }) => points.map((point) => point[1])).sort((a, b) => a - b);
  const low = values[Math.floor(values.length * 0.05)] ?? 0;
  return Math.max(0, Math.min(95, Math.floor((low - 2) / 5) * 5));
}

const epochEnds = (records: readonly CurveRecord[]): number[] =>
  records.filter(({ kind }) => kind === 'epoch').map(({ step }) => step);

function mistakesSection(grid: ImageGrid, count = grid.images.shape[0]!): { lead: string; blocks: Block[] } {
  const shown = grid.images.shape[0]!;
  if (shown === 0) return { lead: 'None: every image was classified correctly.', blocks: [] };
  const which = shown < count ? `The first ${shown} of ${count}.` : shown === 1 ? 'The only one.' : `All ${count}.`;
  return { lead: `${which} Red: predicted. Blue: true.`, blocks: [{ kind: 'images', grid }] };
}

function optionsBlock(options: Readonly<Record<string, string | number | boolean | undefined>>): Block {
  const rows = Object.entries(options).map(([name, value]) => [name, value === undefined ? '–' : String(value)]);
  return {
    kind: 'table',
    table: { caption: 'What the run was started with', columns: [{ title: 'Option' }, { title: 'Value' }], rows },
  };
}
