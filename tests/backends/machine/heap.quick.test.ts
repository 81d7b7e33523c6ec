import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alignment, Heap } from '../../../src/backends/machine/heap.js';
import { heapOf } from '../../../src/backends/wasm/memory.js';
import { WebAssembly } from '../../../src/backends/wasm/webassembly.js';
import { InternalError, KilnError } from '../../../src/core/errors.js';

const fixedHeap = (bytes: number) => new Heap({ start: 0, end: bytes, limit: bytes, grow: () => undefined });

/** Positive: allocate so many bytes. Otherwise: free the live block of that rank, counted around. */
const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: -40, max: 0 })), {
  maxLength: 200,
});

test('blocks are aligned, lie inside, never overlap, and all merge again', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      let end = 1000;
      const limit = 200_000;
      const heap = new Heap({ start: 100, end, limit, grow: (wanted) => (end = Math.min(limit, wanted + 7)) });
      const live = new Map<number, number>();
      let most = 0;
      for (const step of sequence) {
        if (step > 0) {
          const address = heap.tryAllocate(step);
          if (address === undefined) continue;
          assert.equal(address % alignment, 0);
          assert.ok(address >= 100 && address + step <= end);
          for (const [other, bytes] of live) assert.ok(address + step <= other || other + bytes <= address);
          live.set(address, step);
        } else if (live.size > 0) {
          const address = [...live.keys()][-step % live.size]!;
          heap.free(address);
          live.delete(address);
        }
        const used = [...live.values()].reduce((sum, bytes) => sum + Math.ceil(bytes / alignment) * alignment, 0);
        most = Math.max(most, used);
        assert.equal(heap.used, used);
      }
      assert.equal(heap.statistics.peak, most);
      for (const address of live.keys()) heap.free(address);
      const { used, blocks, size, largestFree } = heap.statistics;
      assert.deepEqual([used, blocks, largestFree], [0, 0, size]);
    }),
    { numRuns: 150 },
  );
});

test('the whole heap can be used, and used again', () => {
  const heap = fixedHeap(64 * 100);
  const addresses = Array.from({ length: 100 }, () => heap.allocate(64));
  assert.equal(heap.tryAllocate(1), undefined);
  for (const address of addresses.filter((_, i) => i % 2 === 0)) heap.free(address);
  assert.equal(heap.statistics.largestFree, 64);
  for (const address of addresses.filter((_, i) => i % 2 === 1)) heap.free(address);
  assert.equal(heap.allocate(64 * 100), 0);
});

test('the best fit is taken among blocks of one size class', () => {
  const heap = fixedHeap(64 * 100);
  const [wide, , tight] = [15, 1, 10, 60].map((lines) => heap.allocate(64 * lines)) as [number, number, number];
  heap.free(tight);
  heap.free(wide);
  assert.equal(heap.allocate(64 * 9), tight);
});

test('it grows with the memory up to the limit, then says what is wanted and what there is', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
  const heap = heapOf(memory, 64, 4 * 65536);
  const first = heap.allocate(100_000);
  assert.equal(first, 64);
  assert.ok(memory.buffer.byteLength >= 100_064);
  assert.equal(heap.tryAllocate(200_000), undefined);
  assert.throws(
    () => heap.allocate(200_000),
    new KilnError(
      'device: out of memory: 200000 bytes wanted, 100032 of 262080 in use, largest free block 30976\n' +
        '  Use a smaller batch, or drop tensors that are not needed any more.',
    ),
  );
  heap.free(first);
  assert.equal(heap.allocate(262_080), 64);
});

test('freeing twice or elsewhere is an internal error; zero bytes have an address of their own', () => {
  const heap = fixedHeap(1024);
  assert.notEqual(heap.allocate(0), heap.allocate(0));
  assert.throws(() => heap.free(32), new InternalError('wasm heap: nothing is allocated at 32'));
  heap.free(0);
  assert.throws(() => heap.free(0), new InternalError('wasm heap: nothing is allocated at 0'));
  assert.throws(() => heap.allocate(-1), new InternalError('wasm heap: -1 is no number of bytes'));
});
