import { InternalError } from '../../core/index.js';
import type { RegisterType } from '../machine/index.js';
import { coalesce, replaceSources } from './coalesce.js';
import { argumentPlaces, registersOf } from './convention.js';
import { staysHome } from './homes.js';
import type { Instruction, MachineBlock, MachineFunction, MachineLoop, VirtualRegister } from './instructions.js';
import { forEachDefinition, forEachUse, liveRanges, type Ranges } from './liveness.js';
import { type Interval, Occupancy, Queue } from './registers.js';

/** Where a register that got no machine register has its value. */
export type Home =
  | { readonly kind: 'slot'; readonly offset: number }
  | { readonly kind: 'incoming'; readonly slot: number }
  | { readonly kind: 'constant' };

export interface Allocation {
  /** Machine registers by virtual ones. */
  readonly registers: readonly (number | undefined)[];
  readonly types: readonly RegisterType[];
  homeOf(register: VirtualRegister): Home;
  /** The register that a piece of a life is part of. */
  rootOf(register: VirtualRegister): VirtualRegister;
  readonly frameBytes: number;
}

/** What a use in a loop counts more than one outside. */
const loopFactor = 8;
/**
 * No use outside a loop weighs as much as one inside. Constants, which are read from memory without having been stored
 * there, count as one loop further out.
 */
const loopWeight = 2 ** 20;
/** Lives of a few instructions weigh alike. */
const shortLife = 24;

/**
 * Gives virtual registers machine registers: those that inner loops use first. One that gets none is at home in memory;
 * in each loop that uses it, it tries again as a piece of its own, read before the loop, then in the loops inside that one.
 * What is left reads it from memory where the instruction can, or through a register for just one instruction.
 * Constants are treated as if they had got no register.
 * @see Briggs, Cooper & Torczon 1994 and LLVM's greedy allocator, of which this is the simplest part
 */
export function allocate(f: MachineFunction, parameters: readonly RegisterType[], lanes: number): Allocation {
  const ranges = liveRanges(f);
  coalesce(f, ranges);
  return new Allocator(f, ranges, parameters, lanes).run();
}

class Allocator implements Allocation {
  readonly registers: (number | undefined)[] = [];
  readonly types: RegisterType[];
  readonly #f: MachineFunction;
  readonly #ranges: Ranges[];
  readonly #instructions: Instruction[] = [];
  readonly #blockOf: MachineBlock[] = [];
  readonly #occurrences: number[][];
  readonly #hints = new Map<VirtualRegister, number[]>();
  readonly #calls: number[] = [];
  readonly #roots = new Map<VirtualRegister, VirtualRegister>();
  readonly #homes = new Map<VirtualRegister, Home>();
  readonly #incoming = new Map<VirtualRegister, number>();
  readonly #integers = new Map(registersOf.integers.map((register) => [register as number, new Occupancy()]));
  readonly #vectors: Map<number, Occupancy>;
  readonly #queue = new Queue();
  readonly #slots: { readonly isVector: boolean; readonly number: number; readonly lives: Occupancy }[] = [];
  #vectorSlots = 0;
  readonly #vectorBytes: number;
  readonly #parameters: readonly RegisterType[];

  constructor(f: MachineFunction, ranges: Ranges[], parameters: readonly RegisterType[], lanes: number) {
    this.#f = f;
    this.#ranges = ranges;
    this.types = f.types.slice();
    this.#parameters = parameters;
    this.#vectorBytes = 4 * lanes;
    this.#vectors = new Map(Array.from({ length: lanes === 16 ? 32 : 16 }, (_, i) => [i, new Occupancy()]));
    this.#occurrences = f.types.map(() => []);
  }

  run(): Allocation {
    for (const block of this.#f.blocks) for (const instruction of block.instructions) this.#survey(instruction, block);
    this.#ranges.forEach((ranges, register) => {
      if (ranges.length > 0) this.#queue.push(this.#interval(register, ranges));
    });
    for (const register of this.#f.constants.keys()) {
      this.#homes.set(register, { kind: 'constant' });
      this.#leaveHome(register, undefined);
    }
    while (!this.#queue.isEmpty) this.#place(this.#queue.pop());
    return this;
  }

  get frameBytes(): number {
    return this.#vectorSlots * this.#vectorBytes + (this.#slots.length - this.#vectorSlots) * 8;
  }

  rootOf(register: VirtualRegister): VirtualRegister {
    return this.#roots.get(register) ?? register;
  }

  homeOf(register: VirtualRegister): Home {
    const home = this.#homes.get(this.rootOf(register));
    if (!home) throw new InternalError(`x64: register ${register} has no place`);
    if (home.kind !== 'slot') return home;
    // vectors first, so that they are aligned
    const slot = this.#slots[home.offset]!;
    const offset = slot.isVector
      ? slot.number * this.#vectorBytes
      : this.#vectorSlots * this.#vectorBytes + slot.number * 8;
    return { kind: 'slot', offset };
  }

  #survey(instruction: Instruction, block: MachineBlock): void {
    const number = this.#instructions.push(instruction) - 1;
    this.#blockOf.push(block);
    const note = (register: VirtualRegister): void => {
      const list = this.#occurrences[register]!;
      if (list[list.length - 1] !== number) list.push(number);
    };
    forEachUse(instruction, note);
    forEachDefinition(instruction, note);
    const { operation, dst, src, moves } = instruction;
    switch (operation) {
      case 'call': {
        this.#calls.push(4 * number + 2);
        const places = argumentPlaces(instruction.callee!.parameters);
        src.forEach((source, i) => {
          const place = places[i]!;
          if (place.kind === 'register') this.#hint(source as number, -1 - place.register);
        });
        return;
      }
      case 'entry': {
        const places = argumentPlaces(this.#parameters);
        for (const { to, from } of moves) {
          const place = places[-1 - from]!;
          if (place.kind === 'register') this.#hint(to, -1 - place.register);
          else this.#incoming.set(to, place.slot);
        }
        return;
      }
      case 'moves':
        for (const { to, from } of moves) this.#connect(to, from);
        return;
      case 'plain':
        return;
      default:
        if (dst === undefined) return;
        for (const source of src) if (typeof source === 'number') this.#connect(dst, source);
    }
  }

  #connect(a: VirtualRegister, b: VirtualRegister): void {
    if ((this.types[a] === 'i32') !== (this.types[b] === 'i32')) return;
    this.#hint(a, b);
    this.#hint(b, a);
  }

  /** The register would do well to be where another is, or in machine register −1 − hint. */
  #hint(register: VirtualRegister, hint: number): void {
    const hints = this.#hints.get(register);
    if (hints) hints.push(hint);
    else this.#hints.set(register, [hint]);
  }

  #depthAt(number: number): number {
    return this.#blockOf[number]!.loop?.depth ?? 0;
  }

  #interval(register: VirtualRegister, ranges: Ranges, loop?: MachineLoop, isPiece = false): Interval {
    const isConstant = this.#f.constants.has(this.rootOf(register));
    let weight = 0;
    let depth = 0;
    for (const number of this.#occurrences[register]!) {
      depth = Math.max(depth, this.#depthAt(number));
      weight += loopFactor ** this.#depthAt(number);
    }
    let length = 0;
    for (let i = 0; i < ranges.length; i += 2) length += (ranges[i + 1]! - ranges[i]!) / 4;
    const block = this.#blockOf[ranges[0]! >> 2]!;
    const isLocal = ranges[ranges.length - 1]! <= 4 * block.end;
    return {
      register,
      ranges,
      isVector: this.types[register] !== 'i32',
      weight: loopWeight * (isConstant ? depth - 1 : depth) + weight / (length + shortLife),
      depth,
      rank: isConstant ? 3 : isPiece ? 2 : isLocal ? 1 : 0,
      loop,
    };
  }

  #crossesCall({ ranges }: Interval): boolean {
    const calls = this.#calls;
    if (calls.length === 0) return false;
    for (let i = 0; i < ranges.length; i += 2) {
      let low = 0;
      let high = calls.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (calls[middle]! < ranges[i]!) low = middle + 1;
        else high = middle;
      }
      if (low < calls.length && calls[low]! < ranges[i + 1]!) return true;
    }
    return false;
  }

  #place(interval: Interval): void {
    if (this.#crossesCall(interval)) {
      this.#leaveHome(interval.register, interval.loop);
      return;
    }
    const files = interval.isVector ? this.#vectors : this.#integers;
    const found = this.#hinted(interval, files) ?? this.#free(interval, files) ?? this.#evict(interval, files);
    if (found !== undefined) {
      files.get(found)!.add(interval);
      this.registers[interval.register] = found;
    } else if (interval.weight === Number.POSITIVE_INFINITY) {
      throw new InternalError('x64: an instruction needs more registers than there are');
    } else {
      this.#leaveHome(interval.register, interval.loop);
    }
  }

  #hinted({ register, ranges }: Interval, files: ReadonlyMap<number, Occupancy>): number | undefined {
    for (const hint of this.#hints.get(register) ?? []) {
      const machine = hint < 0 ? -1 - hint : this.registers[hint];
      if (machine !== undefined && files.get(machine)?.isFree(ranges)) return machine;
    }
    return undefined;
  }

  #free({ ranges }: Interval, files: ReadonlyMap<number, Occupancy>): number | undefined {
    for (const [machine, occupancy] of files) if (occupancy.isFree(ranges)) return machine;
    return undefined;
  }

  /** Takes a register from those that weigh less; they try again. */
  #evict(interval: Interval, files: ReadonlyMap<number, Occupancy>): number | undefined {
    let best: number | undefined;
    let least = interval.weight;
    for (const [machine, occupancy] of files) {
      let most = 0;
      for (const { weight } of occupancy.conflicts(interval.ranges)) most = Math.max(most, weight);
      if (most < least) [best, least] = [machine, most];
    }
    if (best === undefined) return undefined;
    const occupancy = files.get(best)!;
    for (const other of occupancy.conflicts(interval.ranges)) {
      occupancy.remove(other);
      this.registers[other.register] = undefined;
      this.#queue.push(other);
    }
    return best;
  }

  #giveHome(root: VirtualRegister): void {
    if (this.#homes.has(root)) return;
    const incoming = this.#incoming.get(root);
    if (incoming !== undefined) {
      this.#homes.set(root, { kind: 'incoming', slot: incoming });
      return;
    }
    const isVector = this.types[root] === 'vector';
    const ranges = this.#ranges[root]!;
    let index = this.#slots.findIndex((slot) => slot.isVector === isVector && slot.lives.isFree(ranges));
    if (index < 0) {
      const number = isVector ? this.#vectorSlots++ : this.#slots.length - this.#vectorSlots;
      index = this.#slots.push({ isVector, number, lives: new Occupancy() }) - 1;
    }
    this.#slots[index]!.lives.add({ ...this.#interval(root, ranges) });
    this.#homes.set(root, { kind: 'slot', offset: index });
  }

  /** The register's value stays in memory throughout `within`; loops inside it get pieces of its life. */
  #leaveHome(register: VirtualRegister, within: MachineLoop | undefined): void {
    const root = this.rootOf(register);
    this.#giveHome(root);
    const isImmediate = this.#f.constants.has(root) && this.types[root] === 'i32';
    const pieces = new Map<MachineLoop, number[]>();
    for (const number of this.#occurrences[register]!) {
      let { loop } = this.#blockOf[number]!;
      if (loop === within || isImmediate) {
        this.#serve(register, root, number);
        continue;
      }
      while (loop!.parent !== within) loop = loop!.parent;
      const numbers = pieces.get(loop!);
      if (numbers) numbers.push(number);
      else pieces.set(loop!, [number]);
    }
    for (const [loop, numbers] of pieces) this.#makePiece(register, root, loop, numbers);
  }

  #newRegister(root: VirtualRegister, numbers: number[]): VirtualRegister {
    const register = this.types.push(this.types[root]!) - 1;
    this.#roots.set(register, root);
    this.#occurrences[register] = numbers;
    return register;
  }

  #makePiece(register: VirtualRegister, root: VirtualRegister, loop: MachineLoop, numbers: number[]): void {
    const piece = this.#newRegister(root, numbers);
    for (const number of numbers) {
      const instruction = this.#instructions[number]!;
      if (replace(instruction, register, piece)) transferAfter(instruction, piece, root);
    }
    const start = loop.preheader.end - 1;
    transferBefore(this.#instructions[start]!, piece, root);
    this.#queue.push(this.#interval(piece, [4 * start, 4 * loop.last.end], loop, true));
  }

  /** Lets one instruction read a register at home, or gives it a register for this instruction alone. */
  #serve(register: VirtualRegister, root: VirtualRegister, number: number): void {
    const instruction = this.#instructions[number]!;
    const isImmediate = this.#f.constants.has(root) && this.types[root] === 'i32';
    if (staysHome(instruction, register, isImmediate ? 'immediate' : 'memory')) return;
    const own = this.#newRegister(root, [number]);
    let isRead = false;
    let end = 4 * number + 2;
    forEachUse(instruction, (used, isLate) => {
      if (used !== register) return;
      isRead = true;
      if (isLate) end = 4 * number + 3;
    });
    const isWritten = replace(instruction, register, own);
    if (isRead) transferBefore(instruction, own, root);
    if (isWritten) {
      transferAfter(instruction, own, root);
      end = 4 * number + 4;
    }
    const ranges = [isRead ? 4 * number : 4 * number + 2, end];
    this.#queue.push({
      register: own,
      ranges,
      isVector: this.types[root] !== 'i32',
      weight: Number.POSITIVE_INFINITY,
      depth: Number.POSITIVE_INFINITY,
      rank: 0,
      loop: undefined,
    });
  }
}

/** Puts one register in another's place; says whether it is written. */
function replace(instruction: Instruction, from: VirtualRegister, to: VirtualRegister): boolean {
  replaceSources(instruction, (register) => (register === from ? to : register));
  let isWritten = instruction.dst === from;
  if (isWritten) instruction.dst = to;
  for (const move of instruction.moves) {
    if (move.from === from) move.from = to;
    if (move.to !== from) continue;
    move.to = to;
    isWritten = true;
  }
  return isWritten;
}

function transferBefore(instruction: Instruction, register: VirtualRegister, home: VirtualRegister): void {
  instruction.before ??= [];
  instruction.before.push({ register, home });
}

function transferAfter(instruction: Instruction, register: VirtualRegister, home: VirtualRegister): void {
  instruction.after ??= [];
  instruction.after.push({ register, home });
}
