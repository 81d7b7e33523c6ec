import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HostArray } from '../../src/core/dtype.js';
import { resize } from '../../src/data/index.js';
import { decodeSafetensors } from '../../src/formats/index.js';

const goldenPath = new URL('../../../tests/data/golden/images.safetensors', import.meta.url);
const golden = decodeSafetensors(new Uint8Array(readFileSync(goldenPath)), 'images.safetensors').tensors;
const pixels = golden.get('rgb.png pixels')!;
const rgb: HostArray = { ...pixels, shape: [23, 37, 3], data: pixels.data.filter((_, i) => i % 4 !== 3) };
const row = (...data: number[]): HostArray => ({
  dtype: 'uint8',
  shape: [1, data.length, 1],
  data: Uint8Array.from(data),
});

for (const { name, height, width, method } of [
  { name: 'rgb at 7 x 10, area', height: 7, width: 10, method: 'area' },
  { name: 'rgb at 50 x 61, bilinear', height: 50, width: 61, method: 'bilinear' },
] as const) {
  test(`${name} is as NumPy and Pillow have it`, () => {
    const expected = golden.get(name)!;
    const { shape, data } = resize(rgb, { height, width, method });
    assert.deepEqual([...shape], [...expected.shape]);
    // Pillow rounds between its two passes as well
    assert.ok(data.every((value, i) => Math.abs(value - expected.data[i]!) <= 1));
    assert.deepEqual(resize(rgb, { height, width }), { dtype: 'uint8', shape, data });
  });
}

test('area takes the mean of what a pixel covers, bilinear the line between centres', () => {
  assert.deepEqual([...resize(row(0, 100, 200), { height: 1, width: 2, method: 'area' }).data], [33, 167]);
  assert.deepEqual([...resize(row(0, 100), { height: 1, width: 4, method: 'bilinear' }).data], [0, 25, 75, 100]);
  assert.deepEqual([...resize(row(5), { height: 2, width: 3 }).data], [5, 5, 5, 5, 5, 5]);
});

test('a plain picture stays plain, and the same size stays the same', () => {
  const size = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(
      size,
      size,
      size,
      size,
      fc.nat(255),
      fc.constantFrom('area' as const, 'bilinear' as const),
      (h, w, height, width, value, method) => {
        const plain: HostArray = { dtype: 'uint8', shape: [h, w, 1], data: new Uint8Array(h * w).fill(value) };
        assert.ok(resize(plain, { height, width, method }).data.every((pixel) => pixel === value));
      },
    ),
  );
  assert.deepEqual(resize(rgb, { height: 23, width: 37 }).data, rgb.data);
});

test('sizes that are none are told', () => {
  assert.throws(() => resize(rgb, { height: 0, width: 3 }), {
    message: 'resize: 0 × 3 is no size\n  Height and width are integers of at least 1.',
  });
  assert.throws(() => resize({ ...rgb, shape: [0, 37, 3], data: new Uint8Array(0) }, { height: 1, width: 1 }), {
    message: 'resize: the picture is empty (0 × 37)\n  Give one with pixels.',
  });
});
