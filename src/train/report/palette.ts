/**
 * Colours of charts, grids and the page, each for light and for dark.
 * Marks carry the light one as an attribute, so that viewers without style sheets show it; the style sheet holds the dark one.
 */
export interface Shade {
  readonly light: string;
  readonly dark: string;
}

export const palette = {
  surface: { light: '#ffffff', dark: '#1f1d1b' },
  text: { light: '#1c1917', dark: '#f5f4f2' },
  muted: { light: '#6b645e', dark: '#a8a29c' },
  line: { light: '#e4e1dd', dark: '#3a3734' },
  train: { light: '#2563eb', dark: '#6ea8ff' },
  validation: { light: '#d9580d', dark: '#ff9a52' },
  third: { light: '#0f8a6d', dark: '#3fcfa8' },
  fourth: { light: '#9333ea', dark: '#c58cff' },
  right: { light: '#0f766e', dark: '#17877d' },
  wrong: { light: '#dc4a12', dark: '#e8622a' },
  /** A predicted label: red, as the field has it. */
  red: { light: '#d11f1f', dark: '#ff7a70' },
  /** A true label: blue. */
  blue: { light: '#1d4fd7', dark: '#7db0ff' },
} as const satisfies Record<string, Shade>;

export type ColorName = keyof typeof palette;

/** What a curve may be drawn in, in the order in which charts take them. */
export const seriesColors = ['train', 'validation', 'third', 'fourth'] as const satisfies readonly ColorName[];

export const fontFamily = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** Style sheet of one SVG under `scope`: text and lines, and everything of class `fill-NAME` or `stroke-NAME`. */
export function svgStyle(scope: string): string {
  const rules = (shade: keyof Shade): string =>
    Object.entries(palette)
      .map(([name, color]) => {
        const value = color[shade];
        return `${scope} .fill-${name}{fill:${value}}${scope} .stroke-${name}{stroke:${value}}`;
      })
      .join('');
  return (
    `${scope}{color-scheme:light dark;color:${palette.muted.light};max-width:100%;height:auto;display:block}` +
    `${scope} text{white-space:pre}` +
    rules('light') +
    `@media (prefers-color-scheme:dark){${scope}{color:${palette.muted.dark}}${rules('dark')}}`
  );
}
