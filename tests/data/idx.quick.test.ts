import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { HostArray } from '../../src/core/dtype.js';
import { FormatError } from '../../src/core/errors.js';
import { sizeOf } from '../../src/core/shape.js';
import { decodeIdx, decodeIdxFile, readIdx } from '../../src/data/index.js';
import { survivesDamage } from '../formats/fuzz.js';
import { idxOf } from './idx-bytes.js';

const images = idxOf(
  8,
  [3, 2, 2],
  Uint8Array.from({ length: 12 }, (_, i) => i * 20),
);

const rows: readonly {
  type: string;
  code: number;
  elements: readonly number[];
  bytes: readonly number[];
  dtype: string;
}[] = [
  { type: 'unsigned bytes', code: 8, elements: [0, 255], bytes: [0, 255], dtype: 'uint8' },
  { type: 'signed bytes', code: 9, elements: [-1, 127], bytes: [255, 127], dtype: 'int32' },
  { type: '16-bit integers', code: 11, elements: [-2, 258], bytes: [255, 254, 1, 2], dtype: 'int32' },
  { type: '32-bit integers', code: 12, elements: [-2, 1], bytes: [255, 255, 255, 254, 0, 0, 0, 1], dtype: 'int32' },
  { type: 'floats', code: 13, elements: [1, -2], bytes: [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], dtype: 'float32' },
  { type: 'doubles', code: 14, elements: [1], bytes: [0x3f, 0xf0, 0, 0, 0, 0, 0, 0], dtype: 'float32' },
];
for (const { type, code, elements, bytes, dtype } of rows) {
  test(`IDX of ${type} is read as ${dtype}`, () => {
    const array = decodeIdx(idxOf(code, [elements.length], Uint8Array.from(bytes)), 'x');
    assert.deepEqual([array.dtype, [...array.shape], [...array.data]], [dtype, [elements.length], elements]);
  });
}

const stopped = '  The download stopped early: get the file again.';
const lies: readonly { note: string; bytes: Uint8Array<ArrayBuffer>; says: string }[] = [
  { note: 'empty', bytes: images.slice(0, 0), says: `x: ends after 0 bytes, inside its header\n${stopped}` },
  { note: 'cut in the sizes', bytes: images.slice(0, 9), says: `x: ends after 9 bytes, inside its header\n${stopped}` },
  { note: 'cut in the elements', bytes: images.slice(0, 20), says: `x: ends after 20 of 28 bytes\n${stopped}` },
  {
    note: 'oversized',
    bytes: Uint8Array.of(...images, 1, 2),
    says: 'x: has 30 bytes, its header [3, 2, 2] tells of 28\n  The file is damaged, or two were joined: get it again.',
  },
  {
    note: 'wrong magic',
    bytes: Uint8Array.of(0x50, 0x4b, 3, 4, 0),
    says: 'x: not an IDX file: begins with 50 4b 03 04 (expected 00 00, one of 08 09 0b 0c 0d 0e, a rank)\n  Is it another file under this name?',
  },
  {
    note: 'gzip',
    bytes: new Uint8Array(gzipSync(images)),
    says: 'x: not an IDX file: begins with 1f 8b 08 00 (expected 00 00, one of 08 09 0b 0c 0d 0e, a rank)\n  It is gzip: read it with readIdx.',
  },
  {
    note: 'sizes that overflow together',
    bytes: idxOf(8, [2 ** 31, 2 ** 31, 4], new Uint8Array(0)),
    says: 'x: its header claims [2147483648, 2147483648, 4], 18446744073709551616 elements (at most 2147483648)\n  The file is damaged: get it again.',
  },
];
for (const { note, bytes, says } of lies) {
  test(`a lying IDX file is told: ${note}`, () => {
    assert.throws(
      () => decodeIdx(bytes, 'x'),
      (error) => {
        assert.ok(error instanceof FormatError);
        assert.equal(error.message, says);
        return true;
      },
    );
  });
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => assert.fail('nothing was thrown'),
    (error: Error) => (error instanceof FormatError ? error.message : assert.fail(error)),
  );
}

test('gzip is read like plain, its lies are told', async () => {
  const big = idxOf(
    8,
    [100, 1000],
    Uint8Array.from({ length: 100_000 }, (_, i) => Math.imul(i, 2654435761) >>> 13),
  );
  const zipped = new Uint8Array(gzipSync(big));
  assert.deepEqual([...(await decodeIdxFile(zipped, 'x')).data], [...big.subarray(12)]);
  assert.match(
    await messageOf(decodeIdxFile(zipped.slice(0, zipped.length >> 1), 'x')),
    /^x: ends after \d+ of 100012 bytes\n/,
  );
  assert.match(await messageOf(decodeIdxFile(zipped.slice(0, 12), 'x')), /^x: ends after 0 bytes, inside its header\n/);
  const flipped = zipped.with(zipped.length - 6, zipped.at(-6)! ^ 1) as Uint8Array<ArrayBuffer>;
  assert.equal(
    await messageOf(decodeIdxFile(flipped, 'x')),
    'x: broken gzip: incorrect data check (Z_DATA_ERROR)\n  The file is damaged: get it again.',
  );
});

test('gzip is inflated no further than its header allows', async () => {
  const bomb = new Uint8Array(gzipSync(idxOf(8, [4], new Uint8Array(80_000_000))));
  const before = process.memoryUsage().rss;
  assert.equal(
    await messageOf(decodeIdxFile(bomb, 'x')),
    'x: has more than 12 bytes, its header [4] tells of 12\n  The file is damaged, or two were joined: get it again.',
  );
  const lie = new Uint8Array(gzipSync(idxOf(8, [2 ** 31], new Uint8Array(10))));
  assert.equal(await messageOf(decodeIdxFile(lie, 'x')), `x: ends after ${lie.length} of 2147483656 bytes\n${stopped}`);
  assert.ok(process.memoryUsage().rss - before < 60_000_000);
});

test('files are read, plain and gzip, and named when they fail', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kiln-idx-'));
  await writeFile(join(folder, 'plain'), images);
  await writeFile(join(folder, 'packed.gz'), gzipSync(images));
  for (const name of ['plain', 'packed.gz']) {
    const { dtype, shape, data } = await readIdx(join(folder, name));
    assert.deepEqual([dtype, [...shape], [...data]], ['uint8', [3, 2, 2], [...images.subarray(16)]]);
    assert.equal(data.constructor, Uint8Array);
  }
  await writeFile(join(folder, 'cut'), images.subarray(0, 20));
  assert.equal(
    await messageOf(readIdx(join(folder, 'cut'))),
    `${join(folder, 'cut')}: ends after 20 of 28 bytes\n${stopped}`,
  );
  await rm(folder, { recursive: true });
});

test('any array of bytes round-trips', () => {
  const shape = fc.array(fc.nat(5), { maxLength: 4 });
  fc.assert(
    fc.property(shape, (sizes) => {
      const elements = Uint8Array.from({ length: sizeOf(sizes) }, (_, i) => i * 7);
      const read = decodeIdx(idxOf(8, sizes, elements), 'x');
      assert.deepEqual([[...read.shape], [...read.data]], [sizes, [...elements]]);
    }),
  );
});

test('damaged files end in an error or in an array that fills its shape', async () => {
  const check = ({ shape, data }: HostArray): void => assert.equal(sizeOf(shape), data.length);
  await survivesDamage(images, (bytes) => decodeIdx(bytes, 'x'), check, { runs: 1000 });
  await survivesDamage(gzipSync(images), (bytes) => decodeIdxFile(bytes, 'x'), check, { runs: 400 });
});
