/** What engine tests share: WebAssembly devices of given threads, and one comparison with the float64 reference. */
import assert from 'node:assert/strict';
import '../../src/index.js';
import { wasm } from '../../src/backends/index.js';
import { compile, type Device, HostRandom, leavesOf, type Shape, Tensor, useDevice } from '../../src/core/index.js';

const made = new Map<number, Device>();

/** The WebAssembly device of this process with so many threads. */
export function wasmWith(threads: number): Device {
  let device = made.get(threads);
  if (!device) made.set(threads, (device = wasm({ threads })));
  return device;
}

/** Runs `f` with a device in use, and leaves the one of a single thread in use. */
export function on<T>(device: Device | string, f: () => T): T {
  useDevice(device);
  try {
    return f();
  } finally {
    useDevice(wasmWith(1));
  }
}

export type Values = Float32Array | Int32Array | Uint8Array;
export const read = (tree: unknown): Values[] =>
  leavesOf(tree)
    .filter((leaf): leaf is Tensor => leaf instanceof Tensor)
    .map((tensor) => tensor.dataSync() as Values);

/** Numbers of a fixed sequence: floats in [-2, 2), int32 −9 … 9, uint8 0 … 255, bool. */
export function numbers(shape: Shape, dtype: 'float32' | 'int32' | 'uint8' | 'bool' = 'float32', seed = 1): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const uniform = new HostRandom(seed, count).uniform(count);
  switch (dtype) {
    case 'float32':
      return Tensor.fromHost({ dtype, shape, data: Float32Array.from(uniform, (u) => 4 * u - 2) });
    case 'int32':
      return Tensor.fromHost({ dtype, shape, data: Int32Array.from(uniform, (u) => Math.floor(19 * u) - 9) });
    case 'uint8':
      return Tensor.fromHost({ dtype, shape, data: Uint8Array.from(uniform, (u) => Math.floor(256 * u)) });
    case 'bool':
      return Tensor.fromHost({ dtype, shape, data: Uint8Array.from(uniform, (u) => (u < 0.5 ? 0 : 1)) });
  }
}

export interface AgreeOptions {
  /** Greatest error in proportion to the result's norm and to the element itself (1e-5); integers must be equal. */
  readonly tolerance?: number;
  /** Whether the program is run as one, too (true). */
  readonly compiled?: boolean;
}

/** Says where the results of `f` (a tensor or a tree of them) on WebAssembly differ from the reference's; eager and compiled. */
export function agree(
  what: string,
  f: () => unknown,
  { tolerance = 1e-5, compiled = true }: AgreeOptions = {},
  device: Device = wasmWith(1),
): void {
  const expected = on('reference', () => read(f()));
  on(device, () => {
    compare(`${what}, eager`, read(f()), expected, tolerance);
    if (compiled) compare(`${what}, compiled`, read(compile(f)()), expected, tolerance);
  });
}

export function compare(what: string, actual: readonly Values[], expected: readonly Values[], tolerance: number): void {
  assert.equal(actual.length, expected.length, `${what}: number of results`);
  actual.forEach((values, k) => {
    const wanted = expected[k]!;
    assert.equal(values.length, wanted.length, `${what}: length of result ${k}`);
    const finite = [...wanted].filter(Number.isFinite);
    const norm = Math.sqrt(finite.reduce((sum, x) => sum + x * x, 0) / Math.max(1, finite.length));
    for (let i = 0; i < values.length; i++) {
      const [got, want] = [values[i]!, wanted[i]!];
      if (Object.is(got, want) || got === want) continue;
      const allowed = wanted instanceof Float32Array ? tolerance * Math.max(norm, Math.abs(want)) : 0;
      if (Math.abs(got - want) <= allowed) continue;
      assert.fail(`${what}: result ${k}, element ${i}: got ${got}, expected ${want}`);
    }
  });
}

/** The bytes of results, to be compared bit for bit. */
export const bits = (tree: unknown): string =>
  read(tree)
    .map((values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64'))
    .join('|');
