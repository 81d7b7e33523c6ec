import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { readTexts, textStreams, Vocabulary } from '../../src/data/index.js';

test('a vocabulary numbers characters in order, and gives the text back', () => {
  const vocabulary = Vocabulary.of('hello, 🌍é');
  assert.equal(vocabulary.symbols.join(''), ' ,ehloé🌍');
  assert.deepEqual([...vocabulary.encode('ol🌍')], [5, 4, 7]);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const own = Vocabulary.of(text);
      assert.equal(own.decode(own.encode(text)), text);
    }),
  );
  assert.throws(() => vocabulary.encode('hex', 'the prime'), {
    message:
      'the prime: "x" at character 2 is not among the 8 characters that the network knows\n' +
      '  It knows " ,ehloé🌍".',
  });
});

test('more than 256 characters take 32-bit numbers', () => {
  const text = Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join('');
  const vocabulary = Vocabulary.of(text);
  assert.ok(vocabulary.encode(text) instanceof Int32Array);
  const { train } = textStreams(vocabulary.encode(text), {
    name: 'han',
    batchSize: 2,
    sequenceLength: 4,
    validation: 0.1,
  });
  assert.equal(train.fields['inputs']!.dtype, 'int32');
});

test('streams go on in the same row of the next batch, and end with the validation', () => {
  // 1 + 2 streams of 4 batches of 3 characters
  const numbers = Uint8Array.from({ length: 25 }, (_, i) => i);
  const { train, validation } = textStreams(numbers, {
    name: 'abc',
    batchSize: 2,
    sequenceLength: 3,
    validation: 0.25,
  });
  const rows = (data: ArrayLike<number>): number[][] =>
    Array.from({ length: data.length / 3 }, (_, i) => Array.from({ length: 3 }, (_, j) => data[3 * i + j]!));
  assert.deepEqual(rows(train.fields['inputs']!.data), [
    [0, 1, 2],
    [12, 13, 14],
    [3, 4, 5],
    [15, 16, 17],
    [6, 7, 8],
    [18, 19, 20],
  ]);
  assert.deepEqual(rows(train.fields['targets']!.data)[1], [13, 14, 15]);
  assert.deepEqual(rows(validation.fields['inputs']!.data), [
    [9, 10, 11],
    [21, 22, 23],
  ]);
  assert.deepEqual(rows(validation.fields['targets']!.data)[1], [22, 23, 24]);
});

test('whatever the sizes, each character but the last follows its input', () => {
  fc.assert(
    fc.property(
      fc.nat(200),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 7 }),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      (length, batchSize, sequenceLength, fraction) => {
        const numbers = Uint8Array.from({ length: length + 2 * batchSize * sequenceLength + 1 }, (_, i) => i % 251);
        const { train, validation } = textStreams(numbers, {
          name: 'x',
          batchSize,
          sequenceLength,
          validation: fraction,
        });
        assert.ok(train.length >= batchSize && validation.length >= batchSize);
        assert.equal(train.length % batchSize, 0);
        for (const { fields } of [train, validation]) {
          const [inputs, targets] = [fields['inputs']!.data, fields['targets']!.data];
          inputs.forEach((input, i) => {
            assert.equal(targets[i], (input + 1) % 251);
          });
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('a text that is too short says what would do', () => {
  const short =
    (length: number, batchSize: number): (() => unknown) =>
    () =>
      textStreams(new Uint8Array(length), { name: 'haiku.txt', batchSize, sequenceLength: 10, validation: 0.05 });
  assert.throws(short(100, 8), {
    message:
      'haiku.txt: has 100 characters, two batches of 8 × 10 take 161\n  Take more text, or a batch size of 4 at most.',
  });
  assert.throws(short(20, 8), {
    message:
      'haiku.txt: has 20 characters, two batches of 8 × 10 take 161\n  Take more text, or a shorter sequence length.',
  });
});

test('files are read one after another; what is no text is said', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kiln-text-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const [a, b] = [await file('a', '\ufeffone '), await file('b', 'zwei €')];
  const { text, hashes } = await readTexts([a, b]);
  assert.equal(text, 'one zwei €');
  assert.deepEqual(Object.keys(hashes), [a, b]);
  const empty = await file('empty', '');
  await assert.rejects(readTexts([empty]), {
    message: `${empty}: is empty\n  Give a file with some thousand characters of text.`,
  });
  const latin = await file('latin', Buffer.from('euro\ncaf\xe9 noir', 'latin1'));
  await assert.rejects(readTexts([latin]), {
    message:
      `${latin}: is not UTF-8: byte 0xe9 at 8, line 2\n` +
      `  Convert it, for example \`iconv -f latin1 -t utf-8 ${latin} > text.txt\`, if it is text.`,
  });
  const cut = await file('cut', Buffer.from('zwei €').subarray(0, -1));
  await assert.rejects(readTexts([cut]), /is not UTF-8: byte 0xe2 at 5, line 1/);
  const wide = await file('wide', Buffer.from('\ufeffabc', 'utf16le'));
  await assert.rejects(
    readTexts([wide]),
    /is not UTF-8: byte 0xff at 0, line 1\n {2}Convert it, for example `iconv -f utf-16 /,
  );
  await assert.rejects(readTexts([join(folder, 'none')]), /none: cannot read: no such file or folder \(ENOENT\)/);
});
