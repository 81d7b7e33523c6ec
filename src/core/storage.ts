/** Where the bytes of a storage lie when they are in a device's own memory. */
export interface Residence {
  /** Copies the bytes out to the host. */
  read(): ArrayBuffer;
  /** The storage was replaced or is known to be dead: the device may reuse the place. */
  release(): void;
}

/**
 * The bytes of a tensor. At rest they are a plain ArrayBuffer, which V8 frees by itself even inside one synchronous loop;
 * a device with a memory of its own may hold them instead. Contents never change once written, except that a program may
 * write a donated storage's place anew, and then hands out a new Storage for it.
 */
export class Storage {
  readonly byteLength: number;
  /** The bytes on the host, when they are there. */
  bytes: ArrayBuffer | undefined;
  /** The bytes on a device, when they are there. Both may hold the same contents. */
  residence: Residence | undefined;
  /** Whether a tensor that a user holds may see these bytes: then they must not be overwritten in place. */
  isShared = false;

  constructor(byteLength: number, bytes?: ArrayBuffer) {
    this.byteLength = byteLength;
    this.bytes = bytes;
    this.residence = undefined;
  }

  static of(bytes: ArrayBuffer): Storage {
    return new Storage(bytes.byteLength, bytes);
  }

  /** The bytes on the host, fetched from the device when they are not there yet. Not to be written. */
  atRest(): ArrayBuffer {
    this.bytes ??= this.residence?.read() ?? new ArrayBuffer(this.byteLength);
    return this.bytes;
  }
}
