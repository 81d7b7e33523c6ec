import { InternalError } from '../../core/index.js';
import type {
  Code,
  FunctionHandle,
  Label,
  LoadName,
  Local,
  MachineOp,
  RegisterType,
  StoreName,
} from '../machine/index.js';
import { type ShuffleName, transposed } from './transpose.js';

/** A body between braces: which locals it sets decides what must be merged where it ends or repeats. */
export interface Region {
  readonly kind: 'block' | 'loop' | 'if';
  readonly result: RegisterType | undefined;
  readonly assigned: Set<number>;
}

/** What was asked of the builder, in its order. */
export type Step =
  | { readonly kind: 'get' | 'set' | 'tee'; readonly local: number }
  | { readonly kind: 'constant'; readonly type: 'i32' | 'f32'; readonly bits: number }
  | { readonly kind: 'vector'; readonly bits: Int32Array }
  | { readonly kind: 'op'; readonly name: MachineOp }
  | { readonly kind: 'load'; readonly name: LoadName; readonly offset: number }
  | { readonly kind: 'store'; readonly name: StoreName; readonly offset: number }
  | { readonly kind: 'loadPartial' | 'storePartial'; readonly count: number; readonly offset: number }
  | { readonly kind: 'gather'; readonly element: 'u8' | '32'; readonly stride: number; readonly offset: number }
  | {
      readonly kind: 'scatter';
      readonly element: 'u8' | '32';
      readonly stride: number;
      readonly count: number;
      readonly offset: number;
    }
  | { readonly kind: 'extractLane' | 'replaceLane'; readonly type: 'i32' | 'f32'; readonly lane: number }
  | { readonly kind: 'shuffle'; readonly name: ShuffleName; readonly imm: number | undefined }
  | { readonly kind: 'atomicAdd'; readonly offset: number }
  | { readonly kind: 'call'; readonly target: X64FunctionBuilder }
  | { readonly kind: 'start'; readonly region: Region }
  | { readonly kind: 'br' | 'brIf'; readonly depth: number }
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: 'select' | 'sumLanes' | 'return' | 'drop' | 'else' | 'end' };

const floatBits = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0]!;

/** The body of one function: takes down what it is asked for; the module makes machine code of it. */
export class X64FunctionBuilder implements Code, FunctionHandle {
  readonly lanes: number;
  readonly name: string;
  readonly parameters: readonly RegisterType[];
  readonly results: readonly RegisterType[];
  readonly params: readonly Local[];
  readonly locals: Local[] = [];
  readonly steps: Step[] = [];
  readonly #free: Record<RegisterType, Local[]> = { i32: [], f32: [], vector: [] };
  readonly #regions: Region[] = [];
  readonly #labels: Label[] = [];

  /** Made by `X64ModuleBuilder.function`. */
  constructor(name: string, lanes: number, parameters: readonly RegisterType[], results: readonly RegisterType[] = []) {
    this.name = name;
    this.lanes = lanes;
    this.parameters = parameters;
    this.results = results;
    this.params = parameters.map((type) => this.#declare(type));
  }

  #declare(type: RegisterType): Local {
    const local: Local = { index: this.locals.length, type };
    this.locals.push(local);
    return local;
  }

  #check(local: Local): number {
    if (this.locals[local.index] !== local) this.#broken(`local ${local.index} belongs to another function`);
    return local.index;
  }

  #broken(what: string): never {
    throw new InternalError(`x64: ${this.name}: ${what}`);
  }

  #add(step: Step): this {
    this.steps.push(step);
    return this;
  }

  /** A register: one that was freed, with whatever it holds, or a fresh one, which is zero. */
  local(type: RegisterType): Local {
    return this.#free[type].pop() ?? this.#declare(type);
  }

  free(local: Local): this {
    this.#check(local);
    const free = this.#free[local.type];
    if (free.includes(local)) this.#broken(`local ${local.index} is freed twice`);
    free.push(local);
    return this;
  }

  get(local: Local): this {
    return this.#add({ kind: 'get', local: this.#check(local) });
  }

  set(local: Local): this {
    return this.#assign('set', local);
  }

  tee(local: Local): this {
    return this.#assign('tee', local);
  }

  #assign(kind: 'set' | 'tee', local: Local): this {
    const index = this.#check(local);
    for (const { assigned } of this.#regions) assigned.add(index);
    return this.#add({ kind, local: index });
  }

  i32(value: number): this {
    return this.#add({ kind: 'constant', type: 'i32', bits: value | 0 });
  }

  f32(value: number): this {
    return this.#add({ kind: 'constant', type: 'f32', bits: floatBits(value) });
  }

  vector(type: 'i32' | 'f32', value: number | ((lane: number) => number)): this {
    const at = typeof value === 'number' ? () => value : value;
    const bits = Int32Array.from({ length: this.lanes }, (_, lane) =>
      type === 'i32' ? at(lane) | 0 : floatBits(at(lane)),
    );
    return this.#add({ kind: 'vector', bits });
  }

  op(name: MachineOp): this {
    return this.#add({ kind: 'op', name });
  }

  load(name: LoadName, offset = 0): this {
    return this.#add({ kind: 'load', name, offset });
  }

  store(name: StoreName, offset = 0): this {
    return this.#add({ kind: 'store', name, offset });
  }

  loadPartial(count: number, offset = 0): this {
    this.#checkCount(count);
    return this.#add({ kind: 'loadPartial', count, offset });
  }

  storePartial(count: number, offset = 0): this {
    this.#checkCount(count);
    return this.#add({ kind: 'storePartial', count, offset });
  }

  #checkCount(count: number): void {
    if (!Number.isInteger(count) || count < 1 || count > this.lanes)
      this.#broken(`1 to ${this.lanes} lanes can be read or written: got ${count}`);
  }

  gather(element: 'u8' | '32', stride: number, offset = 0): this {
    return this.#add({ kind: 'gather', element, stride, offset });
  }

  scatter(element: 'u8' | '32', stride: number, count: number, offset = 0): this {
    this.#checkCount(count);
    return this.#add({ kind: 'scatter', element, stride, count, offset });
  }

  extractLane(type: 'i32' | 'f32', lane: number): this {
    return this.#lane('extractLane', type, lane);
  }

  replaceLane(type: 'i32' | 'f32', lane: number): this {
    return this.#lane('replaceLane', type, lane);
  }

  #lane(kind: 'extractLane' | 'replaceLane', type: 'i32' | 'f32', lane: number): this {
    if (!Number.isInteger(lane) || lane < 0 || lane >= this.lanes)
      this.#broken(`lanes are 0 to ${this.lanes - 1}: got ${lane}`);
    return this.#add({ kind, type, lane });
  }

  sumLanes(): this {
    return this.#add({ kind: 'sumLanes' });
  }

  get canTranspose(): boolean {
    return true;
  }

  transpose(rows: readonly Local[]): this {
    if (rows.length !== this.lanes) this.#broken(`${this.lanes} rows can be transposed: got ${rows.length}`);
    const locals: Local[] = [];
    const result = transposed(rows, this.lanes, (name, a, b, imm) => {
      const local = this.local('vector');
      this.get(a).get(b).#add({ kind: 'shuffle', name, imm }).set(local);
      locals.push(local);
      return local;
    });
    rows.forEach((row, i) => {
      this.get(result[i]!).set(row);
    });
    for (const local of locals) this.free(local);
    return this;
  }

  select(): this {
    return this.#add({ kind: 'select' });
  }

  zeroMemory(): this {
    const [address, rest] = [this.local('i32'), this.local('i32')];
    const bytes = 4 * this.lanes;
    const clear = (step: number, store: () => void): void => {
      this.block((done) => {
        this.get(rest).i32(step).op('i32.lessUnsigned').brIf(done);
        this.loop((again) => {
          store();
          this.get(address).i32(step).op('i32.add').set(address);
          this.get(rest).i32(step).op('i32.sub').tee(rest);
          this.i32(step).op('i32.greaterEqualUnsigned').brIf(again);
        });
      });
    };
    this.set(rest).set(address);
    clear(4 * bytes, () => {
      for (let i = 0; i < 4; i++)
        this.get(address)
          .vector('i32', 0)
          .store('vector', i * bytes);
    });
    clear(bytes, () => this.get(address).vector('i32', 0).store('vector'));
    clear(4, () => this.get(address).i32(0).store('i32'));
    return this.free(address).free(rest);
  }

  atomicAdd(offset = 0): this {
    return this.#add({ kind: 'atomicAdd', offset });
  }

  block(body: (exit: Label) => void): this {
    this.#start('block');
    this.#body(body);
    return this.#end();
  }

  loop(body: (again: Label) => void): this {
    this.#start('loop');
    this.#body(body);
    return this.#end();
  }

  if_(whenTrue: (exit: Label) => void, whenFalse?: (exit: Label) => void, result?: RegisterType): this {
    this.#start('if', result);
    this.#body(whenTrue);
    this.#add({ kind: 'else' });
    if (whenFalse) this.#body(whenFalse);
    return this.#end();
  }

  #start(kind: Region['kind'], result?: RegisterType): void {
    const region: Region = { kind, result, assigned: new Set() };
    this.#regions.push(region);
    this.#add({ kind: 'start', region });
  }

  #body(body: (label: Label) => void): void {
    const label: Label = { depth: this.#regions.length - 1 };
    this.#labels.push(label);
    body(label);
    this.#labels.pop();
  }

  #end(): this {
    this.#regions.pop();
    return this.#add({ kind: 'end' });
  }

  br(label: Label): this {
    return this.#add({ kind: 'br', depth: this.#depth(label) });
  }

  brIf(label: Label): this {
    return this.#add({ kind: 'brIf', depth: this.#depth(label) });
  }

  #depth(label: Label): number {
    if (this.#labels[label.depth] !== label) this.#broken(`branch to a label of depth ${label.depth} outside its body`);
    return label.depth;
  }

  call(target: FunctionHandle): this {
    if (!(target instanceof X64FunctionBuilder)) this.#broken(`${target.name} is no function of this module`);
    return this.#add({ kind: 'call', target });
  }

  return_(): this {
    return this.#add({ kind: 'return' });
  }

  drop(): this {
    return this.#add({ kind: 'drop' });
  }

  comment(text: string): this {
    return this.#add({ kind: 'comment', text });
  }
}
