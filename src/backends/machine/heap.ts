import { InternalError, KilnError } from '../../core/index.js';

/** Every block begins at a multiple of this: a cache line, and four vectors. */
export const alignment = 64;

export interface HeapOptions {
  /** First byte of the heap. */
  readonly start: number;
  /** End of the memory at first. */
  readonly end: number;
  /** The memory never ends beyond this. */
  readonly limit: number;
  /** Makes the memory end at `end` or later and returns where it ends, `undefined` when it cannot. */
  readonly grow: (end: number) => number | undefined;
}

export interface HeapStatistics {
  /** Bytes in allocated blocks, with their padding. */
  readonly used: number;
  /** The most that `used` ever was. */
  readonly peak: number;
  /** Bytes that the heap spans, free ones included. */
  readonly size: number;
  readonly blocks: number;
  readonly largestFree: number;
}

/** A stretch of memory between its neighbours in address order. Free ones are also in the list of their size class. */
interface Block {
  address: number;
  size: number;
  isFree: boolean;
  before: Block | undefined;
  after: Block | undefined;
  previousFree: Block | undefined;
  nextFree: Block | undefined;
}

/** Size class k holds free blocks of 2^k up to 2^(k+1) − 1 lines. */
const classes = 27;
/** Blocks of one class that are looked at for the best fit. */
const looks = 32;
/** The memory grows by at least a quarter, so that growing is rare. */
const growthDivisor = 4;

/**
 * Places in a device's memory. Free blocks are found by size class, the best fit among the first few, and merge with
 * free neighbours at once. Bookkeeping lies outside of the memory: kernels cannot harm it.
 */
export class Heap {
  readonly #start: number;
  readonly #limit: number;
  readonly #grow: (end: number) => number | undefined;
  readonly #allocated = new Map<number, Block>();
  readonly #free: (Block | undefined)[] = new Array<Block | undefined>(classes).fill(undefined);
  #end: number;
  #last: Block | undefined;
  #used = 0;
  #peak = 0;

  constructor({ start, end, limit, grow }: HeapOptions) {
    this.#start = roundUp(start);
    this.#limit = limit;
    this.#grow = grow;
    this.#end = this.#start;
    this.#extend(end);
  }

  /** The address of at least `bytes` bytes. @throws KilnError when the memory's limit is reached */
  allocate(bytes: number): number {
    const address = this.tryAllocate(bytes);
    if (address !== undefined) return address;
    const { used, largestFree } = this.statistics;
    throw new KilnError(
      `device: out of memory: ${bytes} bytes wanted, ${used} of ${this.#limit - this.#start} in use, largest free block ${largestFree}\n` +
        '  Use a smaller batch, or drop tensors that are not needed any more.',
    );
  }

  /** The address of at least `bytes` bytes, `undefined` when the memory's limit is reached. */
  tryAllocate(bytes: number): number | undefined {
    if (!Number.isInteger(bytes) || bytes < 0) throw new InternalError(`wasm heap: ${bytes} is no number of bytes`);
    const size = Math.max(alignment, roundUp(bytes));
    let block = this.#find(size);
    if (!block) {
      if (!this.#makeRoom(size)) return undefined;
      block = this.#find(size);
      if (!block) return undefined;
    }
    this.#unlink(block);
    if (block.size > size) this.#split(block, size);
    block.isFree = false;
    this.#allocated.set(block.address, block);
    this.#used += size;
    if (this.#used > this.#peak) this.#peak = this.#used;
    return block.address;
  }

  free(address: number): void {
    const block = this.#allocated.get(address);
    if (!block) throw new InternalError(`wasm heap: nothing is allocated at ${address}`);
    this.#allocated.delete(address);
    this.#used -= block.size;
    block.isFree = true;
    const { before, after } = block;
    if (after?.isFree) {
      this.#unlink(after);
      this.#absorb(block, after);
    }
    if (before?.isFree) {
      this.#unlink(before);
      this.#absorb(before, block);
      this.#link(before);
    } else {
      this.#link(block);
    }
  }

  get statistics(): HeapStatistics {
    let largestFree = 0;
    for (let block = this.#last; block; block = block.before) {
      if (block.isFree && block.size > largestFree) largestFree = block.size;
    }
    const size = this.#end - this.#start;
    return { used: this.#used, peak: this.#peak, size, blocks: this.#allocated.size, largestFree };
  }

  /** Bytes in allocated blocks. */
  get used(): number {
    return this.#used;
  }

  #find(size: number): Block | undefined {
    const own = classOf(size);
    const fit = this.#bestOf(own, size);
    if (fit) return fit;
    for (let k = own + 1; k < classes; k++) {
      if (this.#free[k]) return this.#bestOf(k, size);
    }
    return undefined;
  }

  #bestOf(sizeClass: number, size: number): Block | undefined {
    let best: Block | undefined;
    let seen = 0;
    for (let block = this.#free[sizeClass]; block && (seen < looks || !best); block = block.nextFree, seen++) {
      if (block.size < size || (best && block.size >= best.size)) continue;
      best = block;
      if (block.size === size) break;
    }
    return best;
  }

  #makeRoom(size: number): boolean {
    const tail = this.#last?.isFree ? this.#last.size : 0;
    const needed = this.#end - tail + size;
    if (needed > this.#limit) return false;
    const generous = Math.min(this.#limit, Math.max(needed, this.#end + Math.floor(this.#end / growthDivisor)));
    const end = this.#grow(generous) ?? (generous > needed ? this.#grow(needed) : undefined);
    if (end === undefined) return false;
    this.#extend(Math.min(end, this.#limit));
    return true;
  }

  #extend(end: number): void {
    const size = Math.floor((end - this.#end) / alignment) * alignment;
    if (size <= 0) return;
    const block = newBlock(this.#end, size, this.#last);
    if (this.#last) this.#last.after = block;
    this.#last = block;
    this.#end += size;
    const { before } = block;
    if (before?.isFree) {
      this.#unlink(before);
      this.#absorb(before, block);
      this.#link(before);
    } else {
      this.#link(block);
    }
  }

  #split(block: Block, size: number): void {
    const rest = newBlock(block.address + size, block.size - size, block);
    rest.after = block.after;
    if (block.after) block.after.before = rest;
    else this.#last = rest;
    block.after = rest;
    block.size = size;
    this.#link(rest);
  }

  /** Makes `right`, the next neighbour, a part of `left`. */
  #absorb(left: Block, right: Block): void {
    left.size += right.size;
    left.after = right.after;
    if (right.after) right.after.before = left;
    else this.#last = left;
  }

  #link(block: Block): void {
    const sizeClass = classOf(block.size);
    const first = this.#free[sizeClass];
    block.previousFree = undefined;
    block.nextFree = first;
    if (first) first.previousFree = block;
    this.#free[sizeClass] = block;
  }

  #unlink(block: Block): void {
    const { previousFree, nextFree } = block;
    if (previousFree) previousFree.nextFree = nextFree;
    else this.#free[classOf(block.size)] = nextFree;
    if (nextFree) nextFree.previousFree = previousFree;
    block.previousFree = undefined;
    block.nextFree = undefined;
  }
}

const roundUp = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

const classOf = (size: number): number => Math.min(classes - 1, 31 - Math.clz32(size / alignment));

function newBlock(address: number, size: number, before: Block | undefined): Block {
  return { address, size, isFree: true, before, after: undefined, previousFree: undefined, nextFree: undefined };
}
