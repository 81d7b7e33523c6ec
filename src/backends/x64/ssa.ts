import { InternalError } from '../../core/index.js';
import type { RegisterType } from '../machine/index.js';
import type { Region, Step, X64FunctionBuilder } from './function-builder.js';
import {
  Block,
  floatComparisons,
  hasEffect,
  integerComparisons,
  Loop,
  readsMemory,
  type SsaFunction,
  Value,
  type ValueOp,
  vectorComparisons,
} from './ir.js';
import { simplify } from './simplify.js';

/** Makes values in blocks of what was asked of a builder; each local becomes the values it has in turn. */
export const toSsa = (f: X64FunctionBuilder): SsaFunction => new SsaBuilder(f).build();

/** Where a region is left or repeated from: a block that jumps there, with the locals' values then, in the region's order. */
interface Incoming {
  readonly block: Block;
  readonly values: readonly Value[];
}

interface Frame {
  readonly region: Region;
  /** Locals that are set inside. */
  readonly assigned: readonly number[];
  readonly incoming: Incoming[];
  /** Loops: their first block, whose phis are in the order of `assigned`. */
  readonly header: Block | undefined;
  /** Ifs: where the other branch begins, and the locals at that time. */
  otherwise: Block | undefined;
  readonly before: readonly Value[];
  readonly stackHeight: number;
}

class SsaBuilder {
  readonly #f: X64FunctionBuilder;
  readonly #blocks: Block[] = [];
  readonly #constants = new Map<string, Value>();
  readonly #stack: Value[] = [];
  readonly #defs: Value[] = [];
  readonly #frames: Frame[] = [];
  /** What was computed already where the code now is; and what of it each body computed, the outermost first. */
  readonly #computed = new Map<string, Value>();
  readonly #scopes: string[][] = [[]];
  readonly #parameters: Value[];
  readonly #entry: Block;
  #loop: Loop | undefined;
  /** undefined where nothing can be reached. */
  #block: Block | undefined;
  #values = 0;

  constructor(f: X64FunctionBuilder) {
    this.#f = f;
    this.#entry = this.#newBlock();
    this.#block = this.#entry;
    this.#parameters = f.parameters.map((type, i) => this.#value('parameter', type, [], this.#entry, i));
    f.locals.forEach((local, i) => {
      this.#defs.push(this.#parameters[i] ?? this.#zero(local.type));
    });
  }

  build(): SsaFunction {
    const { steps, results } = this.#f;
    for (const step of steps) {
      if (this.#block || step.kind === 'start' || step.kind === 'else' || step.kind === 'end') this.#step(step);
    }
    if (this.#block) this.#return(results.length > 0 ? this.#pop() : undefined);
    markLive(this.#blocks);
    return { parameters: this.#parameters, blocks: this.#blocks, valueCount: this.#values };
  }

  #newBlock(): Block {
    const block = new Block(this.#blocks.length, this.#loop);
    this.#blocks.push(block);
    return block;
  }

  #value(
    op: ValueOp,
    type: RegisterType | 'none',
    args: Value[],
    block: Block,
    imm = 0,
    data: unknown = undefined,
  ): Value {
    return new Value(this.#values++, op, type, args, block, imm, data);
  }

  #zero(type: RegisterType): Value {
    return type === 'vector' ? this.#vector(new Int32Array(this.#f.lanes)) : this.#constant(type, 0);
  }

  #constant(type: 'i32' | 'f32', bits: number): Value {
    return this.#known(`${type} ${bits}`, () => this.#value('constant', type, [], this.#entry, bits));
  }

  #vector(bits: Int32Array): Value {
    return this.#known(wordsKey(bits), () => this.#value('constant', 'vector', [], this.#entry, 0, bits));
  }

  #known(key: string, make: () => Value): Value {
    let value = this.#constants.get(key);
    if (!value) {
      value = make();
      this.#constants.set(key, value);
    }
    return value;
  }

  /** A computed value, simplified, and before the loops it does not depend on. */
  #make = (op: ValueOp, type: RegisterType | 'none', args: Value[], imm = 0, data: unknown = undefined): Value => {
    const simpler = simplify(op, args, imm, data, this.#make, (value) => this.#constant('i32', value));
    if (simpler) return simpler;
    const isMovable = !hasEffect(op) && !readsMemory(op) && !integerComparisons.has(op) && !floatComparisons.has(op);
    let block = this.#block!;
    let scope = this.#scopes.length - 1;
    if (isMovable) {
      let { loop } = block;
      while (loop && args.every((arg) => arg.op === 'constant' || arg.block.order < loop!.header.order)) {
        block = loop.preheader;
        loop = loop.parent;
        do scope--;
        while (this.#frames[scope]!.header === undefined);
      }
    }
    const isShared = isMovable && !vectorComparisons.has(op) && op !== 'shuffle';
    const key = isShared ? keyOf(op, imm, args) : '';
    if (isShared) {
      const known = this.#computed.get(key);
      if (known) return known;
    }
    const value = this.#value(op, type, args, block, imm, data);
    block.values.push(value);
    if (isShared) {
      this.#computed.set(key, value);
      this.#scopes[scope]!.push(key);
    }
    return value;
  };

  /** What the innermost body computed is not computed where the code goes on. */
  #forget(): void {
    const scope = this.#scopes.at(-1)!;
    for (const key of scope) this.#computed.delete(key);
    scope.length = 0;
  }

  #pop(): Value {
    const value = this.#stack.pop();
    if (!value) throw new InternalError(`x64: ${this.#f.name}: an operand is missing`);
    return value;
  }

  #pops(count: number): Value[] {
    const args = new Array<Value>(count);
    for (let i = count - 1; i >= 0; i--) args[i] = this.#pop();
    return args;
  }

  #push(value: Value): void {
    this.#stack.push(value);
  }

  #step(step: Step): void {
    switch (step.kind) {
      case 'get':
        this.#push(this.#defs[step.local]!);
        return;
      case 'set':
        this.#defs[step.local] = this.#pop();
        return;
      case 'tee':
        this.#defs[step.local] = this.#stack.at(-1)!;
        return;
      case 'constant':
        this.#push(this.#constant(step.type, step.bits));
        return;
      case 'vector':
        this.#push(this.#vector(step.bits));
        return;
      case 'op':
        this.#push(this.#make(step.name, resultType(step.name), this.#pops(operandCount(step.name))));
        return;
      case 'load':
        this.#push(this.#make(`load.${step.name}`, loadType(step.name), this.#pops(1), step.offset));
        return;
      case 'store':
        this.#make(`store.${step.name}`, 'none', this.#pops(2), step.offset);
        return;
      case 'loadPartial':
        if (step.count === this.#f.lanes) this.#push(this.#make('load.vector', 'vector', this.#pops(1), step.offset));
        else this.#push(this.#make('loadPartial', 'vector', this.#pops(1), step.offset, { ...step, stride: 4 }));
        return;
      case 'storePartial':
        if (step.count === this.#f.lanes) this.#make('store.vector', 'none', this.#pops(2), step.offset);
        else this.#make('storePartial', 'none', this.#pops(2), step.offset, { ...step, stride: 4 });
        return;
      case 'gather':
        this.#push(
          this.#make(`gather.${step.element}`, 'vector', this.#pops(1), step.offset, {
            count: this.#f.lanes,
            stride: step.stride,
          }),
        );
        return;
      case 'scatter':
        this.#make(`scatter.${step.element}`, 'none', this.#pops(2), step.offset, step);
        return;
      case 'extractLane':
        this.#push(this.#make(`extractLane.${step.type}`, step.type, this.#pops(1), step.lane));
        return;
      case 'replaceLane':
        this.#push(this.#make(`replaceLane.${step.type}`, 'vector', this.#pops(2), step.lane));
        return;
      case 'sumLanes':
        this.#push(this.#make('sumLanes', 'f32', this.#pops(1)));
        return;
      case 'shuffle':
        this.#push(this.#make('shuffle', 'vector', this.#pops(2), step.imm ?? 0, step));
        return;
      case 'select': {
        const [a, b, condition] = this.#pops(3) as [Value, Value, Value];
        this.#push(this.#make('select', a.type, [a, b, condition]));
        return;
      }
      case 'atomicAdd':
        this.#push(this.#make('atomicAdd', 'i32', this.#pops(2), step.offset));
        return;
      case 'call': {
        const { parameters, results } = step.target;
        const result = this.#make('call', results[0] ?? 'none', this.#pops(parameters.length), 0, step.target);
        if (results.length > 0) this.#push(result);
        return;
      }
      case 'comment':
        this.#make('comment', 'none', [], 0, step.text);
        return;
      case 'drop':
        this.#pop();
        return;
      case 'return':
        this.#return(this.#f.results.length > 0 ? this.#pop() : undefined);
        return;
      case 'br':
        this.#leave(this.#frames[step.depth]!, this.#block!);
        this.#block = undefined;
        return;
      case 'brIf':
        this.#branchIf(this.#frames[step.depth]!);
        return;
      case 'start':
        this.#start(step.region);
        return;
      case 'else':
        this.#else();
        return;
      case 'end':
        this.#end();
    }
  }

  #return(value: Value | undefined): void {
    this.#block!.terminator = { kind: 'return', value };
    this.#block = undefined;
  }

  #jump(from: Block, to: Block): void {
    from.terminator = { kind: 'jump', to };
    to.predecessors.push(from);
  }

  #branch(condition: Value, whenTrue: Block, whenFalse: Block): void {
    this.#block!.terminator = { kind: 'branch', condition, whenTrue, whenFalse };
    whenTrue.predecessors.push(this.#block!);
    whenFalse.predecessors.push(this.#block!);
  }

  /** Every conditional branch leads to blocks of its own, where phis find room for their moves. */
  #branchIf(frame: Frame): void {
    const condition = this.#pop();
    if (condition.op === 'constant') {
      if (condition.imm === 0) return;
      this.#leave(frame, this.#block!);
      this.#block = undefined;
      return;
    }
    const edge = this.#newBlock();
    const next = this.#newBlock();
    this.#branch(condition, edge, next);
    this.#leave(frame, edge);
    this.#block = next;
  }

  #current(frame: Frame): Value[] {
    const values = frame.assigned.map((local) => this.#defs[local]!);
    return values;
  }

  /** Jumps from a block to a region's end, or to the start of a loop. */
  #leave(frame: Frame, from: Block): void {
    const values = this.#current(frame);
    if (frame.header) {
      this.#jump(from, frame.header);
      frame.header.phis.forEach((phi, i) => {
        phi.args.push(values[i]!);
      });
    } else {
      if (frame.region.result) values.push(this.#stack.at(-1)!);
      frame.incoming.push({ block: from, values });
    }
  }

  #start(region: Region): void {
    const assigned = [...region.assigned];
    const isReached = this.#block !== undefined;
    let header: Block | undefined;
    let otherwise: Block | undefined;
    let before: Value[] = [];
    if (isReached && region.kind === 'loop') {
      const preheader = this.#block!;
      this.#loop = new Loop(this.#loop, preheader);
      header = this.#newBlock();
      this.#loop.header = header;
      for (const local of assigned) {
        const def = this.#defs[local]!;
        const phi = this.#value('phi', def.type, [def], header);
        header.phis.push(phi);
        this.#defs[local] = phi;
      }
      this.#jump(preheader, header);
      this.#block = header;
    } else if (isReached && region.kind === 'if') {
      const condition = this.#pop();
      const then = this.#newBlock();
      // numbered where it stands: after all blocks of the first branch
      otherwise = new Block(-1, this.#loop);
      this.#branch(condition, then, otherwise);
      before = assigned.map((local) => this.#defs[local]!);
      this.#block = then;
    }
    this.#scopes.push([]);
    this.#frames.push({
      region,
      assigned,
      incoming: [],
      header,
      otherwise,
      before,
      stackHeight: this.#stack.length,
    });
  }

  #else(): void {
    const frame = this.#frames.at(-1)!;
    const { otherwise, assigned, before } = frame;
    if (!otherwise) return;
    if (this.#block) this.#leave(frame, this.#block);
    this.#stack.length = frame.stackHeight;
    const placed = this.#newBlock();
    const branch = otherwise.predecessors[0]!;
    const terminator = branch.terminator as Extract<Block['terminator'], { kind: 'branch' }>;
    branch.terminator = { ...terminator, whenFalse: placed };
    placed.predecessors.push(branch);
    assigned.forEach((local, i) => {
      this.#defs[local] = before[i]!;
    });
    this.#block = placed;
    this.#forget();
  }

  #end(): void {
    const frame = this.#frames.pop()!;
    this.#forget();
    this.#scopes.pop();
    const { region, incoming, header } = frame;
    if (header) {
      const loop = header.loop!;
      loop.last = this.#blocks.length - 1;
      this.#loop = loop.parent;
      if (!this.#block) return;
      const next = this.#newBlock();
      this.#jump(this.#block, next);
      this.#block = next;
      return;
    }
    if (region.kind === 'loop') return;
    if (this.#block) {
      if (incoming.length === 0) return;
      this.#leave(frame, this.#block);
    }
    this.#stack.length = frame.stackHeight;
    if (incoming.length === 0) return;
    const join = this.#newBlock();
    for (const { block } of incoming) this.#jump(block, join);
    const merge = (at: number): Value => {
      const [first, ...others] = incoming.map(({ values }) => values[at]!);
      if (others.every((other) => other === first)) return first!;
      const phi = this.#value('phi', first!.type, [first!, ...others], join);
      join.phis.push(phi);
      return phi;
    };
    frame.assigned.forEach((local, i) => {
      this.#defs[local] = merge(i);
    });
    if (region.result) this.#push(merge(frame.assigned.length));
    this.#block = join;
  }
}

function keyOf(op: ValueOp, imm: number, args: readonly Value[]): string {
  let key = `${op} ${imm}`;
  for (const { id } of args) key += ` ${id}`;
  return key;
}

/** Marks what stores, calls and branches depend on, and counts uses; the rest is never computed. */
function markLive(blocks: readonly Block[]): void {
  const work: Value[] = [];
  const use = (value: Value, user: Value | Block): void => {
    value.user = value.uses++ === 0 ? user : undefined;
    if (value.isLive) return;
    value.isLive = true;
    work.push(value);
  };
  for (const block of blocks) {
    for (const value of block.values) {
      if (!hasEffect(value.op) || value.isLive) continue;
      value.isLive = true;
      work.push(value);
    }
    const { terminator } = block;
    if (terminator?.kind === 'branch') use(terminator.condition, block);
    else if (terminator?.kind === 'return' && terminator.value) use(terminator.value, block);
  }
  while (work.length > 0) {
    const value = work.pop()!;
    for (const arg of value.args) use(arg, value);
  }
}

/** Most vectors known have the same number in each lane. */
function wordsKey(words: Int32Array): string {
  const first = words[0]!;
  return words.every((word) => word === first) ? `each ${first}` : words.join();
}

function resultType(name: string): RegisterType {
  if (name.startsWith('vector')) return 'vector';
  if (name === 'i32.toFloat' || name === 'i32.floatBits') return 'f32';
  if (name === 'f32.toInt' || name === 'f32.intBits') return 'i32';
  if (name.startsWith('i32') || floatComparisons.has(name as ValueOp)) return 'i32';
  return 'f32';
}

const unaryNames = new Set('neg abs sqrt floor round isZero toFloat toInt floatBits intBits splat not'.split(' '));
const operandCount = (name: string): number => {
  const last = name.slice(name.lastIndexOf('.') + 1);
  if (unaryNames.has(last)) return 1;
  return last === 'madd' || last === 'select' ? 3 : 2;
};

function loadType(name: string): RegisterType {
  if (name === 'f32') return 'f32';
  return name === 'i32' || name === 'u8' ? 'i32' : 'vector';
}
