import type { LoadName, MachineOp, RegisterType, StoreName } from '../machine/index.js';

/** What a value is computed by. Stores, calls and the like are values of type 'none'. */
export type ValueOp =
  | MachineOp
  | 'constant'
  | 'parameter'
  | 'phi'
  | 'select'
  | 'loadPartial'
  | 'storePartial'
  | 'gather.u8'
  | 'gather.32'
  | 'scatter.u8'
  | 'scatter.32'
  | 'extractLane.i32'
  | 'extractLane.f32'
  | 'replaceLane.i32'
  | 'replaceLane.f32'
  | 'sumLanes'
  | 'shuffle'
  | 'atomicAdd'
  | 'call'
  | 'comment'
  | `load.${LoadName}`
  | `store.${StoreName}`;

/** One value in static single assignment form. */
export class Value {
  readonly id: number;
  readonly op: ValueOp;
  readonly type: RegisterType | 'none';
  /** Addresses come first; a phi has one for each predecessor of its block. */
  readonly args: Value[];
  readonly block: Block;
  /** An offset, lane, integer, or a float's bits. */
  readonly imm: number;
  /** Lanes of a constant vector, as bits; count and stride of partial accesses; the callee; a shuffle's instruction; a remark. */
  readonly data: unknown;
  isLive = false;
  uses = 0;
  /** The only user, where there is one: a value, or the block whose terminator it is. */
  user: Value | Block | undefined;

  constructor(
    id: number,
    op: ValueOp,
    type: RegisterType | 'none',
    args: Value[],
    block: Block,
    imm: number,
    data: unknown,
  ) {
    this.id = id;
    this.op = op;
    this.type = type;
    this.args = args;
    this.block = block;
    this.imm = imm;
    this.data = data;
  }
}

/** How many lanes a partial access has, and how far apart they are in bytes. */
export interface Lanes {
  readonly count: number;
  readonly stride: number;
}

export type Terminator =
  | { readonly kind: 'jump'; readonly to: Block }
  | { readonly kind: 'branch'; readonly condition: Value; readonly whenTrue: Block; readonly whenFalse: Block }
  | { readonly kind: 'return'; readonly value: Value | undefined };

/** A run of values without branches. Only blocks that end in a jump lead to blocks with phis. */
export class Block {
  /** Position among the blocks, which is also their order in the code. */
  readonly order: number;
  readonly loop: Loop | undefined;
  readonly phis: Value[] = [];
  readonly values: Value[] = [];
  readonly predecessors: Block[] = [];
  terminator: Terminator | undefined;

  constructor(order: number, loop: Loop | undefined) {
    this.order = order;
    this.loop = loop;
  }
}

/** Blocks that repeat: neighbours in the order, entered by the first one only. */
export class Loop {
  readonly parent: Loop | undefined;
  readonly depth: number;
  /** The block that runs once before. */
  readonly preheader: Block;
  header!: Block;
  /** Order of the last block. */
  last = 0;
  hasInner = false;

  constructor(parent: Loop | undefined, preheader: Block) {
    this.parent = parent;
    this.depth = (parent?.depth ?? 0) + 1;
    this.preheader = preheader;
    if (parent) parent.hasInner = true;
  }
}

/** A function as values in blocks. */
export interface SsaFunction {
  readonly parameters: readonly Value[];
  readonly blocks: readonly Block[];
  readonly valueCount: number;
}

const comparisonNames = 'equal notEqual less lessEqual greater greaterEqual'.split(' ');
const comparisonsOf = (prefix: string): string[] => comparisonNames.map((name) => `${prefix}.${name}`);

export const integerComparisons: ReadonlySet<ValueOp> = new Set([
  ...comparisonsOf('i32'),
  'i32.lessUnsigned',
  'i32.greaterEqualUnsigned',
  'i32.isZero',
] as ValueOp[]);
export const floatComparisons: ReadonlySet<ValueOp> = new Set(comparisonsOf('f32') as ValueOp[]);
export const vectorComparisons: ReadonlySet<ValueOp> = new Set([
  ...comparisonsOf('vector.i32'),
  ...comparisonsOf('vector.f32'),
] as ValueOp[]);

/** Values that read or write memory, or must stay where they are. */
export const hasEffect = (op: ValueOp): boolean =>
  op.startsWith('store') || op.startsWith('scatter') || op === 'atomicAdd' || op === 'call' || op === 'comment';
export const readsMemory = (op: ValueOp): boolean => op.startsWith('load') || op.startsWith('gather');
