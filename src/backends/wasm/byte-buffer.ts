import { InternalError } from '../../core/index.js';

const text = new TextEncoder();
const scratch = new DataView(new ArrayBuffer(8));

/** Bytes that grow at the end, with the number encodings of WebAssembly (LEB128, little endian). */
export class ByteBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written so far, without a copy: valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  raw(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Unsigned LEB128. */
  u32(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
      throw new InternalError(`wasm assembler: ${value} is not an unsigned 32-bit integer`);
    }
    let rest = value;
    while (rest > 127) {
      this.byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed LEB128 of a 32-bit pattern; 2^31 … 2^32 − 1 are taken as the unsigned spelling of the same bits. */
  i32(value: number): void {
    if (!Number.isInteger(value) || value < -0x80000000 || value > 0xffffffff) {
      throw new InternalError(`wasm assembler: ${value} is not a 32-bit integer`);
    }
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 127) | 128);
      rest >>= 7;
    }
    this.byte(rest & 127);
  }

  i64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    while (rest < -64n || rest > 63n) {
      this.byte(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.byte(Number(rest & 127n));
  }

  f32(value: number): void {
    scratch.setFloat32(0, value, true);
    for (let i = 0; i < 4; i++) this.byte(scratch.getUint8(i));
  }

  f64(value: number): void {
    scratch.setFloat64(0, value, true);
    for (let i = 0; i < 8; i++) this.byte(scratch.getUint8(i));
  }

  /** Length, then the bytes. */
  vector(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  name(value: string): void {
    this.vector(text.encode(value));
  }

  #grow(need: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + need));
    grown.set(this.view());
    this.#bytes = grown;
  }
}
