/** Curves over steps: loss, accuracy, rate. Noisy series are drawn as the mean of neighbouring steps and a band around it. */
import { palette, seriesColors } from './palette.js';
import { drawPlot, type Marks } from './plot.js';

export type Point = readonly [x: number, y: number];

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Draw each point as a dot on the line: for few points, such as one an epoch. */
  readonly dots?: boolean;
}

export interface Axis {
  /** What is measured, with its unit: `accuracy (%)`. */
  readonly label: string;
  readonly scale?: 'linear' | 'log';
  /** Lowest and highest value shown; the data's own when absent. What lies outside is clipped. */
  readonly domain?: readonly [number, number];
  /** A value as the legend prints it. */
  readonly format?: (value: number) => string;
}

export interface LineChart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  /** At most four, in the order of the legend. */
  readonly series: readonly Series[];
  /** Places on the x axis with a thin line each, such as the ends of epochs. */
  readonly rules?: readonly number[];
  readonly width?: number;
  readonly height?: number;
}

interface Bucket {
  readonly x: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

const fontSize = 13;
const margins = { marginTop: 90, marginRight: 20, marginBottom: 48, marginLeft: 52 };

/** The chart as SVG text: title, legend with the last value of each series, axes with units, curves. */
export async function lineChart(chart: LineChart): Promise<string> {
  const { title, x, y, rules = [], width = 480, height = 336 } = chart;
  const series = chart.series.map(({ points, ...rest }) => ({ ...rest, points: points.filter(isDrawable(y)) }));
  const yValues = series.flatMap(({ points }) => summarize(points).flatMap(({ mean, low, high }) => [mean, low, high]));
  const [low, high] = y.domain ?? extent(yValues, y.scale);
  const [left, right] = x.domain ?? extent([0, ...series.flatMap(({ points }) => points.map((point) => point[0]))]);
  return drawPlot({
    width,
    height,
    title: `${title}: ${chart.series.map(({ name, points }) => `${name} ${lastValue(points, y)}`).join(', ')}`,
    options: (plot) => {
      const marks: Marks = [
        plot.gridY({ ticks: y.scale === 'log' ? logTicks(low, high) : 5, className: 'stroke-line', ...lineStyle }),
        plot.ruleX(rules, { stroke: 'currentColor', strokeOpacity: 0.35, strokeDasharray: '2,3' }),
      ];
      for (const [i, { points, dots }] of series.entries()) marks.push(...curveMarks(plot, points, i, dots));
      marks.push(
        ...headMarks(plot, chart),
        plot.axisX({ ...axisStyle, ticks: 5, tickSize: 0, tickPadding: 10, label: null }),
        plot.axisY({
          ...axisStyle,
          ticks: y.scale === 'log' ? logTicks(low, high) : 5,
          tickSize: 0,
          tickPadding: 8,
          label: null,
          // as text, not as a format: d3 leaves out labels of logarithmic axes as it sees fit
          ...(y.scale === 'log' ? { text: (value: number) => String(value) } : {}),
        }),
        plot.text([x.label], { frameAnchor: 'bottom', dy: 40, lineAnchor: 'bottom' }),
        plot.text([y.label], { frameAnchor: 'top-left', dx: 8 - margins.marginLeft, dy: -15, lineAnchor: 'bottom' }),
      );
      return {
        ...margins,
        x: { domain: [left, right] },
        y: { type: y.scale ?? 'linear', domain: [low, high] },
        style: { fontSize: `${fontSize}px` },
        marks,
      };
    },
  });
}

const lineStyle = { stroke: palette.line.light, strokeOpacity: 1 };
const axisStyle = { color: 'currentColor', fontSize };

function curveMarks(plot: Plot, points: readonly Point[], index: number, dots = false): Marks {
  const name = seriesColors[index % seriesColors.length]!;
  const color = palette[name].light;
  const buckets = summarize(points);
  const marks: Marks = [];
  if (buckets.length < points.length) {
    marks.push(
      plot.areaY(buckets, {
        x: 'x',
        y1: 'low',
        y2: 'high',
        fill: color,
        fillOpacity: 0.16,
        className: `fill-${name}`,
        clip: true,
        curve: 'monotone-x',
      }),
    );
  }
  marks.push(
    plot.lineY(buckets, {
      x: 'x',
      y: 'mean',
      stroke: color,
      strokeWidth: 2.25,
      className: `stroke-${name}`,
      clip: true,
      curve: 'monotone-x',
    }),
  );
  if (dots || buckets.length === 1) {
    marks.push(plot.dot(buckets, { x: 'x', y: 'mean', r: 4.5, fill: color, className: `fill-${name}` }));
  }
  return marks;
}

type Plot = Parameters<Parameters<typeof drawPlot>[0]['options']>[0];

/** Title and legend, above the frame. Widths of text are guessed at 0.54 em a character: system fonts differ by a tenth. */
function headMarks(plot: Plot, { title, series, y }: LineChart): Marks {
  const place = { frameAnchor: 'top-left', textAnchor: 'start', lineAnchor: 'middle' } as const;
  const left = 8 - margins.marginLeft;
  const marks: Marks = [
    plot.text([title], {
      ...place,
      dx: left,
      dy: 22 - margins.marginTop,
      fontSize: 16,
      fontWeight: 600,
      fill: palette.text.light,
      className: 'fill-text',
    }),
  ];
  let dx = left;
  for (const [i, { name, points }] of series.entries()) {
    const color = seriesColors[i % seriesColors.length]!;
    const text = `${name} ${lastValue(points, y)}`;
    const dy = 48 - margins.marginTop;
    marks.push(
      plot.dot([0], {
        frameAnchor: 'top-left',
        dx: dx + 5,
        dy,
        r: 5,
        fill: palette[color].light,
        className: `fill-${color}`,
      }),
      plot.text([text], { ...place, dx: dx + 16, dy }),
    );
    dx += 16 + text.length * fontSize * 0.54 + 18;
  }
  return marks;
}

/** Means and the middle 80 % of neighbouring points: as they are when few, about 80 buckets when many. */
export function summarize(points: readonly Point[]): Bucket[] {
  const count = points.length <= 24 ? points.length : Math.min(80, Math.ceil(points.length / 4));
  return Array.from({ length: count }, (_, i) => {
    const part = points.slice(
      Math.floor((i * points.length) / count),
      Math.max(Math.floor(((i + 1) * points.length) / count), 1),
    );
    const values = part.map((point) => point[1]).sort((a, b) => a - b);
    return {
      x: mean(part.map((point) => point[0])),
      mean: mean(values),
      low: quantile(values, 0.1),
      high: quantile(values, 0.9),
    };
  });
}

const isDrawable =
  ({ scale }: Axis) =>
  ([x, y]: Point): boolean =>
    Number.isFinite(x) && Number.isFinite(y) && (scale !== 'log' || y > 0);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function quantile(sorted: readonly number[], fraction: number): number {
  const place = fraction * (sorted.length - 1);
  const below = Math.floor(place);
  return sorted[below]! + (place - below) * (sorted[Math.ceil(place)]! - sorted[below]!);
}

function extent(values: readonly number[], scale?: 'linear' | 'log'): [number, number] {
  if (values.length === 0) return scale === 'log' ? [0.1, 1] : [0, 1];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  if (scale === 'log') return [low * 0.85, high * 1.15];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** 1, 2 and 5 times the powers of ten between two values; the powers alone where those were more than eight. */
function logTicks(low: number, high: number): number[] {
  const ticks = (digits: readonly number[]): number[] => {
    const values: number[] = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      // parsed from text, so that 5e-2 is 0.05 and not 0.05000000000000001
      for (const digit of digits) values.push(Number(`${digit}e${power}`));
    }
    return values.filter((value) => value >= low && value <= high);
  };
  const fine = ticks([1, 2, 5]);
  return fine.length <= 8 ? fine : ticks([1]);
}

function lastValue(points: readonly Point[], { format = (value) => value.toPrecision(3) }: Axis): string {
  const last = summarize(points).at(-1);
  return last ? format(last.mean) : 'none yet';
}
