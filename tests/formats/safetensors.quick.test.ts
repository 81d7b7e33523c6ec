import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { bytesPerElement, type DType, type HostArray, viewAs } from '../../src/core/dtype.js';
import { FormatError } from '../../src/core/errors.js';
import { sizeOf } from '../../src/core/shape.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/formats/index.js';
import { survivesDamage } from './fuzz.js';

const golden = new Uint8Array(
  readFileSync(new URL('../../../tests/formats/golden/numpy.safetensors', import.meta.url)),
);
const float32 = (...data: number[]): HostArray => ({
  dtype: 'float32',
  shape: [data.length],
  data: new Float32Array(data),
});
const uint8 = (...data: number[]): HostArray => ({ dtype: 'uint8', shape: [data.length], data: new Uint8Array(data) });

/** A file with this text as its header and this many bytes behind it. */
function fileOf(header: string, dataBytes: number, claimedLength?: bigint): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimedLength ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

test('a file of the reference implementation is read to the bit', () => {
  const { tensors, metadata } = decodeSafetensors(golden, 'numpy.safetensors');
  const rows = new Map([...tensors].map(([name, { dtype, shape, data }]) => [name, [dtype, [...shape], [...data]]]));
  assert.deepEqual(Object.fromEntries(rows), {
    kernel: ['float32', [2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]],
    scalar: ['float32', [], [-1.5]],
    empty: ['float32', [0, 3], []],
    labels: ['int32', [3], [7, -2, 2 ** 31 - 1]],
    pixels: ['uint8', [1, 3], [0, 128, 255]],
    mask: ['bool', [3], [1, 0, 1]],
    half: ['float16', [3], [0x3c00, 0x3800, 0xc000]],
    double: ['float32', [4], [Math.fround(0.1), 0, Number.POSITIVE_INFINITY, Number.NaN]],
    long: ['int32', [2], [-(2 ** 31), 2 ** 31 - 1]],
    unsigned: ['int32', [2], [0, 65535]],
    byte: ['int32', [2], [-128, 127]],
    'größe/é"': ['uint8', [1], [1]],
    ['__proto__']: ['uint8', [1], [2]],
  });
  assert.deepEqual(metadata, { format: 'np', note: 'ü' });
});

test('the bytes are the ones of the format, and sorted', () => {
  const bytes = encodeSafetensors({ b: float32(1), a: uint8(7, 8), c: float32(2) }, { z: '1', y: '2' });
  const json =
    '{"__metadata__":{"y":"2","z":"1"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
    '"c":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":{"dtype":"U8","shape":[2],"data_offsets":[8,10]}}';
  const padded = json.padEnd(Math.ceil(json.length / 8) * 8);
  assert.equal(new DataView(bytes.buffer).getBigUint64(0, true), BigInt(padded.length));
  assert.equal(new TextDecoder().decode(bytes.subarray(8, 8 + padded.length)), padded);
  assert.deepEqual([...bytes.subarray(8 + padded.length)], [0, 0, 128, 63, 0, 0, 0, 64, 7, 8]);
});

const hostArray: fc.Arbitrary<HostArray> = fc
  .tuple(
    fc.constantFrom<DType>('float32', 'int32', 'uint8', 'bool', 'float16', 'bfloat16'),
    fc.array(fc.nat(4), { maxLength: 4 }),
  )
  .chain(([dtype, shape]) => {
    const length = sizeOf(shape) * bytesPerElement[dtype];
    return fc.uint8Array({ minLength: length, maxLength: length, max: dtype === 'bool' ? 1 : 255 }).map((bytes) => ({
      dtype,
      shape,
      data: viewAs(dtype, bytes.slice().buffer),
    }));
  });

const bytesOf = ({ dtype, shape, data }: HostArray): unknown => {
  return [dtype, [...shape], [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]];
};

test('what is written is read again, in any order, at any offset, aligned', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 8 });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, hostArray), { selector: ([key]) => key, maxLength: 6 }),
      fc.dictionary(name, name, { maxKeys: 3 }),
      fc.nat(3),
      (entries, metadata, shift) => {
        const tensors = new Map(entries);
        const bytes = encodeSafetensors(tensors, metadata);
        assert.deepEqual(bytes, encodeSafetensors(new Map(entries.toReversed()), metadata));
        const shifted = new Uint8Array(bytes.length + shift);
        shifted.set(bytes, shift);
        const read = decodeSafetensors(shifted.subarray(shift), 'any');
        assert.deepEqual({ ...read.metadata }, { ...metadata });
        assert.equal(read.tensors.size, tensors.size);
        for (const [key, array] of tensors) assert.deepEqual(bytesOf(read.tensors.get(key)!), bytesOf(array));
      },
    ),
    { numRuns: 200 },
  );
});

const entry = (dtype: string, shape: string, offsets: string): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
const damaged = '  The file is damaged, or the program that wrote it is at fault: get or write it again.';
const whole = '  The file is not whole: copy or download it again.';

const lies: readonly { note: string; bytes: Uint8Array<ArrayBuffer>; says: string }[] = [
  { note: 'empty', bytes: new Uint8Array(0), says: `x: has 0 bytes, a safetensors file at least 10\n${whole}` },
  {
    note: 'another format',
    bytes: fileOf('', 100, 0x04034b50_00000000n),
    says: 'x: not a safetensors file: its first 8 bytes tell a header of 289157608051310592 bytes (at most 100000000)\n  Is it a file of another format under this name?',
  },
  {
    note: 'cut inside the header',
    bytes: fileOf('{}', 0, 5000n),
    says: `x: ends after 10 of at least 5008 bytes, inside its header\n${whole}`,
  },
  { note: 'a list', bytes: fileOf('[1]', 0), says: `x: its header is [1], not an object\n${damaged}` },
  {
    note: 'a tensor that is none',
    bytes: fileOf('{"a":3}', 0),
    says: `x: tensor 'a': is 3, not an object\n${damaged}`,
  },
  {
    note: 'unknown dtype',
    bytes: fileOf(`{"a":${entry('F8_E4M3', '[1]', '[0,1]')}}`, 1),
    says: `x: tensor 'a': dtype "F8_E4M3" is none that Kiln reads\n  Convert it to one of F32, I32, U8, BOOL, F16, BF16, F64, I64, U64, U32, I16, U16, I8.`,
  },
  {
    note: 'a dtype that every object has',
    bytes: fileOf(`{"a":${entry('constructor', '[1]', '[0,1]')}}`, 1),
    says: `x: tensor 'a': dtype "constructor" is none that Kiln reads\n  Convert it to one of F32, I32, U8, BOOL, F16, BF16, F64, I64, U64, U32, I16, U16, I8.`,
  },
  {
    note: 'negative size',
    bytes: fileOf(`{"a":${entry('F32', '[-1]', '[0,4]')}}`, 4),
    says: `x: tensor 'a': shape [-1] is no list of sizes\n${damaged}`,
  },
  {
    note: 'three offsets',
    bytes: fileOf(`{"a":${entry('F32', '[1]', '[0,4,8]')}}`, 4),
    says: `x: tensor 'a': data_offsets [0,4,8] are no pair of offsets\n${damaged}`,
  },
  {
    note: 'backwards',
    bytes: fileOf(`{"a":${entry('F32', '[1]', '[4,0]')}}`, 4),
    says: `x: tensor 'a': ends before it begins (0 < 4)\n${damaged}`,
  },
  {
    note: 'length and shape differ',
    bytes: fileOf(`{"a":${entry('F32', '[2,3]', '[0,20]')}}`, 20),
    says: `x: tensor 'a': F32 [2, 3] takes 24 bytes, its offsets hold 20\n${damaged}`,
  },
  {
    note: 'a shape whose size overflows to the length claimed',
    bytes: fileOf(`{"a":${entry('U8', '[4294967296,4294967296]', '[0,0]')}}`, 0),
    says: `x: tensor 'a': U8 [4294967296, 4294967296] takes 18446744073709551616 bytes, its offsets hold 0\n${damaged}`,
  },
  {
    note: 'overlap',
    bytes: fileOf(`{"a":${entry('U8', '[4]', '[0,4]')},"b":${entry('U8', '[4]', '[2,6]')}}`, 6),
    says: `x: tensors 'a' and 'b' overlap (2 < 4)\n${damaged}`,
  },
  {
    note: 'hole',
    bytes: fileOf(`{"a":${entry('U8', '[4]', '[0,4]')},"b":${entry('U8', '[4]', '[6,10]')}}`, 10),
    says: `x: 2 bytes before tensor 'b' belong to none (4 to 6)\n${damaged}`,
  },
  {
    note: 'truncated',
    bytes: fileOf(`{"a":${entry('F32', '[1000]', '[0,4000]')}}`, 400),
    says: `x: holds 400 of 4000 bytes of elements\n${whole}`,
  },
  {
    note: 'oversized',
    bytes: fileOf(`{"a":${entry('U8', '[4]', '[0,4]')}}`, 5),
    says: `x: holds 5 bytes of elements, its header tells of 4\n${damaged}`,
  },
  {
    note: 'twice, once escaped',
    bytes: fileOf(`{"a":${entry('U8', '[1]', '[0,1]')} , "\\u0061" :${entry('U8', '[1]', '[1,2]')}}`, 2),
    says: `x: tensor 'a' is there twice\n  Names must be distinct.`,
  },
  {
    note: 'metadata that is no text',
    bytes: fileOf('{"__metadata__":{"step":3}}', 0),
    says: `x: __metadata__ 'step' is 3, not a string\n${damaged}`,
  },
  {
    note: 'a boolean of 2',
    bytes: fileOf(`{"a":${entry('BOOL', '[1]', '[0,1]')}}`, 1).with(-1, 2) as Uint8Array<ArrayBuffer>,
    says: `x: tensor 'a': element 0 of a BOOL is 2 (0 or 1)\n  The file is damaged, or its dtype should be U8.`,
  },
  {
    note: 'an integer that does not fit',
    bytes: fileOf(`{"a":${entry('U32', '[1]', '[0,4]')}}`, 4).fill(255, -4),
    says: `x: tensor 'a': element 0 is 4294967295, which int32 cannot hold\n  The file stores U32, which is read as int32. Write the tensor in a narrower dtype.`,
  },
  {
    note: 'a double that does not fit',
    bytes: fileOf(`{"a":${entry('F64', '[1]', '[0,8]')}}`, 8).fill(0x7e, -8),
    says: `x: tensor 'a': element 0 is 2.0421693454608858e+301, which float32 cannot hold\n  The file stores F64, which is read as float32. Write the tensor in a narrower dtype.`,
  },
];

for (const { note, bytes, says } of lies) {
  test(`a lying file is told: ${note}`, () => {
    assert.throws(
      () => decodeSafetensors(bytes, 'x'),
      (error) => {
        assert.ok(error instanceof FormatError);
        assert.equal(error.message, says);
        return true;
      },
    );
  });
}

test('headers that are no JSON or no UTF-8 are told', () => {
  for (const header of ['{"a":', '\u{feff}{}', '[['.repeat(50_000), '']) {
    assert.throws(
      () => decodeSafetensors(fileOf(header, 0), 'x'),
      /^FormatError: x: its header of \d+ bytes is no JSON/,
    );
  }
  const notUtf8 = fileOf('{"a":1}', 0).with(10, 0xff) as Uint8Array<ArrayBuffer>;
  assert.throws(() => decodeSafetensors(notUtf8, 'x'), /^FormatError: x: its header of 7 bytes is no JSON/);
});

test('arrays that cannot be written are told', () => {
  assert.throws(() => encodeSafetensors({ a: { ...float32(1, 2), shape: [3] } }), {
    name: 'ShapeError',
    message:
      "safetensors: tensor 'a': 2 elements do not fill [3] (3)\n  Give data whose length is the product of the shape.",
  });
  assert.throws(() => encodeSafetensors({ __metadata__: float32(1) }), {
    message: "safetensors: a tensor is called '__metadata__'\n  The format keeps this name. Choose another.",
  });
});

test('damaged files end in an error or in arrays that fill their shapes', async () => {
  const check = ({ tensors }: ReturnType<typeof decodeSafetensors>): void => {
    for (const { shape, data } of tensors.values()) assert.equal(data.length, sizeOf(shape));
  };
  await survivesDamage(golden, (bytes) => decodeSafetensors(bytes, 'x'), check, { runs: 1500 });
});
