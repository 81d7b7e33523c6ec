import type { DType } from '../core/index.js';
import { type Affine, printAffine } from './affine.js';

/** What a lane holds: float32, int32 (also every uint8), or a truth value. */
export type ScalarType = 'f32' | 'i32' | 'bool';

export const scalarTypeOf = (dtype: DType): ScalarType =>
  dtype === 'float32' ? 'f32' : dtype === 'bool' ? 'bool' : 'i32';

/** What machines do lane by lane. Everything else is an expression made of these. The operands' type says which kind is meant. */
export type ScalarOp =
  | 'add' // f32 i32
  | 'sub'
  | 'mul'
  | 'div' // f32; i32 cut towards zero, 0 where the divisor is 0
  | 'min' // f32: NaN wins
  | 'max'
  | 'neg'
  | 'abs'
  | 'sqrt' // f32
  | 'floor'
  | 'round' // to nearest, ties to even
  | 'shiftLeft' // i32, counts modulo 32
  | 'shiftRight'
  | 'shiftRightLogical'
  | 'and' // i32 bool
  | 'or'
  | 'xor'
  | 'not' // bool
  | 'equal' // -> bool, of f32 i32 bool
  | 'notEqual'
  | 'less' // -> bool, of f32 i32
  | 'lessEqual'
  | 'greater'
  | 'greaterEqual'
  | 'mulHigh' // i32: upper half of the unsigned 64-bit product
  | 'toFloat' // i32 bool -> f32
  | 'toInt' // f32 -> i32 towards zero, saturating, NaN 0; bool -> i32
  | 'toBool' // i32 f32 -> bool: not zero
  | 'floatBits' // i32 -> f32, the same bits
  | 'intBits'; // f32 -> i32, the same bits

/** An index that is known only when the program runs: address += clamp or check(value) · stride. */
export interface DynamicIndex {
  readonly value: Expression;
  readonly stride: number;
  /** Valid indices are 0 … extent − 1. */
  readonly extent: number;
  /** An index outside raises, or is moved to the nearest valid one. */
  readonly outside: 'raise' | 'clamp';
  /** For the message. */
  readonly where: string;
}

/** A place in a buffer, in elements. */
export interface Access {
  /** Number of the buffer among the kernel's operands. */
  readonly buffer: number;
  readonly dtype: DType;
  readonly address: Affine;
  readonly dynamic: readonly DynamicIndex[];
}

/** A value computed at one point of a loop nest; a graph without cycles whose shared parts are shared objects. */
export type Expression =
  | { readonly kind: 'constant'; readonly type: ScalarType; readonly value: number }
  | { readonly kind: 'load'; readonly type: ScalarType; readonly access: Access }
  | { readonly kind: 'index'; readonly type: 'i32'; readonly index: Affine }
  | { readonly kind: 'accumulator'; readonly type: ScalarType; readonly number: number }
  | {
      readonly kind: 'operation';
      readonly type: ScalarType;
      readonly op: ScalarOp;
      readonly operands: readonly Expression[];
    }
  | {
      readonly kind: 'select';
      readonly type: ScalarType;
      readonly operands: readonly [condition: Expression, a: Expression, b: Expression];
    }
  /** `inside` where every index lies in 0 … extent − 1 (only then it is evaluated), else `outside`. */
  | {
      readonly kind: 'guard';
      readonly type: ScalarType;
      readonly bounds: readonly Bound[];
      readonly inside: Expression;
      readonly outside: number;
    };

export interface Bound {
  readonly index: Affine;
  readonly extent: number;
}

const known = new WeakMap<Expression, Map<string, Expression>>();

export const constantOf = (value: number, type: ScalarType): Expression => ({ kind: 'constant', type, value });
export const float = (value: number): Expression => constantOf(value, 'f32');
export const int = (value: number): Expression => constantOf(value, 'i32');

const comparisons: ReadonlySet<ScalarOp> = new Set([
  'equal',
  'notEqual',
  'less',
  'lessEqual',
  'greater',
  'greaterEqual',
  'toBool',
]);

function resultType(op: ScalarOp, operand: ScalarType): ScalarType {
  if (comparisons.has(op)) return 'bool';
  if (op === 'toFloat' || op === 'floatBits') return 'f32';
  if (op === 'toInt' || op === 'intBits') return 'i32';
  return operand;
}

/** What `make` makes, or the object it made before under the same key from the same first operand. */
function shared(first: Expression, key: string, make: () => Expression): Expression {
  let table = known.get(first);
  if (!table) {
    table = new Map();
    known.set(first, table);
  }
  let made = table.get(key);
  if (!made) {
    made = make();
    table.set(key, made);
  }
  return made;
}

/** op(operands…): the same object for the same op on the same operands, so that shared parts are computed once. */
export function operation(op: ScalarOp, ...operands: readonly [Expression, ...Expression[]]): Expression {
  const [first, second] = operands;
  return shared(first, second ? `${op} ${identityOf(second)}` : op, () => ({
    kind: 'operation',
    type: resultType(op, first.type),
    op,
    operands,
  }));
}

/** a where the condition holds, else b; shared as operations are. */
export const selectOf = (condition: Expression, a: Expression, b: Expression): Expression =>
  shared(condition, `select ${identityOf(a)} ${identityOf(b)}`, () => ({
    kind: 'select',
    type: a.type,
    operands: [condition, a, b],
  }));

const identities = new WeakMap<Expression, number>();
let nextIdentity = 0;
const identityOf = (expression: Expression): string => {
  if (expression.kind === 'constant')
    return `${expression.type}${Object.is(expression.value, -0) ? '-0' : expression.value}`;
  let identity = identities.get(expression);
  if (identity === undefined) {
    identity = nextIdentity++;
    identities.set(expression, identity);
  }
  return `#${identity}`;
};

/** The expressions directly below, dynamic indices of loads included. */
export function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'constant':
    case 'index':
    case 'accumulator':
      return [];
    case 'load':
      return expression.access.dynamic.map(({ value }) => value);
    case 'operation':
    case 'select':
      return expression.operands;
    case 'guard':
      return [expression.inside];
  }
}

/** Every expression below and including the roots, operands first, each once. */
export function walk(roots: readonly Expression[]): Expression[] {
  const order: Expression[] = [];
  const seen = new Set<Expression>();
  const visit = (expression: Expression): void => {
    if (seen.has(expression)) return;
    seen.add(expression);
    for (const operand of operandsOf(expression)) visit(operand);
    order.push(expression);
  };
  for (const root of roots) visit(root);
  return order;
}

/** All loads below the roots, each once. */
export const loadsOf = (roots: readonly Expression[]): Access[] =>
  walk(roots).flatMap((expression) => (expression.kind === 'load' ? [expression.access] : []));

/**
 * Expressions as text. What several of them share, beyond a load or a number, gets a name and a line of its own, so that the
 * text stays as long as the graph is large.
 */
export class ExpressionPrinter {
  readonly definitions: string[] = [];
  readonly #uses = new Map<Expression, number>();
  readonly #texts = new Map<Expression, string>();

  constructor(roots: readonly Expression[]) {
    for (const root of roots) this.#uses.set(root, (this.#uses.get(root) ?? 0) + 1);
    for (const expression of walk(roots))
      for (const operand of operandsOf(expression)) this.#uses.set(operand, (this.#uses.get(operand) ?? 0) + 1);
  }

  print(expression: Expression): string {
    const known = this.#texts.get(expression);
    if (known !== undefined) return known;
    let text = this.#text(expression);
    if ((this.#uses.get(expression) ?? 0) > 1 && operandsOf(expression).length > 0) {
      const name = `t${this.definitions.length}`;
      this.definitions.push(`${name} = ${text}`);
      text = name;
    }
    this.#texts.set(expression, text);
    return text;
  }

  access({ buffer, dtype, address, dynamic }: Access): string {
    const parts = dynamic.map(
      ({ value, stride, extent, outside }) => `${stride}·${outside}<${extent}(${this.print(value)})`,
    );
    return `b${buffer}.${dtype}[${[printAffine(address), ...parts].join('+')}]`;
  }

  #text(expression: Expression): string {
    switch (expression.kind) {
      case 'constant':
        return `${Object.is(expression.value, -0) ? '-0' : expression.value}${expression.type === 'f32' ? 'f' : expression.type === 'bool' ? '?' : ''}`;
      case 'load':
        return this.access(expression.access);
      case 'index':
        return `(${printAffine(expression.index)})`;
      case 'accumulator':
        return `acc${expression.number}`;
      case 'operation':
        return `${expression.op}(${expression.operands.map((operand) => this.print(operand)).join(', ')})`;
      case 'select':
        return `select(${expression.operands.map((operand) => this.print(operand)).join(', ')})`;
      case 'guard':
        return `(${expression.bounds.map(({ index, extent }) => `0≤${printAffine(index)}<${extent}`).join(' ∧ ')} ? ${this.print(expression.inside)} : ${expression.outside})`;
    }
  }
}

/** One expression as text, the names of shared parts before it. */
export function printExpression(expression: Expression): string {
  const printer = new ExpressionPrinter([expression]);
  const text = printer.print(expression);
  return [...printer.definitions, text].join('; ');
}
