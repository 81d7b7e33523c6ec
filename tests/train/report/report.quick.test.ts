import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHTML } from 'linkedom';
import { decodeImage } from '../../../src/data/index.js';
import {
  classificationReport,
  heatMap,
  imageGridPng,
  imageGridSvg,
  lineChart,
  reportPage,
} from '../../../src/train/index.js';
import { summarize } from '../../../src/train/report/line-chart.js';
import { exampleImages, exampleReport } from './example.js';

const files = await classificationReport(exampleReport());
const html = files.get('report.html') as string;
const { document } = parseHTML(html);

test('the report and each of its pictures are files', () => {
  assert.deepEqual([...files.keys()].sort(), [
    'accuracy.svg',
    'confusion-matrix.svg',
    'loss.svg',
    'mistakes.png',
    'mistakes.svg',
    'report.html',
  ]);
});

test('the page needs neither network nor script', () => {
  assert.equal(document.querySelectorAll('script, link, iframe, object').length, 0);
  for (const element of document.querySelectorAll('[src], [href]')) {
    const address = element.getAttribute('src') ?? element.getAttribute('href');
    assert.match(address, /^data:image\/png;base64,/);
  }
  const addresses = html.match(/\b(?:https?:)?\/\/[\w.]+[^\s"'<]*/g) ?? [];
  // the name of SVG's namespace is no address that is fetched
  assert.deepEqual(
    addresses.filter((address) => address !== 'http://www.w3.org/2000/svg'),
    [],
  );
  assert.ok(!/@import|url\((?!#)/.test(html));
  assert.match(document.querySelector('meta[http-equiv]').getAttribute('content'), /default-src 'none'/);
});

test('the confusion matrix is a table with heads, rows predicted and columns true', () => {
  const table = document.querySelector('table.confusion');
  assert.equal(table.querySelector('caption').textContent, 'Images. Rows: predicted. Columns: true.');
  const row = table.querySelectorAll('tbody tr')[2];
  assert.equal(row.querySelector('th[scope=row]').textContent, '2');
  assert.deepEqual(
    [...row.querySelectorAll('td')].map((cell) => cell.textContent),
    ['0', '3', '1026', '2', '0', '0', '0', '11', '1', '0', '98.4'],
  );
  const heads = [...table.querySelectorAll('thead th[scope=col]')].map((cell) => cell.textContent);
  assert.deepEqual(heads, ['predicted', ...'0123456789', 'precision, %']);
  assert.equal(table.querySelector('tfoot').textContent, 'recall, %99.599.499.499.499.199.498.798.299.198.4');
});

test('the page has the curves, the heat map, the mistakes, the network and the options', () => {
  const headings = [...document.querySelectorAll('h2')].map((heading) => heading.textContent);
  assert.deepEqual(headings, ['Training', 'Confusion matrix', 'Misclassified digits', 'Network', 'Options']);
  const labels = [...document.querySelectorAll('figure > svg')].map((svg) => svg.getAttribute('aria-label'));
  assert.deepEqual(labels, [
    'Loss: train 0.0527, validation 0.0495',
    'Accuracy: train 98.24 %, validation 98.80 %',
    'Confusion matrix',
  ]);
  const mistakes = document.querySelectorAll('.images figure');
  assert.equal(mistakes.length, 12);
  assert.equal(mistakes[1].querySelector('img').getAttribute('alt'), 'predicted 1, true 4');
  assert.equal(mistakes[1].querySelector('.red').textContent, '1');
  assert.equal(mistakes[1].querySelector('.blue').textContent, '4');
  assert.match(document.body.textContent, /The first 12 of 93\. Red: predicted\. Blue: true\./);
  assert.match(
    html,
    /Most frequent mistakes<\/caption>.*?<tr><th scope="row">7<\/th><td>2<\/td><td class="number">11<\/td><td class="number">1\.1<\/td>/,
  );
  assert.match(html, /<th scope="row">&#60;b&#62;<\/th><td>&#34;&#38;&#39;<\/td>/);
  assert.match(html, /<th scope="row">limit<\/th><td>–<\/td>/);
});

test('every picture of the page is described', () => {
  for (const svg of document.querySelectorAll('figure > svg')) assert.ok(svg.getAttribute('aria-label'));
  for (const image of document.querySelectorAll('img')) assert.ok(image.getAttribute('alt'));
});

test('the same input gives the same bytes', async () => {
  const again = await classificationReport(exampleReport());
  for (const [name, bytes] of files) assert.deepEqual(again.get(name), bytes, name);
});

test('SVG files are well-formed, sized, and carry both colour schemes', () => {
  for (const [name, bytes] of files) {
    if (!name.endsWith('.svg')) continue;
    const svg = bytes as string;
    assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/, name);
    assert.match(svg, /viewBox="0 0 \d+ \d+"/, name);
    assert.match(svg, /prefers-color-scheme:dark/, name);
    assert.ok(!/NaN|undefined/.test(svg), `${name} has a number that is none`);
    assert.deepEqual(unclosedTags(svg), [], name);
  }
});

/** Tags that are open at the end, or closed out of turn. */
function unclosedTags(xml: string): string[] {
  const open: string[] = [];
  for (const [, slash, name, selfClosed] of xml.matchAll(/<(\/?)([a-zA-Z]+)(?:[^<>"']|"[^"]*"|'[^']*')*?(\/?)>/g)) {
    if (slash) assert.equal(open.pop(), name);
    else if (!selfClosed) open.push(name!);
  }
  return open;
}

test('the grid of digits as PNG: ink on white, predicted in red and true in blue beneath', async () => {
  const png = files.get('mistakes.png') as Uint8Array;
  const { shape, data } = await decodeImage(new Uint8Array(png), 'mistakes.png');
  const [height, width, channels] = shape as [number, number, number];
  assert.deepEqual([height, width], [12 + 2 * 90, 12 + 10 * 68]);
  const colors = new Set<string>();
  for (let i = 0; i < height * width; i++) colors.add(data.slice(i * channels, i * channels + 3).join(','));
  assert.deepEqual([...colors].sort(), ['0,0,0', '209,31,31', '255,255,255', '29,79,215']);
});

test('grids without pictures, of colour pictures and with transparency', () => {
  const empty = { title: 'None', images: exampleImages(0), captions: [] };
  assert.ok(imageGridPng(empty).length > 0);
  assert.match(imageGridSvg(empty), /None<\/text><\/svg>$/);
  for (const channels of [3, 4]) {
    const images = { dtype: 'uint8', shape: [2, 8, 6, channels], data: new Uint8Array(2 * 8 * 6 * channels) } as const;
    assert.ok(imageGridPng({ title: '', images, captions: [[], []] }).length > 0);
  }
  const wrong = { dtype: 'float32', shape: [2, 8, 6, 2], data: new Float32Array(192) } as const;
  assert.throws(() => imageGridSvg({ title: '', images: wrong, captions: [] }), {
    message:
      'imageGrid: images must be uint8 [n, height, width, 1 | 3 | 4]: got float32 [2, 8, 6, 2]\n  Scale them to 0 … 255, round, and put the channels last.',
  });
});

test('charts without points, with one, with NaN and with a flat line are charts', async () => {
  const chart = (points: readonly (readonly [number, number])[], scale: 'linear' | 'log') =>
    lineChart({ title: 'T', x: { label: 'x' }, y: { label: 'y', scale }, series: [{ name: 'a', points }] });
  for (const scale of ['linear', 'log'] as const) {
    assert.match(await chart([], scale), /a none yet/);
    assert.match(await chart([[5, 0.5]], scale), /<circle/);
    assert.ok(
      !(
        await chart(
          [
            [1, Number.NaN],
            [2, 0],
            [3, 1],
            [4, Number.POSITIVE_INFINITY],
          ],
          scale,
        )
      ).includes('NaN'),
    );
    assert.ok(
      !(
        await chart(
          [
            [1, 2],
            [2, 2],
          ],
          scale,
        )
      ).includes('NaN'),
    );
  }
  const matrix = { title: 'M', rowTitle: 'r', columnTitle: 'c', rowLabels: ['<a>'], columnLabels: ['b'] };
  assert.match(await heatMap({ ...matrix, values: [[0]] }), /&lt;a&gt;|&lt;a>/);
});

test('neighbouring points are averaged when there are many, none is lost', () => {
  const few = Array.from({ length: 24 }, (_, i) => [i, i] as const);
  assert.deepEqual(
    summarize(few).map(({ mean }) => mean),
    few.map(([, y]) => y),
  );
  for (const count of [25, 100, 319, 5000]) {
    const buckets = summarize(Array.from({ length: count }, (_, i) => [i, 1] as const));
    assert.ok(buckets.length <= 80 && buckets.every(({ mean, low, high }) => mean === 1 && low === 1 && high === 1));
  }
});

test('a page without facts or sections is a page', () => {
  assert.match(reportPage({ title: '<T>', facts: [], sections: [] }), /<title>&#60;T&#62;<\/title>/);
});
