import type {
  Code,
  FunctionHandle,
  Label,
  LoadName,
  Local,
  MachineOp,
  RegisterType,
  StoreName,
} from '../../../src/backends/machine/index.js';

/** A value of the abstract machine: a number (integers signed, floats rounded to 32 bits), or the bits of a vector's lanes. */
type Value = number | Int32Array;

const scratch = new DataView(new ArrayBuffer(4));
export function bitsOf(float: number): number {
  scratch.setFloat32(0, float);
  return scratch.getInt32(0);
}
export function floatOf(bits: number): number {
  scratch.setInt32(0, bits);
  return scratch.getFloat32(0);
}

class Branch {
  readonly label: Label;
  constructor(label: Label) {
    this.label = label;
  }
}
class Return {}

const toInt = (x: number): number => {
  if (Number.isNaN(x)) return 0;
  return Math.max(-0x80000000, Math.min(0x7fffffff, Math.trunc(x))) | 0;
};
const roundToEven = (x: number): number => {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 23) return x;
  const floor = Math.floor(x);
  const rest = x - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  const result = up ? floor + 1 : floor;
  return result === 0 && (x < 0 || Object.is(x, -0)) ? -0 : result;
};

function integer(op: string, a: number, b: number): number {
  switch (op) {
    case 'add':
      return (a + b) | 0;
    case 'sub':
      return (a - b) | 0;
    case 'mul':
      return Math.imul(a, b);
    case 'mulHigh':
      return Number((BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n) | 0;
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
    case 'equal':
      return Number(a === b);
    case 'notEqual':
      return Number(a !== b);
    case 'less':
      return Number(a < b);
    case 'lessEqual':
      return Number(a <= b);
    case 'greater':
      return Number(a > b);
    case 'greaterEqual':
      return Number(a >= b);
    case 'lessUnsigned':
      return Number(a >>> 0 < b >>> 0);
    case 'greaterEqualUnsigned':
      return Number(a >>> 0 >= b >>> 0);
    case 'divSigned':
      return Math.trunc(a / b) | 0;
    case 'divUnsigned':
      return Math.floor((a >>> 0) / (b >>> 0)) | 0;
    case 'remUnsigned':
      return ((a >>> 0) % (b >>> 0)) | 0;
    case 'shiftLeft':
      return a << b;
    case 'shiftRight':
      return a >> b;
    case 'shiftRightLogical':
      return (a >>> b) | 0;
    default:
      throw new Error(`integer ${op}`);
  }
}

function float(op: string, a: number, b: number): number {
  switch (op) {
    case 'add':
      return Math.fround(a + b);
    case 'sub':
      return Math.fround(a - b);
    case 'mul':
      return Math.fround(a * b);
    case 'div':
      return Math.fround(a / b);
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
    case 'equal':
      return Number(a === b);
    case 'notEqual':
      return Number(a !== b);
    case 'less':
      return Number(a < b);
    case 'lessEqual':
      return Number(a <= b);
    case 'greater':
      return Number(a > b);
    case 'greaterEqual':
      return Number(a >= b);
    default:
      throw new Error(`float ${op}`);
  }
}

function unaryFloat(op: string, a: number): number {
  switch (op) {
    case 'neg':
      return -a;
    case 'abs':
      return Math.abs(a);
    case 'sqrt':
      return Math.fround(Math.sqrt(a));
    case 'floor':
      return Math.floor(a);
    case 'round':
      return roundToEven(a);
    default:
      throw new Error(`float ${op}`);
  }
}

const unaryNames = new Set(['neg', 'abs', 'sqrt', 'floor', 'round']);
const comparisonNames = new Set(['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual']);

/** The sum of a·b and c, rounded once: exact in float64 but for the last addition, which is made odd where it is not. */
export function fused(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  if (!Number.isFinite(sum)) return Math.fround(sum);
  const other = sum - product;
  const lost = product - (sum - other) + (c - other);
  if (lost === 0) return Math.fround(sum);
  // rounding to odd before rounding to nearest gives the correct result
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, sum);
  const bits = view.getBigInt64(0);
  if ((bits & 1n) === 0n) {
    const isTowardsZero = lost > 0 !== sum > 0;
    view.setBigInt64(0, isTowardsZero ? bits - 1n : bits + 1n);
  }
  return Math.fround(view.getFloat64(0));
}

/** Runs the abstract machine's code while it is given, step by step: what its operations mean, said once more. */
export class Evaluator implements Code, FunctionHandle {
  readonly name = 'evaluated';
  readonly lanes: number;
  readonly parameters: readonly RegisterType[];
  readonly params: readonly Local[];
  readonly stack: Value[] = [];
  readonly #memory: DataView;
  readonly #values: Value[] = [];
  readonly #free: Local[] = [];
  #depth = 0;
  /** Steps of loops that are left: a test's loops end. */
  fuel = 100_000;

  constructor(lanes: number, parameters: readonly RegisterType[], args: readonly Value[], memory: DataView) {
    this.lanes = lanes;
    this.parameters = parameters;
    this.#memory = memory;
    this.params = parameters.map((type, i) => {
      this.#values.push(args[i]!);
      return { index: i, type };
    });
  }

  /** Runs a body and gives what it leaves on the stack. */
  run(body: (code: Code) => void): Value | undefined {
    try {
      body(this);
    } catch (thrown) {
      if (!(thrown instanceof Return)) throw thrown;
    }
    return this.stack.at(-1);
  }

  #pop(): Value {
    const value = this.stack.pop();
    if (value === undefined) throw new Error('an operand is missing');
    return value;
  }
  #number(): number {
    return this.#pop() as number;
  }
  #lanes(): Int32Array {
    return this.#pop() as Int32Array;
  }
  #push(value: Value): this {
    this.stack.push(value);
    return this;
  }
  #vector(at: (lane: number) => number): this {
    return this.#push(Int32Array.from({ length: this.lanes }, (_, lane) => at(lane)));
  }

  local(type: RegisterType): Local {
    const at = this.#free.findIndex((local) => local.type === type);
    if (at >= 0) return this.#free.splice(at, 1)[0]!;
    this.#values.push(type === 'vector' ? new Int32Array(this.lanes) : 0);
    return { index: this.#values.length - 1, type };
  }
  free(local: Local): this {
    this.#free.push(local);
    return this;
  }
  get(local: Local): this {
    return this.#push(this.#values[local.index]!);
  }
  set(local: Local): this {
    this.#values[local.index] = this.#pop();
    return this;
  }
  tee(local: Local): this {
    this.#values[local.index] = this.stack.at(-1)!;
    return this;
  }
  i32(value: number): this {
    return this.#push(value | 0);
  }
  f32(value: number): this {
    return this.#push(Math.fround(value));
  }
  vector(type: 'i32' | 'f32', value: number | ((lane: number) => number)): this {
    return this.#vector((lane) => {
      const x = typeof value === 'number' ? value : value(lane);
      return type === 'i32' ? x : bitsOf(x);
    });
  }

  op(name: MachineOp): this {
    const [first, ...rest] = name.split('.');
    const op = rest.at(-1)!;
    if (first === 'vector') return this.#vectorOp(rest[0] as 'i32' | 'f32', op);
    if (op === 'toFloat') return this.#push(Math.fround(this.#number()));
    if (op === 'floatBits') return this.#push(floatOf(this.#number()));
    if (op === 'toInt') return this.#push(toInt(this.#number()));
    if (op === 'intBits') return this.#push(bitsOf(this.#number()));
    if (op === 'isZero') return this.#push(Number(this.#number() === 0));
    if (first === 'f32' && unaryNames.has(op)) return this.#push(unaryFloat(op, this.#number()));
    const b = this.#number();
    const a = this.#number();
    return this.#push(first === 'i32' ? integer(op, a, b) : float(op, a, b));
  }

  #vectorOp(type: 'i32' | 'f32', op: string): this {
    switch (op) {
      case 'select': {
        const [mask, b, a] = [this.#lanes(), this.#lanes(), this.#lanes()];
        return this.#vector((lane) => (mask[lane]! < 0 ? a[lane]! : b[lane]!));
      }
      case 'madd': {
        const [c, b, a] = [this.#lanes(), this.#lanes(), this.#lanes()];
        return this.#vector((lane) => bitsOf(fused(floatOf(a[lane]!), floatOf(b[lane]!), floatOf(c[lane]!))));
      }
      case 'not': {
        const a = this.#lanes();
        return this.#vector((lane) => ~a[lane]!);
      }
      case 'splat': {
        const a = this.#number();
        return this.#vector(() => a);
      }
      case 'toFloat': {
        const a = this.#lanes();
        return this.#vector((lane) => bitsOf(a[lane]!));
      }
      case 'toInt': {
        const a = this.#lanes();
        return this.#vector((lane) => toInt(floatOf(a[lane]!)));
      }
      case 'shiftLeft':
      case 'shiftRight':
      case 'shiftRightLogical': {
        const count = this.#number();
        const a = this.#lanes();
        return this.#vector((lane) => integer(op, a[lane]!, count));
      }
    }
    if (type === 'f32' && unaryNames.has(op)) {
      const a = this.#lanes();
      return this.#vector((lane) => bitsOf(unaryFloat(op, floatOf(a[lane]!))));
    }
    if (op === 'neg' || op === 'abs') {
      const a = this.#lanes();
      return this.#vector((lane) => (op === 'neg' ? -a[lane]! | 0 : Math.abs(a[lane]!) | 0));
    }
    const [b, a] = [this.#lanes(), this.#lanes()];
    return this.#vector((lane) => {
      if (type !== 'f32') {
        const result = integer(op, a[lane]!, b[lane]!);
        return comparisonNames.has(op) ? -result : result;
      }
      const result = float(op, floatOf(a[lane]!), floatOf(b[lane]!));
      return comparisonNames.has(op) ? -result : bitsOf(result);
    });
  }

  load(name: LoadName, offset = 0): this {
    const at = (this.#number() >>> 0) + offset;
    const memory = this.#memory;
    switch (name) {
      case 'i32':
        return this.#push(memory.getInt32(at, true));
      case 'f32':
        return this.#push(memory.getFloat32(at, true));
      case 'u8':
        return this.#push(memory.getUint8(at));
      case 'vector':
        return this.#vector((lane) => memory.getInt32(at + 4 * lane, true));
      case 'splat':
        return this.#vector(() => memory.getInt32(at, true));
      case 'bytes':
        return this.#vector((lane) => memory.getUint8(at + lane));
      case 'byteSplat':
        return this.#vector(() => memory.getUint8(at));
    }
  }

  store(name: StoreName, offset = 0): this {
    const value = this.#pop();
    const at = (this.#number() >>> 0) + offset;
    const memory = this.#memory;
    if (name === 'i32') memory.setInt32(at, value as number, true);
    else if (name === 'f32') memory.setFloat32(at, value as number, true);
    else if (name === 'u8') memory.setUint8(at, value as number);
    else
      (value as Int32Array).forEach((bits, lane) => {
        if (name === 'vector') memory.setInt32(at + 4 * lane, bits, true);
        else memory.setUint8(at + lane, bits);
      });
    return this;
  }

  loadPartial(count: number, offset = 0): this {
    const at = (this.#number() >>> 0) + offset;
    return this.#vector((lane) => (lane < count ? this.#memory.getInt32(at + 4 * lane, true) : 0));
  }
  storePartial(count: number, offset = 0): this {
    return this.scatter('32', 4, count, offset);
  }
  gather(element: 'u8' | '32', stride: number, offset = 0): this {
    const at = (this.#number() >>> 0) + offset;
    return this.#vector((lane) =>
      element === 'u8' ? this.#memory.getUint8(at + lane * stride) : this.#memory.getInt32(at + lane * stride, true),
    );
  }
  scatter(element: 'u8' | '32', stride: number, count: number, offset = 0): this {
    const value = this.#lanes();
    const at = (this.#number() >>> 0) + offset;
    for (let lane = 0; lane < count; lane++) {
      if (element === 'u8') this.#memory.setUint8(at + lane * stride, value[lane]!);
      else this.#memory.setInt32(at + lane * stride, value[lane]!, true);
    }
    return this;
  }
  extractLane(type: 'i32' | 'f32', lane: number): this {
    const bits = this.#lanes()[lane]!;
    return this.#push(type === 'i32' ? bits : floatOf(bits));
  }
  replaceLane(type: 'i32' | 'f32', lane: number): this {
    const scalar = this.#number();
    const vector = this.#lanes();
    return this.#vector((i) => (i !== lane ? vector[i]! : type === 'i32' ? scalar : bitsOf(scalar)));
  }
  sumLanes(): this {
    let sums = [...this.#lanes()].map(floatOf);
    while (sums.length > 1)
      sums = Array.from({ length: sums.length / 2 }, (_, i) => Math.fround(sums[2 * i]! + sums[2 * i + 1]!));
    return this.#push(sums[0]!);
  }
  readonly canTranspose = true;
  transpose(rows: readonly Local[]): this {
    const before = rows.map((row) => this.#values[row.index] as Int32Array);
    rows.forEach((row, i) => {
      this.#values[row.index] = Int32Array.from(before, (from) => from[i]!);
    });
    return this;
  }
  select(): this {
    const condition = this.#number();
    const [b, a] = [this.#pop(), this.#pop()];
    return this.#push(condition !== 0 ? a : b);
  }
  zeroMemory(): this {
    const length = this.#number();
    const at = this.#number();
    for (let i = 0; i < length; i++) this.#memory.setUint8(at + i, 0);
    return this;
  }
  atomicAdd(offset = 0): this {
    const amount = this.#number();
    const at = (this.#number() >>> 0) + offset;
    const before = this.#memory.getInt32(at, true);
    this.#memory.setInt32(at, before + amount, true);
    return this.#push(before);
  }

  /** Whether the body was left for its label. */
  #enter(body: (label: Label) => void): boolean {
    const label: Label = { depth: this.#depth++ };
    const depth = this.#depth;
    try {
      body(label);
      return false;
    } catch (thrown) {
      if (thrown instanceof Branch && thrown.label === label) return true;
      throw thrown;
    } finally {
      this.#depth = depth - 1;
    }
  }
  block(body: (exit: Label) => void): this {
    this.#enter(body);
    return this;
  }
  loop(body: (again: Label) => void): this {
    while (this.#enter(body)) if (this.fuel-- <= 0) throw new Error('a loop does not end');
    return this;
  }
  if_(whenTrue: (exit: Label) => void, whenFalse?: (exit: Label) => void): this {
    if (this.#number() !== 0) this.#enter(whenTrue);
    else if (whenFalse) this.#enter(whenFalse);
    return this;
  }
  br(label: Label): this {
    throw new Branch(label);
  }
  brIf(label: Label): this {
    if (this.#number() !== 0) throw new Branch(label);
    return this;
  }
  call(): this {
    throw new Error('calls are tested by themselves');
  }
  return_(): this {
    throw new Return();
  }
  drop(): this {
    this.#pop();
    return this;
  }
  comment(): this {
    return this;
  }
}
