/** All of koffi, behind one file: memory of the system, calls of addresses, native threads. Addresses are numbers below 2^47. */
import { createRequire } from 'node:module';
import { fail, InternalError, KilnError } from '../../core/index.js';
import { Assembler, rax } from './assembler.js';
import { type Platform, platforms } from './platform.js';

/** A native function of integers. Results beyond 2^53 do not come back exact. */
export type NativeFunction = (...values: readonly number[]) => number;

/** Identity of a thread that was started. */
export type ThreadHandle = number;

export interface Native {
  readonly platform: Platform;
  /** New pages: zero, readable, writable, at a multiple of 4096. */
  map(bytes: number): number;
  unmap(address: number, bytes: number): void;
  /** From now on the pages can be executed and read, and no longer written. */
  makeExecutable(address: number, bytes: number): void;
  /** Copies bytes to an address. */
  write(address: number, source: ArrayBufferView): void;
  /** A copy of the bytes at an address. */
  read(address: number, bytes: number): Uint8Array<ArrayBuffer>;
  /** The bytes at an address, not a copy. Touching the view after `unmap` ends the process. At most 4 GiB. */
  view(address: number, bytes: number): ArrayBuffer;
  /**
   * Where the bytes lie. They stay there while the buffer lives; the caller keeps it alive.
   * Not for typed arrays that were made from a length of at most 64 bytes: those may move until their `buffer` was asked for.
   */
  addressOf(data: ArrayBufferView | ArrayBufferLike): number;
  /** The code at an address as a function. Keeps some kilobytes for ever: call programs through one of them. */
  functionAt(address: number, argumentCount: number): NativeFunction;
  /** Starts the code at `entry` with one argument on a thread of its own; undefined where the system has no more threads. */
  startThread(entry: number, argument: number): ThreadHandle | undefined;
  /** Waits until the thread has returned. */
  joinThread(thread: ThreadHandle): void;
}

type Koffi = typeof import('koffi');

/** The native functions of this process; or the reason, as a sentence, why there are none. */
export type NativeResult =
  | { readonly native: Native; readonly reason?: undefined }
  | { readonly native?: undefined; readonly reason: string };

let loaded: NativeResult | undefined;

/** Loads koffi at first use, and tries a function of machine code. */
export function loadNative(): NativeResult {
  loaded ??= tryLoad();
  return loaded;
}

function tryLoad(): NativeResult {
  const name = `${process.platform}-${process.arch}`;
  const platform = platforms[name];
  if (!platform)
    return { reason: `Machine code is made for ${Object.keys(platforms).join(', ')}, and this is ${name}.` };
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'MODULE_NOT_FOUND') return { reason: 'The package koffi is not installed: npm install koffi.' };
    return { reason: `The package koffi does not load: ${String(error).split('\n')[0]}.` };
  }
  try {
    const native = new KoffiNative(koffi, platform);
    const answer = answerOf(native);
    return answer === 42 ? { native } : { reason: `Machine code gave ${answer} where 42 was expected.` };
  } catch (error) {
    return { reason: `The system does not let machine code run: ${String(error).split('\n')[0]}.` };
  }
}

/** The result of a tiny function, which shows that pages can be made executable. */
function answerOf(native: Native): number {
  const bytes = new Assembler().set(rax, 42).op('ret').finish();
  const page = native.map(bytes.length);
  try {
    native.write(page, bytes);
    native.makeExecutable(page, bytes.length);
    return native.functionAt(page, 0)();
  } finally {
    native.unmap(page, bytes.length);
  }
}

const hugePageBytes = 2 ** 21;

class KoffiNative implements Native {
  readonly platform: Platform;
  readonly #koffi: Koffi;
  readonly #prototypes = new Map<number, ReturnType<Koffi['proto']>>();
  readonly #mmap: NativeFunction;
  readonly #munmap: NativeFunction;
  readonly #mprotect: NativeFunction;
  readonly #madvise: NativeFunction;
  readonly #copyIn: (target: number, source: ArrayBufferView, bytes: number) => void;
  readonly #copyOut: (target: ArrayBufferView, source: number, bytes: number) => void;
  readonly #pthreadCreate: (handle: BigUint64Array, attributes: number, entry: number, argument: number) => number;
  readonly #pthreadJoin: NativeFunction;

  constructor(koffi: Koffi, platform: Platform) {
    this.#koffi = koffi;
    this.platform = platform;
    const libc = koffi.load(null);
    this.#mmap = libc.func('int64_t mmap(int64_t, size_t, int, int, int, int64_t)');
    this.#munmap = libc.func('int munmap(int64_t, size_t)');
    this.#mprotect = libc.func('int mprotect(int64_t, size_t, int)');
    this.#madvise = libc.func('int madvise(int64_t, size_t, int)');
    this.#copyIn = libc.func('void memcpy(int64_t, const void *, size_t)');
    this.#copyOut = libc.func('void memcpy(void *, int64_t, size_t)');
    this.#pthreadCreate = libc.func('int pthread_create(uint64_t *, int64_t, int64_t, int64_t)');
    this.#pthreadJoin = libc.func('int pthread_join(uint64_t, int64_t)');
  }

  map(bytes: number): number {
    const { read, write, anonymous, hugePages } = this.platform.memory;
    const address = this.#mmap(0, bytes, read | write, anonymous, -1, 0);
    if (address === -1) {
      fail(
        `x64: the system gave no memory: ${bytes} bytes (error ${this.#koffi.errno()})`,
        'Close other programs, use smaller batches, or raise the limit on memory (ulimit -v).',
        KilnError,
      );
    }
    // fewer misses of the address cache; a system without huge pages says no, which is no harm
    if (bytes >= 2 * hugePageBytes) this.#madvise(address, bytes, hugePages);
    return address;
  }

  unmap(address: number, bytes: number): void {
    if (this.#munmap(address, bytes) !== 0) {
      throw new InternalError(`x64: munmap of ${bytes} bytes at ${address} failed (error ${this.#koffi.errno()})`);
    }
  }

  makeExecutable(address: number, bytes: number): void {
    const { read, execute } = this.platform.memory;
    if (this.#mprotect(address, bytes, read | execute) === 0) return;
    fail(
      `x64: the system refuses executable memory (error ${this.#koffi.errno()})`,
      'Allow it for this process (SELinux: execmem), or set KILN_DEVICE=wasm.',
      KilnError,
    );
  }

  write(address: number, source: ArrayBufferView): void {
    if (source.byteLength > 0) this.#copyIn(address, source, source.byteLength);
  }

  read(address: number, bytes: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(new ArrayBuffer(bytes));
    if (bytes > 0) this.#copyOut(copy, address, bytes);
    return copy;
  }

  view(address: number, bytes: number): ArrayBuffer {
    // beyond it koffi ends the process
    if (bytes > 2 ** 32) throw new InternalError(`x64: a view has at most 4 GiB: got ${bytes} bytes`);
    return this.#koffi.view(address, bytes);
  }

  addressOf(data: ArrayBufferView | ArrayBufferLike): number {
    // koffi takes shared buffers as typed arrays only
    const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
    return Number(this.#koffi.address(view));
  }

  functionAt(address: number, argumentCount: number): NativeFunction {
    let prototype = this.#prototypes.get(argumentCount);
    if (!prototype) {
      const types = Array.from({ length: argumentCount }, () => 'int64_t');
      prototype = this.#koffi.proto(`kiln_${argumentCount}`, 'int64_t', types);
      this.#prototypes.set(argumentCount, prototype);
    }
    return this.#koffi.decode(address, prototype) as NativeFunction;
  }

  startThread(entry: number, argument: number): ThreadHandle | undefined {
    const handle = new BigUint64Array(new ArrayBuffer(8));
    return this.#pthreadCreate(handle, 0, entry, argument) === 0 ? Number(handle[0]) : undefined;
  }

  joinThread(thread: ThreadHandle): void {
    this.#pthreadJoin(thread, 0);
  }
}
