import type { Code, Label, Local, MachineOp, RegisterType } from '../../../src/backends/machine/index.js';

/** Numbers from a seed (mulberry32). */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }
  below(count: number): number {
    return this.bits() % count;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  chance(probability: number): boolean {
    return this.bits() / 2 ** 32 < probability;
  }
}

/** Kinds of values: what may be computed of them without one machine's NaNs or zeros telling it from another. */
type Kind = 'integer' | 'float' | 'integers' | 'floats' | 'masks';
const typeOf: Readonly<Record<Kind, RegisterType>> = {
  integer: 'i32',
  float: 'f32',
  integers: 'vector',
  floats: 'vector',
  masks: 'vector',
};
type Statement = (c: Code, locals: Locals, labels: readonly Label[]) => void;
type Locals = Readonly<Record<Kind, readonly Local[]>>;

/** Addresses of a program's numbers: read only, and read and written; both of them twice as long as what is addressed. */
export const layout = {
  floats: 4096,
  integers: 8192,
  memory: 16_384,
  results: 32_768,
  end: 65_536,
  span: 1024,
} as const;

export interface ProgramSize {
  readonly locals: Readonly<Record<Kind, number>>;
  readonly statements: number;
  readonly depth: number;
}

const comparisons = 'equal notEqual less lessEqual greater greaterEqual'.split(' ');

/** A random program: a body that may be run by any `Code`, any number of times. It leaves all it computed in memory. */
export function randomProgram(random: Random, lanes: number, size: ProgramSize): (c: Code) => void {
  const body = block(random, lanes, size, size.depth, 0);
  const counters = size.depth;
  return (c) => {
    const locals = Object.fromEntries(
      Object.entries(size.locals).map(([kind, count]) => [
        kind,
        Array.from({ length: count }, () => c.local(typeOf[kind as Kind])),
      ]),
    ) as unknown as Record<Kind, Local[]>;
    locals.integer.push(...Array.from({ length: counters }, () => c.local('i32')));
    body(c, locals, []);
    let at: number = layout.results;
    for (const kind of Object.keys(size.locals) as Kind[])
      for (const local of locals[kind].slice(0, size.locals[kind])) {
        c.i32(at)
          .get(local)
          .store(kind === 'integer' ? 'i32' : kind === 'float' ? 'f32' : 'vector');
        at += kind === 'integer' || kind === 'float' ? 4 : 4 * lanes;
      }
  };
}

function block(random: Random, lanes: number, size: ProgramSize, depth: number, labels: number): Statement {
  const statements = Array.from({ length: 1 + random.below(size.statements) }, () =>
    statement(random, lanes, size, depth, labels),
  );
  return (c, locals, outer) => {
    for (const one of statements) one(c, locals, outer);
  };
}

function statement(random: Random, lanes: number, size: ProgramSize, depth: number, labels: number): Statement {
  if (depth > 0 && random.chance(0.25)) return structure(random, lanes, size, depth, labels);
  if (labels > 0 && random.chance(0.06)) {
    const [condition, which] = [expression(random, lanes, size, 'integer', 1), random.below(labels)];
    return (c, locals, outer) => {
      condition(c, locals, outer);
      c.i32(3).op('i32.and').brIf(outer[which]!);
    };
  }
  if (random.chance(0.2)) return store(random, lanes, size);
  const kind = random.pick(['integer', 'float', 'integers', 'floats', 'floats', 'masks'] as const);
  const value = expression(random, lanes, size, kind, 3);
  const target = random.below(size.locals[kind]);
  const isTee = random.chance(0.1);
  return (c, locals, outer) => {
    value(c, locals, outer);
    if (isTee) c.tee(locals[kind][target]!).drop();
    else c.set(locals[kind][target]!);
  };
}

function structure(random: Random, lanes: number, size: ProgramSize, depth: number, labels: number): Statement {
  const inner = (more: number): Statement => block(random, lanes, size, depth - 1, labels + more);
  const kind = random.pick(['loop', 'loop', 'if', 'block'] as const);
  if (kind === 'block') {
    const body = inner(1);
    return (c, locals, outer) => {
      c.block((exit) => body(c, locals, [...outer, exit]));
    };
  }
  if (kind === 'if') {
    const condition = expression(random, lanes, size, 'integer', 2);
    const [whenTrue, whenFalse] = [inner(1), random.chance(0.5) ? inner(0) : undefined];
    const result = random.chance(0.3) ? random.pick(['integer', 'float', 'floats'] as const) : undefined;
    const target = result && random.below(size.locals[result]);
    const values = result && [0, 1].map(() => expression(random, lanes, size, result, 2));
    return (c, locals, outer) => {
      condition(c, locals, outer);
      c.i32(1).op('i32.and');
      if (result && values) {
        c.if_(
          () => values[0]!(c, locals, outer),
          () => values[1]!(c, locals, outer),
          typeOf[result],
        );
        c.set(locals[result][target!]!);
      } else {
        c.if_((exit) => whenTrue(c, locals, [...outer, exit]), whenFalse && (() => whenFalse(c, locals, outer)));
      }
    };
  }
  const body = inner(0);
  const count = 1 + random.below(4);
  const counter = size.locals.integer + depth - 1;
  const isCountedUp = random.chance(0.3);
  return (c, locals) => {
    const local = locals.integer[counter]!;
    c.i32(isCountedUp ? 0 : count).set(local);
    // branches out of the body would leave an outer loop to itself: labels inside are new
    c.loop((again) => {
      c.block((exit) => body(c, locals, [exit, exit, exit, exit].slice(0, Math.max(labels, 0))));
      if (isCountedUp) c.get(local).i32(1).op('i32.add').tee(local).i32(count).op('i32.less').brIf(again);
      else c.get(local).i32(1).op('i32.sub').tee(local).brIf(again);
    });
  };
}

/** An address inside a part of memory: aligned to 4, `span` long. */
function address(random: Random, lanes: number, size: ProgramSize, base: number): Statement {
  if (random.chance(0.5)) {
    const at = base + 4 * random.below(layout.span / 4);
    return (c) => {
      c.i32(at);
    };
  }
  const value = expression(random, lanes, size, 'integer', 1);
  return (c, locals, outer) => {
    value(c, locals, outer);
    c.i32(layout.span - 4)
      .op('i32.and')
      .i32(base)
      .op('i32.add');
  };
}

function store(random: Random, lanes: number, size: ProgramSize): Statement {
  const at = address(random, lanes, size, layout.memory + layout.span);
  const kind = random.pick(['integer', 'integers', 'integers', 'masks'] as const);
  const value = expression(random, lanes, size, kind, 2);
  const count = 1 + random.below(lanes);
  const stride = random.pick([4, 8, 12, -4, 20, 0]);
  const [offset, way] = [4 * random.below(4), random.below(4)];
  return (c, locals, outer) => {
    at(c, locals, outer);
    value(c, locals, outer);
    if (kind === 'integer') c.store(way === 0 ? 'u8' : 'i32', offset);
    else if (way === 0) c.store('vector', offset);
    else if (way === 1) c.store('bytes', offset);
    else if (way === 2) c.storePartial(count, offset);
    else c.scatter(count % 2 === 0 ? '32' : 'u8', stride, count, offset);
  };
}

function load(random: Random, lanes: number, size: ProgramSize, kind: Kind): Statement {
  const isFloat = kind === 'float' || kind === 'floats';
  const base = isFloat ? layout.floats : random.chance(0.5) ? layout.integers : layout.memory + layout.span;
  const at = address(random, lanes, size, base + layout.span);
  const offset = random.pick([0, 4, 16, 64, 1000 - (1000 % 4)]) % layout.span;
  const count = 1 + random.below(lanes);
  const stride = random.pick([4, 8, 12, -4, 20, 0, -8]);
  const way = random.below(6);
  return (c, locals, outer) => {
    at(c, locals, outer);
    if (kind === 'integer') c.load(way === 0 ? 'u8' : 'i32', offset);
    else if (kind === 'float') c.load('f32', offset);
    else if (way === 0) c.load('splat', offset);
    else if (way === 1) c.loadPartial(count, offset);
    else if (way === 2) c.gather('32', stride, offset);
    else if (way === 3 && !isFloat) c.load(count % 2 === 0 ? 'bytes' : 'byteSplat', offset);
    else if (way === 4 && !isFloat) c.gather('u8', stride, offset);
    else c.load('vector', offset);
  };
}

function expression(random: Random, lanes: number, size: ProgramSize, kind: Kind, depth: number): Statement {
  const sub = (of: Kind): Statement => expression(random, lanes, size, of, depth - 1);
  const apply = (op: string, ...operands: readonly Statement[]): Statement => {
    return (c, locals, outer) => {
      for (const operand of operands) operand(c, locals, outer);
      c.op(op as MachineOp);
    };
  };
  if (depth === 0 || random.chance(0.25)) {
    const which = random.below(size.locals[kind]);
    if (random.chance(0.7) || kind === 'masks')
      return (c, locals) => {
        c.get(locals[kind][which]!);
      };
    if (random.chance(0.4)) return load(random, lanes, size, kind);
    const value = random.pick([0, 1, -1, 3, 0.5, -2, 100, 8]);
    return (c) => {
      if (kind === 'integer') c.i32(value);
      else if (kind === 'float') c.f32(value);
      else c.vector(kind === 'floats' ? 'f32' : 'i32', value === 3 ? (lane) => lane : value);
    };
  }
  switch (kind) {
    case 'integer':
      switch (random.below(9)) {
        case 0:
          return apply(`i32.${random.pick(comparisons)}`, sub('integer'), sub('integer'));
        case 1:
          return apply(`f32.${random.pick(comparisons)}`, sub('float'), sub('float'));
        case 2:
          return apply('i32.isZero', sub('integer'));
        case 3:
          return apply('f32.toInt', sub('float'));
        case 4: {
          const [a, b, condition] = [sub('integer'), sub('integer'), sub('integer')];
          return (c, locals, outer) => {
            for (const part of [a, b, condition]) part(c, locals, outer);
            c.select();
          };
        }
        case 5: {
          const [vector, lane] = [sub('integers'), random.below(lanes)];
          return (c, locals, outer) => {
            vector(c, locals, outer);
            c.extractLane('i32', lane);
          };
        }
        case 6: {
          const [value, divisor] = [sub('integer'), random.pick([1, 2, 3, 7, 10, 24, 1000])];
          const op = random.pick(['divUnsigned', 'remUnsigned', 'divSigned']);
          const isKnown = random.chance(0.5);
          const other = sub('integer');
          return (c, locals, outer) => {
            value(c, locals, outer);
            if (isKnown) c.i32(divisor);
            else {
              other(c, locals, outer);
              c.i32(1000).op('i32.and').i32(1).op('i32.or');
            }
            c.op(`i32.${op}` as MachineOp);
          };
        }
        default:
          return apply(
            `i32.${random.pick('add sub mul mulHigh and or xor min max shiftLeft shiftRight shiftRightLogical lessUnsigned'.split(' '))}`,
            sub('integer'),
            sub('integer'),
          );
      }
    case 'float':
      switch (random.below(6)) {
        case 0:
          return apply('i32.toFloat', sub('integer'));
        case 1:
          return apply(`f32.${random.pick(['neg', 'abs', 'sqrt', 'floor', 'round'])}`, sub('float'));
        case 2: {
          const [a, b, condition] = [sub('float'), sub('float'), sub('integer')];
          return (c, locals, outer) => {
            for (const part of [a, b, condition]) part(c, locals, outer);
            c.select();
          };
        }
        case 3: {
          const [vector, lane] = [sub('floats'), random.below(lanes)];
          const isSum = random.chance(0.2);
          return (c, locals, outer) => {
            vector(c, locals, outer);
            if (isSum) c.sumLanes();
            else c.extractLane('f32', lane);
          };
        }
        case 4:
          return extreme(`f32.${random.pick(['min', 'max'])}`, sub('float'), sub('float'), (c) =>
            c.f32(0).op('f32.add'),
          );
        default:
          return apply(`f32.${random.pick(['add', 'sub', 'mul', 'div'])}`, sub('float'), sub('float'));
      }
    case 'integers':
      switch (random.below(8)) {
        case 0:
          return apply('vector.i32.splat', sub('integer'));
        case 1:
          return apply(`vector.i32.${random.pick(['neg', 'abs'])}`, sub('integers'));
        case 2:
          return apply('vector.f32.toInt', sub('floats'));
        case 3:
          return apply('vector.select', sub('integers'), sub('integers'), sub('masks'));
        case 4:
          return apply(
            `vector.i32.${random.pick(['shiftLeft', 'shiftRight', 'shiftRightLogical'])}`,
            sub('integers'),
            sub('integer'),
          );
        case 5: {
          const [vector, scalar, lane] = [sub('integers'), sub('integer'), random.below(lanes)];
          return (c, locals, outer) => {
            vector(c, locals, outer);
            scalar(c, locals, outer);
            c.replaceLane('i32', lane);
          };
        }
        default:
          return apply(
            `vector.i32.${random.pick('add sub mul mulHigh and or xor min max'.split(' '))}`,
            sub('integers'),
            sub('integers'),
          );
      }
    case 'floats':
      switch (random.below(8)) {
        case 0:
          return apply('vector.i32.toFloat', sub('integers'));
        case 1:
          return apply(`vector.f32.${random.pick(['neg', 'abs', 'sqrt', 'floor', 'round'])}`, sub('floats'));
        case 2:
          return apply('vector.select', sub('floats'), sub('floats'), sub('masks'));
        case 3: {
          const op = `vector.f32.${random.pick(['min', 'max'])}`;
          return extreme(op, sub('floats'), sub('floats'), (c) => c.vector('f32', 0).op('vector.f32.add'));
        }
        case 4:
        case 5:
          return apply('vector.f32.madd', sub('floats'), sub('floats'), sub('floats'));
        default:
          return apply(`vector.f32.${random.pick(['add', 'sub', 'mul', 'div'])}`, sub('floats'), sub('floats'));
      }
    case 'masks':
      switch (random.below(5)) {
        case 0:
          return apply('vector.not', sub('masks'));
        case 1:
          return apply(`vector.${random.pick(['and', 'or', 'xor'])}`, sub('masks'), sub('masks'));
        case 2:
          return apply(`vector.f32.${random.pick(comparisons)}`, sub('floats'), sub('floats'));
        default:
          return apply(`vector.i32.${random.pick(comparisons)}`, sub('integers'), sub('integers'));
      }
  }
}

/** Of zeros of both signs machines give either: these are made positive first. */
function extreme(op: string, a: Statement, b: Statement, positive: (c: Code) => void): Statement {
  return (c, locals, outer) => {
    for (const operand of [a, b]) {
      operand(c, locals, outer);
      positive(c);
    }
    c.op(op as MachineOp);
  };
}
