import { InternalError } from '../../core/index.js';
import type { Native } from './native.node.js';

/** Machine code in pages of its own, written first and executable then (never both), freed by itself. */
export class ExecutableCode {
  /** Of the first byte; entries are at this address + their label's offset. */
  readonly address: number;
  readonly byteLength: number;
  readonly #native: Native;
  #isFreed = false;

  /** @throws KilnError where the system gives no memory, or none that can be executed */
  static create(native: Native, bytes: Uint8Array): ExecutableCode {
    const address = native.map(bytes.length);
    try {
      native.write(address, bytes);
      native.makeExecutable(address, bytes.length);
    } catch (error) {
      native.unmap(address, bytes.length);
      throw error;
    }
    return new ExecutableCode(native, address, bytes.length);
  }

  private constructor(native: Native, address: number, byteLength: number) {
    this.#native = native;
    this.address = address;
    this.byteLength = byteLength;
  }

  /** Gives the pages back. No thread may be in the code, or come to it. */
  free(): void {
    if (this.#isFreed) throw new InternalError('x64: code is freed twice');
    this.#isFreed = true;
    this.#native.unmap(this.address, this.byteLength);
  }
}
