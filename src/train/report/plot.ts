/** The one file that knows Observable Plot and linkedom: a chart's marks in, the text of an SVG out, without a browser. */
import type * as PlotModule from '@observablehq/plot';
import { fontFamily, palette, svgStyle } from './palette.js';

export type Plot = typeof PlotModule;
export type Marks = PlotModule.Markish[];
export type PlotOptions = PlotModule.PlotOptions;

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Read out by screen readers. */
  readonly title: string;
  readonly options: (plot: Plot) => PlotOptions;
}

const className = 'kiln-chart';

/** Draws with Plot, which is loaded at the first call (0.3 s, most of it d3). The same drawing always gives the same text. */
export async function drawPlot(drawing: Drawing): Promise<string> {
  const [plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const { width, height, title } = drawing;
  const svg = plot.plot({ document, className, width, height, ...drawing.options(plot) });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', title);
  svg.setAttribute('font-family', fontFamily);
  svg.setAttribute('font-size', '13');
  svg.setAttribute('color', palette.muted.light);
  svg.removeAttribute('style');
  for (const style of svg.querySelectorAll('style')) style.remove();
  const head = document.createElementNS('http://www.w3.org/2000/svg', 'g');
  head.innerHTML =
    `<style>${svgStyle(`.${className}`)}</style>` +
    `<rect class="fill-surface" width="${width}" height="${height}" rx="10" fill="${palette.surface.light}"/>`;
  svg.prepend(...head.childNodes);
  return nameClips(roundNumbers(svg.outerHTML));
}

/** Plot writes coordinates with 17 digits; a hundredth of a pixel is seen by nobody. Texts stay as they are. */
function roundNumbers(svg: string): string {
  return svg.replace(/ (?!aria-label)[\w-]+="[^"]*"/g, (attribute) =>
    attribute.replace(/-?\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100)),
  );
}

/**
 * Plot counts its clips through the whole process. Named after the chart's content they are the same in every run,
 * and still differ between the charts of one page, where ids are shared.
 */
function nameClips(svg: string): string {
  const names = [...new Set(svg.match(/plot-clip-\d+/g))];
  const hash = fnv1a(svg.replace(/plot-clip-\d+/g, ''));
  return svg.replace(/plot-clip-\d+/g, (name) => `clip-${hash}-${names.indexOf(name)}`);
}

/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
