/** What schedules may know of a machine. The number of threads is no part of it: results must not depend on it. */
export interface Target {
  readonly name: string;
  /** float32 values in a vector. */
  readonly lanes: number;
  /** Vectors that a tile may hold at once. */
  readonly registers: number;
  /** Whether each row's value of a step stays in a register of its own until the step ends; else one register serves all in turn. */
  readonly holdsRows: boolean;
  /** Bytes of the caches that one thread has for itself. */
  readonly L1: number;
  readonly L2: number;
  /** Multiply-adds of vectors that start in one cycle, and cycles until one is done. */
  readonly multiplyAdds: number;
  readonly latency: number;
  /** For estimates of time only. */
  readonly cyclesPerMicrosecond: number;
}

/**
 * WebAssembly with 128-bit vectors, as V8 compiles it for processors of the last ten years.
 *
 * V8 11 and 12 (Node 20 and 22) read the operands of a step before its first multiply-add, so a tile of 6 × 2 vectors spills:
 * 27 GFLOP/s against 51–53 of 3 × 3 and 4 × 2. From V8 13 on 6 × 2 stays in registers (57).
 */
export const wasmTarget = (v8: number): Target => ({
  name: 'wasm',
  lanes: 4,
  registers: 15,
  holdsRows: v8 < 13,
  L1: 32 * 1024,
  L2: 512 * 1024,
  multiplyAdds: 2,
  latency: 4,
  cyclesPerMicrosecond: 3300,
});

/** What a processor's description says that schedules ask for. */
export interface ProcessorCaches {
  readonly l1Bytes: number;
  readonly l2Bytes: number;
}

/** x64 with AVX2 and FMA (8 lanes, 16 registers) or AVX-512 (16 lanes, 32 registers). */
export const x64Target = (lanes: 8 | 16, { l1Bytes, l2Bytes }: ProcessorCaches): Target => ({
  name: lanes === 16 ? 'x64-avx512' : 'x64-avx2',
  lanes,
  registers: 2 * lanes,
  holdsRows: false,
  L1: l1Bytes,
  L2: l2Bytes,
  multiplyAdds: 2,
  latency: 4,
  cyclesPerMicrosecond: 3000,
});
