/**
 * Problems that nobody chose for Kiln: the sizes of oneDNN's own tests (benchdnn, Apache-2.0), drawn by a seed, so that
 * no schedule can be made for a shape. The files lie in a folder beside the repository, which a clone may not have.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type BenchCase, type ConvCase, directions, flopsOf, type GemmCase, type Pair } from './cases.js';

/** The folder of the shapes, or undefined where there is none: KILN_SHARED_DATA, else ../shared/data of the repository. */
export function shapesFolder(): string | undefined {
  const data = process.env['KILN_SHARED_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
  const folder = `${data}/benchdnn-shapes`;
  return existsSync(`${folder}/conv.jsonl.gz`) ? folder : undefined;
}

export interface DrawOptions {
  readonly count: number;
  readonly seed: number;
  /** Bounds of the multiply-adds of one run. */
  readonly minMacs?: number;
  readonly maxMacs?: number;
  /** Which kinds to draw from; both by default. */
  readonly kinds?: readonly ('conv' | 'gemm')[];
}

/** `count` problems, the same for the same seed; the direction of a convolution is drawn too. */
export function drawShapes(folder: string, options: DrawOptions): BenchCase[] {
  const { count, seed, minMacs = 0, maxMacs = Number.POSITIVE_INFINITY, kinds = ['conv', 'gemm'] } = options;
  const random = mulberry32(seed);
  const fits = (problem: BenchCase) => {
    const macs = flopsOf(problem) / 2;
    return macs >= minMacs && macs <= maxMacs;
  };
  const convs = kinds.includes('conv') ? [...readConvs(folder), ...readDeconvs(folder)] : [];
  const gemms = kinds.includes('gemm') ? readGemms(folder) : [];
  const problems: BenchCase[] = [...convs, ...gemms].filter(fits);
  const drawn: BenchCase[] = [];
  while (drawn.length < count && problems.length > 0) {
    const at = Math.floor(random() * problems.length);
    const problem = problems[at]!;
    problems[at] = problems.at(-1)!;
    problems.pop();
    const direction = directions[Math.floor(random() * directions.length)]!;
    drawn.push(problem.kind === 'conv' && problem.direction === 'forward' ? named({ ...problem, direction }) : problem);
  }
  return drawn;
}

/** A line of conv.jsonl.gz or deconv.jsonl.gz; lists run depth, height, width. */
interface Line {
  readonly n: number;
  readonly groups: number;
  readonly inputChannels: number;
  readonly filters: number;
  readonly spatial: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly padding: readonly number[];
  /** Of its own, and possibly negative: then the last inputs are not used. */
  readonly paddingRight: readonly number[];
  /** 0 is dense. */
  readonly dilation: readonly number[];
  readonly output: readonly number[];
}

function readLines(file: string): unknown[] {
  const text = gunzipSync(readFileSync(file)).toString('utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

const readConvs = (folder: string): ConvCase[] =>
  (readLines(`${folder}/conv.jsonl.gz`) as Line[]).flatMap((line) => convOf(line, 'forward'));

/** A deconvolution is the input gradient of the convolution that leads the other way. */
const readDeconvs = (folder: string): ConvCase[] =>
  (readLines(`${folder}/deconv.jsonl.gz`) as Line[]).flatMap((line) => {
    const { spatial, output, inputChannels, filters } = line;
    const turned = { ...line, spatial: output, output: spatial, inputChannels: filters, filters: inputChannels };
    return convOf(turned, 'inputGradient');
  });

/** Products of two matrices; those with leading axes are left out. */
const readGemms = (folder: string): GemmCase[] =>
  (readLines(`${folder}/matmul.jsonl.gz`) as { a: number[]; b: number[] }[]).flatMap(({ a, b }) => {
    if (a.length !== 2 || b.length !== 2) return [];
    const [m, k, n] = [a[0]!, a[1]!, b[1]!];
    return [{ kind: 'gemm', name: `benchdnn gemm ${m}x${n}x${k}`, m, n, k }];
  });

/** The line as a 2-D convolution, after axes on which nothing happens are dropped; none if three axes are left. */
function convOf(line: Line, direction: ConvCase['direction']): ConvCase[] {
  const idle = (axis: number) =>
    line.spatial[axis] === 1 && line.kernel[axis] === 1 && line.output[axis] === 1 && line.padding[axis] === 0;
  const axes = [...line.spatial.keys()];
  const kept = axes.length <= 2 ? axes : axes.filter((axis) => !idle(axis));
  if (kept.length > 2) return [];
  const pair = (values: readonly number[], missing: number): Pair => {
    const two = kept.map((axis) => values[axis]!);
    while (two.length < 2) two.unshift(missing);
    return [two[0]!, two[1]!];
  };
  const before = pair(line.padding, 0);
  const after = pair(line.paddingRight, 0);
  const dilation = pair(line.dilation, 0);
  return [
    named({
      kind: 'conv',
      name: '',
      direction,
      batch: line.n,
      groups: line.groups,
      inputChannels: line.inputChannels,
      filters: line.filters,
      spatial: pair(line.spatial, 1),
      kernel: pair(line.kernel, 1),
      strides: pair(line.strides, 1),
      padding: [
        [before[0], after[0]],
        [before[1], after[1]],
      ],
      dilation: [dilation[0] + 1, dilation[1] + 1],
      output: pair(line.output, 1),
    }),
  ];
}

function named(problem: ConvCase): ConvCase {
  const { batch, groups, inputChannels, spatial, filters, kernel, strides, padding, dilation, direction } = problem;
  const parts = [
    `benchdnn conv ${batch},${inputChannels},${spatial.join('x')},${filters}`,
    `k${kernel.join('x')}`,
    strides.some((size) => size !== 1) && `s${strides.join('x')}`,
    padding.flat().some((size) => size !== 0) && `p${padding.map((side) => side.join(':')).join('x')}`,
    dilation.some((size) => size !== 1) && `d${dilation.join('x')}`,
    groups !== 1 && `g${groups}`,
    direction,
  ];
  return { ...problem, name: parts.filter((part) => part !== false).join(' ') };
}

/** Uniform numbers in [0, 1) from a 32-bit seed (Tommy Ettinger's mulberry32, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
