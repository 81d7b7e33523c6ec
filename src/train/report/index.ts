/**
 * report: from what a run measured to pictures and a page that people read.
 * Pure functions from data to the text of SVG and HTML and the bytes of PNG; files are written by the run folder.
 * Charts load Plot at first use and are therefore async.
 */
export {
  type ClassificationReport,
  type CurveRecord,
  classificationReport,
  type ReportFiles,
} from './classification-report.js';
export { type ColoredText, coloredTextHtml } from './colored-text.js';
export { type Confusion, commonMistakes, confusionTableHtml } from './confusion.js';
export { type HeatMap, heatMap } from './heat-map.js';
export { type Table, tableHtml } from './html.js';
export { type Caption, type ImageGrid, imageGridHtml, imageGridPng, imageGridSvg } from './image-grid.js';
export { type Axis, type LineChart, lineChart, type Point, type Series } from './line-chart.js';
export { type Block, type Figure, type ReportPage, reportPage, type Section } from './page.js';
