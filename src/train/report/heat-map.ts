/** A matrix of counts as coloured cells. On the diagonal green, what is right; off it red, what is wrong. */
import { palette } from './palette.js';
import { drawPlot } from './plot.js';

export interface HeatMap {
  readonly title: string;
  /** values[row][column], all ≥ 0 */
  readonly values: readonly (readonly number[])[];
  readonly rowLabels: readonly string[];
  readonly columnLabels: readonly string[];
  readonly rowTitle: string;
  readonly columnTitle: string;
  readonly width?: number;
}

interface Cell {
  readonly row: number;
  readonly column: number;
  readonly value: number;
  readonly strength: number;
}

/**
 * The matrix as SVG text. Strength grows with the logarithm of the count, apart for the diagonal and the rest:
 * a single mistake among a thousand right ones has to be seen.
 */
export async function heatMap(map: HeatMap): Promise<string> {
  const { title, values, rowLabels, columnLabels, rowTitle, columnTitle, width = 480 } = map;
  const cells = toCells(values);
  const right = cells.filter(({ row, column }) => row === column);
  const wrong = cells.filter(({ row, column }) => row !== column);
  const margins = { marginTop: 84, marginRight: 14, marginBottom: 14, marginLeft: 56 };
  const side = (width - margins.marginLeft - margins.marginRight) / Math.max(1, columnLabels.length);
  const height = Math.round(margins.marginTop + margins.marginBottom + side * rowLabels.length);
  const fontSize = Math.min(12.5, side * 0.34);
  return drawPlot({
    width,
    height,
    title,
    options: (plot) => {
      const at = { x: 'column', y: 'row' } as const;
      const cell = (data: Cell[], name: 'right' | 'wrong') =>
        plot.cell(data, {
          ...at,
          fill: palette[name].light,
          fillOpacity: 'strength',
          className: `fill-${name}`,
          inset: 1,
          rx: 3,
        });
      const text = (data: Cell[], color: string, className: string) =>
        plot.text(data, { ...at, text: (d: Cell) => String(d.value), fill: color, className, fontSize });
      const filled = cells.filter(({ value }) => value > 0);
      const axis = { tickSize: 0, tickPadding: 7, label: null, fontSize: Math.min(13, side * 0.6) };
      return {
        ...margins,
        x: { type: 'band', domain: columnLabels.keys(), padding: 0 },
        y: { type: 'band', domain: rowLabels.keys(), padding: 0 },
        opacity: { type: 'identity' },
        marks: [
          plot.cell(cells, {
            ...at,
            fill: palette.line.light,
            fillOpacity: 0.35,
            className: 'fill-line',
            inset: 1,
            rx: 3,
          }),
          cell(right, 'right'),
          cell(wrong, 'wrong'),
          ...(fontSize < 7
            ? []
            : [
                text(
                  filled.filter(({ strength }) => strength >= strong),
                  '#ffffff',
                  'fill-on-strong',
                ),
                text(
                  filled.filter(({ strength }) => strength < strong),
                  palette.text.light,
                  'fill-text',
                ),
              ]),
          plot.axisX({ ...axis, anchor: 'top', tickFormat: (i: number) => columnLabels[i]! }),
          plot.axisY({ ...axis, tickFormat: (i: number) => rowLabels[i]! }),
          plot.text([title], {
            frameAnchor: 'top-left',
            textAnchor: 'start',
            lineAnchor: 'middle',
            dx: 8 - margins.marginLeft,
            dy: 22 - margins.marginTop,
            fontSize: 16,
            fontWeight: 600,
            fill: palette.text.light,
            className: 'fill-text',
          }),
          plot.text([`${columnTitle} →`], {
            frameAnchor: 'top-left',
            textAnchor: 'start',
            lineAnchor: 'bottom',
            dx: 2,
            dy: -28,
          }),
          plot.text([`← ${rowTitle}`], {
            frameAnchor: 'top-left',
            textAnchor: 'end',
            lineAnchor: 'bottom',
            rotate: -90,
            dx: -32,
            dy: 2,
          }),
        ],
      };
    },
  });
}

/** From here on a cell is dark enough for white text. */
const strong = 0.8;

function toCells(values: readonly (readonly number[])[]): Cell[] {
  const cells = values.flatMap((line, row) => line.map((value, column) => ({ row, column, value })));
  const highest = (isRight: boolean): number =>
    cells.reduce((max, { row, column, value }) => ((row === column) === isRight ? Math.max(max, value) : max), 1);
  const [right, wrong] = [highest(true), highest(false)];
  return cells.map((cell) => {
    const top = cell.row === cell.column ? right : wrong;
    const strength = cell.value === 0 ? 0 : 0.12 + 0.78 * (Math.log1p(cell.value) / Math.log1p(top));
    return { ...cell, strength };
  });
}
