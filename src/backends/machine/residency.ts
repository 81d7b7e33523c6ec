import { InternalError, type Residence, type Storage } from '../../core/index.js';
import type { Heap } from './heap.js';

/** The device memory; its buffer may be another one after it has grown. */
export interface DeviceBytes {
  readonly buffer: ArrayBufferLike;
}

/** At-rest copies up to this size stay when a storage becomes resident: moving it out again then costs nothing. */
const keptCopyBytes = 1 << 20;

/** Garbage collections visit every resident's weak cell: many tiny tensors count as too many before their bytes do. */
const mostResidents = 1 << 16;

/**
 * One storage's place in the device memory. The storage knows its resident, never the other way round, so that a resident
 * keeps no dead storage alive; what was moved out waits here until the storage asks for it.
 */
class Resident implements Residence {
  readonly owner: Residency;
  readonly byteLength: number;
  /** Where the bytes lie, while they have a place. */
  address: number;
  hasPlace = true;
  /** The same bytes on the host, where there is a copy. */
  copy: ArrayBuffer | undefined;
  pins = 0;
  older: Resident | undefined;
  newer: Resident | undefined;

  constructor(owner: Residency, byteLength: number, address: number, copy: ArrayBuffer | undefined) {
    this.owner = owner;
    this.byteLength = byteLength;
    this.address = address;
    this.copy = copy;
  }

  read(): ArrayBuffer {
    return this.owner.read(this);
  }

  release(): void {
    this.owner.forget(this);
  }
}

/**
 * Which storages lie in the device's memory, and where. Over the budget the least recently used move out to plain
 * ArrayBuffers, which the garbage collector then frees by itself, also inside one synchronous loop. A storage that died
 * costs one copy that way; where the event loop turns, its place is freed before, without a copy.
 */
export class Residency {
  readonly #heap: Heap;
  readonly #memory: DeviceBytes;
  readonly #budgetBytes: number;
  readonly #dead = new FinalizationRegistry<Resident>((resident) => this.forget(resident));
  #oldest: Resident | undefined;
  #newest: Resident | undefined;
  #bytes = 0;
  #count = 0;
  #evictions = 0;

  constructor(heap: Heap, memory: DeviceBytes, budgetBytes: number) {
    this.#heap = heap;
    this.#memory = memory;
    this.#budgetBytes = budgetBytes;
  }

  get statistics(): { readonly bytes: number; readonly count: number; readonly evictions: number } {
    return { bytes: this.#bytes, count: this.#count, evictions: this.#evictions };
  }

  /** The address of the storage's bytes, which are copied in if they are not there; now the most recently used. */
  ensure(storage: Storage): number {
    const resident = this.#residentOf(storage);
    if (resident) {
      this.#toFront(resident);
      return resident.address;
    }
    const bytes = storage.atRest();
    const address = this.reserve(storage.byteLength);
    new Uint8Array(this.#memory.buffer, address, storage.byteLength).set(new Uint8Array(bytes, 0, storage.byteLength));
    const isKept = storage.byteLength <= keptCopyBytes;
    if (!isKept) storage.bytes = undefined;
    this.#admit(storage, address, isKept ? bytes : undefined);
    return address;
  }

  /** A place that is nobody's yet, for an output or an arena; others move out where there is no room. */
  reserve(byteLength: number): number {
    for (;;) {
      const address = this.#heap.tryAllocate(byteLength);
      if (address !== undefined) return address;
      if (!this.#evictOldest()) return this.#heap.allocate(byteLength); // throws, with the figures
    }
  }

  /** Gives back what `reserve` or `take` handed out. */
  free(address: number): void {
    this.#heap.free(address);
  }

  /** The storage's bytes lie at `address` from now on: an output that was written to a reserved place. */
  adopt(storage: Storage, address: number): void {
    if (this.#residentOf(storage)) throw new InternalError('device: a storage is adopted that is resident already');
    this.#admit(storage, address, storage.bytes);
  }

  /** Hands the storage's place over to the caller, who writes it anew: for donated storages. The storage has no bytes then. */
  take(storage: Storage): number {
    const address = this.ensure(storage);
    const resident = this.#residentOf(storage)!;
    this.#drop(resident);
    storage.residence = undefined;
    return address;
  }

  /** Marks the storage as just used. */
  touch(storage: Storage): void {
    const resident = this.#residentOf(storage);
    if (resident) this.#toFront(resident);
  }

  /** Makes the storage resident and keeps it where it is until `unpin`; pins count. */
  pin(storage: Storage): number {
    const address = this.ensure(storage);
    this.#residentOf(storage)!.pins++;
    return address;
  }

  unpin(storage: Storage): void {
    const resident = this.#residentOf(storage);
    if (!resident || resident.pins === 0) throw new InternalError('device: a storage is unpinned that is not pinned');
    resident.pins--;
  }

  /** Moves the storage out of the device memory, to rest. */
  evict(storage: Storage): void {
    const resident = this.#residentOf(storage);
    if (resident) this.#evict(resident);
  }

  /** The storage is dead or its bytes are of no use any more: frees its place without a copy. */
  release(storage: Storage): void {
    const resident = this.#residentOf(storage);
    if (resident) this.forget(resident);
    if (resident) storage.residence = undefined;
  }

  /** A resident's bytes on the host. Called by the resident. */
  read(resident: Resident): ArrayBuffer {
    if (!resident.copy) {
      if (!resident.hasPlace) throw new InternalError('device: a storage is read whose place was given up');
      const bytes = new Uint8Array(resident.byteLength);
      bytes.set(new Uint8Array(this.#memory.buffer, resident.address, resident.byteLength));
      resident.copy = bytes.buffer;
    }
    return resident.copy;
  }

  /** Frees a resident's place; its storage is dead or about to be overwritten. Called by the resident. */
  forget(resident: Resident): void {
    if (!resident.hasPlace) return;
    if (resident.pins > 0) throw new InternalError('device: the place of a pinned storage is given up');
    this.#drop(resident);
    this.#heap.free(resident.address);
  }

  #residentOf({ residence }: Storage): Resident | undefined {
    return residence instanceof Resident && residence.owner === this && residence.hasPlace ? residence : undefined;
  }

  #admit(storage: Storage, address: number, copy: ArrayBuffer | undefined): void {
    const resident = new Resident(this, storage.byteLength, address, copy);
    storage.residence = resident;
    this.#dead.register(storage, resident, resident);
    this.#append(resident);
    this.#bytes += resident.byteLength;
    this.#count++;
    // the storage at hand stays, however large it is
    resident.pins++;
    while (this.#bytes > this.#budgetBytes || this.#count > mostResidents) if (!this.#evictOldest()) break;
    resident.pins--;
  }

  #evictOldest(): boolean {
    let resident = this.#oldest;
    while (resident && resident.pins > 0) resident = resident.newer;
    if (resident) this.#evict(resident);
    return resident !== undefined;
  }

  #evict(resident: Resident): void {
    this.read(resident);
    this.#evictions++;
    this.forget(resident);
  }

  #drop(resident: Resident): void {
    // A registered cell would hold the resident, with its copy, until the event loop turns.
    this.#dead.unregister(resident);
    resident.hasPlace = false;
    this.#remove(resident);
    this.#bytes -= resident.byteLength;
    this.#count--;
  }

  #toFront(resident: Resident): void {
    if (resident === this.#newest) return;
    this.#remove(resident);
    this.#append(resident);
  }

  #append(resident: Resident): void {
    resident.older = this.#newest;
    if (this.#newest) this.#newest.newer = resident;
    else this.#oldest = resident;
    this.#newest = resident;
  }

  #remove(resident: Resident): void {
    const { older, newer } = resident;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    resident.older = undefined;
    resident.newer = undefined;
  }
}
