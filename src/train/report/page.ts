/** The report: one HTML file that opens without a network, without scripts, by light and by dark. */
import { escapeHtml, type Table, tableHtml } from './html.js';
import { type ImageGrid, imageGridHtml } from './image-grid.js';
import { pageStyle } from './page-style.js';

export interface Figure {
  /** SVG text, such as `lineChart` returns. */
  readonly svg: string;
  /** What the reader has to know to read the chart. */
  readonly caption?: string;
}

/** One thing in a section. `pair` puts its parts side by side where there is room. */
export type Block =
  | { readonly kind: 'figure'; readonly figure: Figure }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'images'; readonly grid: ImageGrid }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'preformatted'; readonly text: string }
  /** Made by a function of this folder, which has escaped what came from outside. */
  | { readonly kind: 'html'; readonly html: string }
  | { readonly kind: 'pair'; readonly blocks: readonly Block[] };

export interface Section {
  readonly title: string;
  /** A sentence under the title. */
  readonly lead?: string;
  readonly blocks: readonly Block[];
}

export interface ReportPage {
  readonly title: string;
  /** A sentence or two under the title: what was trained on what. */
  readonly lead?: string;
  /** The figures a reader wants first: label and value. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly sections: readonly Section[];
  /** What stands at the foot, such as the command that makes the report again. */
  readonly foot?: string;
}

/** Nothing may be fetched and nothing run: the browser holds the page to it. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

const mark =
  '<svg viewBox="0 0 24 24" aria-hidden="true"><path fill="var(--wrong)" d="M12 2C6.5 2 3 6.4 3 11.5V21a1 1 0 0 0 1 1h16a1 1 0 0 0 1-1v-9.5C21 6.4 17.5 2 12 2Zm0 19a4.5 4.5 0 0 1-4.5-4.5c0-3 2.5-4 3.3-7.5 3.2 1.5 5.7 4.3 5.7 7.5A4.5 4.5 0 0 1 12 21Z"/></svg>';

/** The page as HTML text. The same input always gives the same text. */
export function reportPage({ title, lead, facts, sections, foot }: ReportPage): string {
  const tiles = facts.map(([label, value]) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`);
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<title>${escapeHtml(title)}</title>`,
    `<style>${pageStyle}</style></head><body><main>`,
    `<header><div class="mark">${mark}Kiln</div><h1>${escapeHtml(title)}</h1>`,
    lead ? `<p>${escapeHtml(lead)}</p>` : '',
    tiles.length > 0 ? `<dl class="facts">${tiles.join('')}</dl>` : '',
    '</header>',
    ...sections.map(sectionHtml),
    foot ? `<footer>${escapeHtml(foot)}</footer>` : '',
    '</main></body></html>\n',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function sectionHtml({ title, lead, blocks }: Section): string {
  const leadHtml = lead ? `<p class="lead">${escapeHtml(lead)}</p>` : '';
  return `<section><h2>${escapeHtml(title)}</h2>${leadHtml}${blocks.map(blockHtml).join('\n')}</section>`;
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'figure': {
      const { svg, caption } = block.figure;
      return `<figure class="card">${svg}${caption ? `<figcaption>${escapeHtml(caption)}</figcaption>` : ''}</figure>`;
    }
    case 'table':
      return `<div class="card">${tableHtml(block.table)}</div>`;
    case 'images':
      return `<div class="card">${imageGridHtml(block.grid)}</div>`;
    case 'text':
      return `<p>${escapeHtml(block.text)}</p>`;
    case 'preformatted':
      return `<div class="card"><pre tabindex="0">${escapeHtml(block.text)}</pre></div>`;
    case 'html':
      return `<div class="card">${block.html}</div>`;
    case 'pair':
      return `<div class="pair">${block.blocks.map(blockHtml).join('')}</div>`;
  }
}
