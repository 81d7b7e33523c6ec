import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HostArray } from '../../src/core/dtype.js';
import { FormatError, KilnError } from '../../src/core/errors.js';
import { decodeImage, encodePng, type ImageOptions, readImage, toChannels } from '../../src/data/index.js';
import { decodeSafetensors } from '../../src/formats/index.js';
import { survivesDamage } from '../formats/fuzz.js';
import { chunk, joined, pngOf, signature, withChecksums } from './png.js';

const goldenPath = new URL('../../../tests/data/golden/images.safetensors', import.meta.url);
const golden = decodeSafetensors(new Uint8Array(readFileSync(goldenPath)), 'images.safetensors').tensors;
const fileOf = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(golden.get(name)!.data);

const hasSharp = await import('sharp').then(
  () => true,
  () => false,
);
const decoders = [
  { decoder: 'sharp', skip: hasSharp ? false : 'sharp is not installed here' },
  { decoder: 'pure', skip: false },
] as const;

/** Largest and mean difference of two pictures of one shape. */
function difference(a: HostArray, b: HostArray): { most: number; mean: number } {
  assert.deepEqual([...a.shape], [...b.shape]);
  let most = 0;
  let sum = 0;
  a.data.forEach((value, i) => {
    const apart = Math.abs(value - b.data[i]!);
    most = Math.max(most, apart);
    sum += apart;
  });
  return { most, mean: sum / a.data.length };
}

async function thrown(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => assert.fail('nothing was thrown'),
    (error: Error) => error,
  );
}

for (const { decoder, skip } of decoders) {
  for (const name of [...golden.keys()].filter((key) => /\.(png|jpg)$/.test(key))) {
    test(`${decoder}: ${name} is decoded as Pillow does`, { skip }, async () => {
      const isPng = name.endsWith('.png');
      const image = await decodeImage(fileOf(name), name, { channels: isPng ? 4 : 3, decoder });
      const { most, mean } = difference(image, golden.get(`${name} pixels`)!);
      // a JPEG's rounding and upsampling of colour are the decoder's own
      assert.ok(isPng ? most === 0 : mean < 2.5, `differs by up to ${most}, ${mean} in the mean`);
    });
  }

  test(`${decoder}: damaged pictures end in an error or in a picture`, { skip }, async () => {
    const check = ({ shape, data }: HostArray): void => {
      assert.equal(shape[0]! * shape[1]! * shape[2]!, data.length);
    };
    for (const name of ['rgba.png', 'palette-alpha.png', 'rgb.jpg', 'progressive.jpg', 'grey-restart.jpg']) {
      const decode = (bytes: Uint8Array<ArrayBuffer>) => decodeImage(bytes, 'x', { decoder });
      await survivesDamage(fileOf(name), decode, check, { runs: 150, reach: 700 });
      const repaired = name.endsWith('.png') ? { repair: withChecksums } : {};
      await survivesDamage(fileOf(name), decode, check, { runs: 150, ...repaired });
    }
  });

  for (const { note, bytes, says } of lies()) {
    test(`${decoder}: a lying picture is told: ${note}`, { skip }, async () => {
      const error = await thrown(decodeImage(bytes, 'x', { decoder }));
      assert.ok(error instanceof FormatError, error.stack);
      assert.equal(error.message, says);
    });
  }
}

/** Pictures whose claims must be refused before anything is decoded, whatever decodes. */
function lies(): { note: string; bytes: Uint8Array<ArrayBuffer>; says: string }[] {
  const cut = '  The file is not whole: copy or download it again.';
  const broken = '  The file is damaged: get it again, or save it anew.';
  const rgb = fileOf('rgb.png');
  const jpg = fileOf('rgb.jpg');
  const sizeAt = jpg.findIndex((byte, i) => byte === 0xff && jpg[i + 1] === 0xc0) + 5;
  const claiming = (size: readonly number[]): Uint8Array<ArrayBuffer> => {
    const copy = jpg.slice();
    copy.set(size, sizeAt);
    return copy;
  };
  return [
    {
      note: 'empty',
      bytes: new Uint8Array(0),
      says: 'x: neither PNG nor JPEG: is empty\n  Save the picture as PNG or JPEG.',
    },
    {
      note: 'a GIF',
      bytes: new TextEncoder().encode('GIF89a'),
      says: 'x: neither PNG nor JPEG: begins with 47 49 46 38\n  Save the picture as PNG or JPEG.',
    },
    {
      note: 'a PNG cut in a chunk',
      bytes: rgb.slice(0, 100),
      says: `x: ends after 100 bytes, inside chunk IDAT (${rgb.length - 57} bytes from 41)\n${cut}`,
    },
    {
      note: 'a PNG cut between chunks',
      bytes: rgb.slice(0, 33),
      says: `x: ends after 33 bytes, before its last chunk\n${cut}`,
    },
    {
      note: 'a PNG with a flipped bit',
      bytes: rgb.with(60, rgb[60]! ^ 1) as Uint8Array<ArrayBuffer>,
      says: `x: broken PNG: chunk IDAT at byte 33 fails its checksum\n${broken}`,
    },
    {
      note: 'a PNG without header',
      bytes: joined(signature, chunk('IEND', new Uint8Array(0))),
      says: `x: broken PNG: it begins with chunk IEND instead of IHDR\n${broken}`,
    },
    {
      note: 'a PNG of 5 bits',
      bytes: pngOf({ width: 1, height: 1, depth: 5, rows: new Uint8Array(2) }),
      says: `x: broken PNG: its header has depth, colour type and methods 5 0 0 0 0\n${broken}`,
    },
    {
      note: 'a PNG of no pixels',
      bytes: pngOf({ width: 0, height: 5, rows: new Uint8Array(5) }),
      says: 'x: its header claims 0 × 5 pixels\n  The file is damaged: get it again.',
    },
    {
      note: 'a PNG of 4 gigapixels',
      bytes: pngOf({ width: 65536, height: 65536, rows: new Uint8Array(9) }),
      says: 'x: has 65536 × 65536 pixels, 4294967296 (at most 100000000)\n  Scale it down with another program first.',
    },
    {
      note: 'a PNG of more pixels than its bytes can hold',
      bytes: pngOf({ width: 9000, height: 9000, rows: new Uint8Array(9) }),
      says: 'x: its header claims 9000 × 9000 pixels, 81000000, its bytes can hold at most 11350\n  The file is damaged or cut short: get it again.',
    },
    {
      note: 'a JPEG cut short',
      bytes: jpg.slice(0, 800),
      says: `x: ends after 800 bytes, before its end marker\n${cut}`,
    },
    {
      note: 'a JPEG of 3 gigapixels',
      bytes: claiming([0xe0, 0x00, 0xd0, 0x00]),
      says: 'x: has 53248 × 57344 pixels, 3053453312 (at most 100000000)\n  Scale it down with another program first.',
    },
    {
      note: 'a JPEG of more pixels than its bytes can hold',
      bytes: claiming([0x20, 0x00, 0x20, 0x00]),
      says: `x: its header claims 8192 × 8192 pixels, 67108864, its bytes can hold at most ${jpg.length * 512}\n  The file is damaged or cut short: get it again.`,
    },
    {
      note: 'a JPEG of nothing',
      bytes: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9),
      says: `x: broken JPEG: it holds no picture\n${broken}`,
    },
  ];
}

test('pure: a PNG that inflates to more than its header tells is refused before it is decoded', async () => {
  const bomb = pngOf({ width: 8, height: 8, rows: new Uint8Array(50_000_000) });
  const before = process.memoryUsage().rss;
  const error = await thrown(decodeImage(bomb, 'x', { decoder: 'pure' }));
  assert.equal(
    error.message,
    'x: broken PNG: its pixels inflate to more than 72 bytes\n  The file is damaged: get it again, or save it anew.',
  );
  assert.ok(process.memoryUsage().rss - before < 40_000_000);
  const short = pngOf({ width: 8, height: 8, rows: new Uint8Array(71) });
  assert.match((await thrown(decodeImage(short, 'x', { decoder: 'pure' }))).message, /inflate to 71 of 72 bytes/);
});

test('pure: an interlaced PNG is read, one of few bits is told to need sharp', async () => {
  // 2 × 1 pixels: pass 1 holds the first, pass 6 the second, each row with its filter byte
  const interlaced = pngOf({ width: 2, height: 1, interlace: 1, rows: Uint8Array.of(0, 10, 0, 20) });
  assert.deepEqual([...(await decodeImage(interlaced, 'x', { channels: 1, decoder: 'pure' })).data], [10, 20]);
  const bits = pngOf({ width: 2, height: 1, depth: 1, interlace: 1, rows: Uint8Array.of(0, 128, 0, 0) });
  assert.equal(
    (await thrown(decodeImage(bits, 'x', { decoder: 'pure' }))).message,
    'x: an interlaced PNG of 1 bits a sample, which only sharp reads\n  Install it with `npm install sharp`, or save the picture without interlacing.',
  );
});

test('a JPEG of a thousand scans is refused', async () => {
  const jpg = fileOf('rgb.jpg');
  const scanAt = jpg.findIndex((byte, i) => byte === 0xff && jpg[i + 1] === 0xda);
  const scan = jpg.slice(scanAt, scanAt + 20);
  const bytes = joined(jpg.slice(0, scanAt), ...new Array<Uint8Array>(1000).fill(scan), jpg.slice(scanAt));
  for (const decoder of ['pure', undefined] as const) {
    const options: ImageOptions = decoder ? { decoder } : {};
    assert.match(
      (await thrown(decodeImage(bytes, 'x', options))).message,
      /^x: broken JPEG: it has more than 100 scans\n/,
    );
  }
});

test('pictures are read from files, colour unless told', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kiln-images-'));
  const path = join(folder, 'rgb.png');
  await writeFile(path, fileOf('rgb.png'));
  assert.deepEqual([...(await readImage(path)).shape], [23, 37, 3]);
  const grey = await readImage(path, { channels: 1 });
  assert.deepEqual([...grey.data], [...golden.get('rgb as grey')!.data]);
  await rm(folder, { recursive: true });
  const error = await thrown(readImage(path));
  assert.ok(error instanceof KilnError);
  assert.match(error.message, /rgb\.png: cannot read: no such file or folder \(ENOENT\)\n/);
});

test('what is transparent becomes white', () => {
  const image: HostArray = { dtype: 'uint8', shape: [1, 3, 2], data: Uint8Array.of(0, 0, 0, 255, 100, 51) };
  assert.deepEqual([...toChannels(image, 1).data], [255, 0, 224]);
  assert.deepEqual([...toChannels(image, 4).data], [0, 0, 0, 0, 0, 0, 0, 255, 100, 100, 100, 51]);
});

test('PNG files round-trip through both decoders', async () => {
  const picture = fc
    .tuple(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(1 as const, 3 as const, 4 as const),
    )
    .chain(([height, width, channels]) => {
      const length = height * width * channels;
      return fc.uint8Array({ minLength: length, maxLength: length }).map((data) => ({ height, width, channels, data }));
    });
  await fc.assert(
    fc.asyncProperty(picture, async ({ height, width, channels, data }) => {
      const bytes = encodePng({ dtype: 'uint8', shape: [height, width, channels], data });
      for (const { decoder, skip } of decoders) {
        if (skip) continue;
        const read = await decodeImage(new Uint8Array(bytes), 'x', { channels, decoder });
        assert.deepEqual([[...read.shape], [...read.data]], [[height, width, channels], [...data]]);
      }
    }),
    { numRuns: 60 },
  );
});

test('arrays that are no picture are told', () => {
  const floats: HostArray = { dtype: 'float32', shape: [2, 2, 1], data: new Float32Array(4) };
  assert.throws(() => encodePng(floats), {
    message:
      'encodePng: float32 [2, 2, 1] is no picture (uint8 [height, width, 1 to 4])\n  Give bytes with the channels last.',
  });
});
