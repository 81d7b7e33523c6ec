import type { Vocabulary } from '../../data/index.js';
import { type Sequential, summaryRows } from '../../nn/index.js';
import {
  type Block,
  coloredTextHtml,
  lineChart,
  type MetricsRecord,
  type Point,
  type RunFolder,
  reportPage,
  type Section,
  type Series,
  type Table,
} from '../../train/index.js';
import { findCells } from './cells.js';
import { bits } from './measure.js';
import type { TextSettings } from './options.js';
import { loadNetwork } from './run.node.js';
import { anyCharacter, Sampler } from './sampler.js';

export interface ReportContent {
  readonly settings: TextSettings;
  readonly vocabulary: Vocabulary;
  readonly text: string;
  /** Of the text. */
  readonly name: string;
  /** Of the validation, in nats a character. */
  readonly loss: number;
  readonly seed: number;
}

/** Writes report.html and its charts into the run's folder; returns the page's path. */
export async function writeReport(run: RunFolder, content: ReportContent): Promise<string> {
  const { settings, vocabulary, text, name, loss } = content;
  const model = await loadNetwork(run, { settings, vocabulary, files: [], dataHashes: {} });
  const records = await run.readMetrics();
  const [nats, inBits] = await Promise.all([
    chart(records, 'Loss', 'cross-entropy (nats a character)', 1),
    chart(records, 'Bits per character', 'bits a character', bits(1)),
  ]);
  const rows = summaryRows(model);
  const parameters = rows.reduce((sum, row) => sum + row.parameters, 0);
  const characters = [...text];
  const page = reportPage({
    title: `Text in the style of ${name}`,
    lead: `A recurrent network that read ${grouped(characters.length)} characters, one after another, and learnt to say what comes next.`,
    facts: [
      ['Validation loss', `${loss.toFixed(4)} nats`],
      ['Bits per character', bits(loss).toFixed(3)],
      ['Of chance', `${Math.log(vocabulary.size).toFixed(3)} nats`],
      ['Characters known', String(vocabulary.size)],
      ['Parameters', grouped(parameters)],
      ['Training steps', grouped(records.at(-1)?.step ?? 0)],
    ],
    sections: [
      {
        title: 'Training',
        lead: 'How surprised the network is by each next character. Dotted lines mark the ends of epochs.',
        blocks: [
          {
            kind: 'pair',
            blocks: [
              { kind: 'figure', figure: { svg: nats } },
              { kind: 'figure', figure: { svg: inBits } },
            ],
          },
        ],
      },
      await samplesSection(model, content),
      await cellsSection(model, content, characters),
      { title: 'Network', blocks: [{ kind: 'table', table: networkTable(rows) }] },
      { title: 'Options', blocks: [optionsBlock(settings)] },
    ],
    foot: `kiln generate ${run.path} writes more; kiln evaluate ${run.path} measures it again.`,
  });
  await run.writeFiles(
    new Map([
      ['report.html', page],
      ['loss.svg', nats],
      ['bits.svg', inBits],
    ]),
  );
  return run.file('report.html');
}

function chart(records: readonly MetricsRecord[], title: string, label: string, factor: number): Promise<string> {
  const points = (kind: string, key: string): Point[] =>
    records.flatMap((record) => {
      const value = record[key];
      return record.kind === kind && typeof value === 'number' ? [[record.step, value * factor] as const] : [];
    });
  const series: Series[] = [
    { name: 'train', points: points('step', 'loss') },
    { name: 'validation', points: points('epoch', 'validationLoss'), dots: true },
  ];
  return lineChart({
    title,
    x: { label: 'training step' },
    y: { label, format: (value) => value.toFixed(3) },
    series: series.filter((each) => each.points.length > 0),
    rules: records.filter(({ kind }) => kind === 'epoch').map(({ step }) => step),
  });
}

const temperatures = [0.2, 0.5, 0.8, 1] as const;

async function samplesSection(model: Sequential, content: ReportContent): Promise<Section> {
  const { vocabulary, seed } = content;
  const prime = [anyCharacter(vocabulary.size, seed)];
  const sampler = new Sampler(model, temperatures.length);
  const texts = await sampler.take(
    temperatures.map((temperature) => ({ temperature, prime })),
    800,
    seed,
  );
  const block = (from: number): Block => ({
    kind: 'pair',
    blocks: [from, from + 1].map((i) => ({
      kind: 'preformatted',
      text: `temperature ${temperatures[i]}\n\n${vocabulary.decode(texts[i]!)}`,
    })),
  });
  return {
    title: 'What it writes',
    lead: 'At a low temperature it keeps to what is likeliest and repeats itself; at 1 it draws as it has learnt.',
    blocks: [block(0), block(2)],
  };
}

/** The end of the text, which no batch of the training has: enough for the correlations, and as much of it as a person reads. */
const measuredCharacters = 4000;
const shownCharacters = 600;

async function cellsSection(
  model: Sequential,
  { vocabulary }: ReportContent,
  characters: readonly string[],
): Promise<Section> {
  const part = characters.slice(-measuredCharacters);
  const cells = await findCells(model, part, vocabulary.encode(part.join('')));
  // the state of the first characters is that of no text yet
  const from = Math.max(0, Math.min(200, part.length - shownCharacters));
  const shown = part.slice(from, from + shownCharacters);
  return {
    title: 'What single units respond to',
    lead:
      'Each character is coloured by what the unit holds after reading it: green above 0, blue below, the stronger the further. The ' +
      'units are those whose value follows something a person would look for most closely over the last characters of the text.',
    blocks:
      cells.length === 0
        ? [{ kind: 'text', text: 'No unit follows any of these closely yet: a longer training finds some.' }]
        : inPairs(
            cells.map(({ title, values }) => ({
              kind: 'html',
              html: coloredTextHtml({
                title,
                characters: shown,
                values: scaled(values.subarray(from, from + shownCharacters)),
              }),
            })),
          ),
  };
}

/** To the range of the colours: a unit may use little of its own. */
function scaled(values: Float32Array): Float32Array {
  const greatest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  return values.map((value) => value / greatest);
}

const inPairs = (blocks: readonly Block[]): Block[] =>
  blocks.flatMap((_, i) => (i % 2 === 0 ? [{ kind: 'pair', blocks: blocks.slice(i, i + 2) }] : []));

const grouped = (count: number): string => count.toLocaleString('en-US');

function networkTable(rows: ReturnType<typeof summaryRows>): Table {
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

const optionsBlock = (settings: TextSettings): Block => ({
  kind: 'table',
  table: {
    caption: 'What the run was started with',
    columns: [{ title: 'Option' }, { title: 'Value' }],
    rows: Object.entries(settings).map(([name, value]) => [name, String(value)]),
  },
});
