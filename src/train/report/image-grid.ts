/** Many small pictures with a caption each: as a PNG that we draw pixel by pixel, as an SVG, and as HTML that reflows. */

import { fail, type HostArray } from '../../core/index.js';
import { encodePng } from '../../data/index.js';
import { glyphHeight, glyphWidth, isInk } from './digit-font.js';
import { escapeHtml } from './html.js';
import { type ColorName, fontFamily, palette, svgStyle } from './palette.js';

/** A piece of a caption; pieces stand beside one another. */
export interface Caption {
  readonly text: string;
  readonly color: ColorName;
}

export interface ImageGrid {
  readonly title: string;
  /** uint8 [n, height, width, channels], 1, 3 or 4 channels */
  readonly images: HostArray;
  /** One list a picture. */
  readonly captions: readonly (readonly Caption[])[];
  /** What a picture shows, in words, for those who do not see it. */
  readonly describe?: (index: number) => string;
  /** In PNG and SVG; the page takes as many as fit. */
  readonly columns?: number;
  /** `ink`: strokes bright on black, shown as ink on paper, as MNIST usually is. */
  readonly look?: 'picture' | 'ink';
}

/** The grid as a PNG file on white. Captions are in digits (report/digit-font.ts). */
export function imageGridPng(grid: ImageGrid): Uint8Array {
  const { captions, columns = 10 } = grid;
  const { count, height, width, channels } = sizes(grid);
  const scale = Math.max(1, Math.round(56 / width));
  const fontScale = 2;
  const gap = 12;
  const cellWidth = width * scale + gap;
  const cellHeight = height * scale + glyphHeight * fontScale + 8 + gap;
  const canvas = createCanvas(
    Math.min(columns, Math.max(1, count)) * cellWidth + gap,
    Math.max(1, Math.ceil(count / columns)) * cellHeight + gap,
  );
  for (let i = 0; i < count; i++) {
    const left = gap + (i % columns) * cellWidth;
    const top = gap + Math.floor(i / columns) * cellHeight;
    const pixels = pixelsOf(grid, i);
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const at = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
        const green = channels === 1 ? at : at + 1;
        const blue = channels === 1 ? at : at + 2;
        const alpha = channels === 4 ? pixels[at + 3]! / 255 : 1;
        canvas.set(left + x, top + y, [pixels[at]!, pixels[green]!, pixels[blue]!], alpha);
      }
    }
    drawCaption(canvas, captions[i] ?? [], left, top + height * scale + 6, width * scale, fontScale);
  }
  return encodePng({ dtype: 'uint8', shape: [canvas.height, canvas.width, 3], data: canvas.data });
}

/** The grid as SVG text with the pictures inside. */
export function imageGridSvg(grid: ImageGrid): string {
  const { title, captions, columns = 10, look } = grid;
  const { count, height, width } = sizes(grid);
  const size = 48;
  const pictureHeight = Math.round((size * height) / width);
  const [gap, head, captionHeight] = [14, 52, 24];
  const cellHeight = pictureHeight + captionHeight + gap;
  const fullWidth = Math.min(columns, Math.max(1, count)) * (size + gap) + gap;
  const fullHeight = head + Math.max(1, Math.ceil(count / columns)) * cellHeight;
  const cells = Array.from({ length: count }, (_, i) => {
    const x = gap + (i % columns) * (size + gap);
    const y = head + Math.floor(i / columns) * cellHeight;
    const spans = (captions[i] ?? []).map(
      ({ text, color }, j) =>
        `<tspan${j > 0 ? ' dx="8"' : ''} class="fill-${color}" fill="${palette[color].light}">${escapeHtml(text)}</tspan>`,
    );
    return (
      `<image${look === 'ink' ? ' class="ink"' : ''} x="${x}" y="${y}" width="${size}" height="${pictureHeight}" href="${dataUri(grid, i)}"/>` +
      `<text x="${x + size / 2}" y="${y + pictureHeight + 17}" text-anchor="middle" font-weight="600">${spans.join('')}</text>`
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="kiln-grid" role="img" aria-label="${escapeHtml(title)}" width="${fullWidth}" height="${fullHeight}"` +
    ` viewBox="0 0 ${fullWidth} ${fullHeight}" font-family='${fontFamily}' font-size="14">` +
    `<style>${svgStyle('.kiln-grid')}.kiln-grid image{image-rendering:pixelated}` +
    '@media (prefers-color-scheme:dark){.kiln-grid .ink{filter:invert(1);mix-blend-mode:lighten}}</style>' +
    `<rect class="fill-surface" width="${fullWidth}" height="${fullHeight}" rx="10" fill="${palette.surface.light}"/>` +
    `<text class="fill-text" x="${gap}" y="30" font-size="16" font-weight="600" fill="${palette.text.light}">${escapeHtml(title)}</text>` +
    `${cells.join('')}</svg>`
  );
}

/** The grid as HTML: as many pictures a line as the window has room for. */
export function imageGridHtml(grid: ImageGrid): string {
  const { captions, describe, look = 'picture' } = grid;
  const { count } = sizes(grid);
  const figures = Array.from({ length: count }, (_, i) => {
    const pieces = captions[i] ?? [];
    const words = describe?.(i) ?? pieces.map(({ text }) => text).join(' ');
    const spans = pieces.map(({ text, color }) => `<span class="${color}">${escapeHtml(text)}</span>`);
    return (
      `<figure title="${escapeHtml(words)}"><img class="${look}" alt="${escapeHtml(words)}" src="${dataUri(grid, i)}">` +
      `<figcaption aria-hidden="true">${spans.join(' ')}</figcaption></figure>`
    );
  });
  return `<div class="images">${figures.join('')}</div>`;
}

interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  set(x: number, y: number, color: readonly [number, number, number], alpha: number): void;
}

function createCanvas(width: number, height: number): Canvas {
  const data = new Uint8Array(width * height * 3).fill(255);
  return {
    width,
    height,
    data,
    set(x, y, color, alpha) {
      if (x < 0 || y < 0 || x >= width || y >= height) return;
      const at = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) data[at + c] = Math.round(255 + (color[c]! - 255) * alpha);
    },
  };
}

/** Writes the pieces of a caption in the middle under a picture, a character's width between two pieces. */
function drawCaption(
  canvas: Canvas,
  pieces: readonly Caption[],
  left: number,
  top: number,
  width: number,
  scale: number,
): void {
  const advance = (glyphWidth + 1) * scale;
  const letters = pieces.flatMap(({ text, color }, i) =>
    [...(i > 0 ? ' ' : ''), ...text].map((letter) => ({ letter, color: toRgb(palette[color].light) })),
  );
  const start = left + Math.round((width - letters.length * advance + scale) / 2);
  for (const [i, { letter, color }] of letters.entries()) {
    for (let y = 0; y < glyphHeight * scale; y++) {
      for (let x = 0; x < glyphWidth * scale; x++) {
        const isSet = isInk(letter, Math.floor(x / scale), Math.floor(y / scale));
        if (isSet) canvas.set(start + i * advance + x, top + y, color, 1);
      }
    }
  }
}

const toRgb = (hex: string): [number, number, number] => [
  Number.parseInt(hex.slice(1, 3), 16),
  Number.parseInt(hex.slice(3, 5), 16),
  Number.parseInt(hex.slice(5, 7), 16),
];

function sizes({ images }: ImageGrid): { count: number; height: number; width: number; channels: 1 | 3 | 4 } {
  const [count, height, width, channels] = images.shape;
  if (images.dtype !== 'uint8' || images.shape.length !== 4 || !(channels === 1 || channels === 3 || channels === 4)) {
    fail(
      `imageGrid: images must be uint8 [n, height, width, 1 | 3 | 4]: got ${images.dtype} [${images.shape.join(', ')}]`,
      'Scale them to 0 … 255, round, and put the channels last.',
    );
  }
  return { count: count!, height: height!, width: width!, channels };
}

/** The bytes of one picture, as they are shown on a light page. */
function pixelsOf(grid: ImageGrid, index: number): Uint8Array {
  const { height, width, channels } = sizes(grid);
  const length = height * width * channels;
  const pixels = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const value = grid.images.data[index * length + i]!;
    const isAlpha = channels === 4 && i % 4 === 3;
    pixels[i] = grid.look === 'ink' && !isAlpha ? 255 - value : value;
  }
  return pixels;
}

function dataUri(grid: ImageGrid, index: number): string {
  const { height, width, channels } = sizes(grid);
  const png = encodePng({ dtype: 'uint8', shape: [height, width, channels], data: pixelsOf(grid, index) });
  return `data:image/png;base64,${btoa(String.fromCharCode(...png))}`;
}
