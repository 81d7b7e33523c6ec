import { type Expression, printExpression, type ScalarOp, type ScalarType, scalarTypeOf } from './expression.js';

interface Signature {
  readonly takes: readonly ScalarType[];
  readonly count: 1 | 2;
  /** The operands' own type unless given. */
  readonly gives?: ScalarType;
}

const numbers = ['f32', 'i32'] as const;
const all = ['f32', 'i32', 'bool'] as const;
const binary = (takes: readonly ScalarType[], gives?: ScalarType): Signature => ({
  takes,
  count: 2,
  ...(gives && { gives }),
});
const unary = (takes: readonly ScalarType[], gives?: ScalarType): Signature => ({
  takes,
  count: 1,
  ...(gives && { gives }),
});

const signatures: Readonly<Record<ScalarOp, Signature>> = {
  add: binary(numbers),
  sub: binary(numbers),
  mul: binary(numbers),
  div: binary(numbers),
  min: binary(numbers),
  max: binary(numbers),
  neg: unary(numbers),
  abs: unary(numbers),
  sqrt: unary(['f32']),
  floor: unary(['f32']),
  round: unary(['f32']),
  shiftLeft: binary(['i32']),
  shiftRight: binary(['i32']),
  shiftRightLogical: binary(['i32']),
  and: binary(['i32', 'bool']),
  or: binary(['i32', 'bool']),
  xor: binary(['i32', 'bool']),
  not: unary(['bool']),
  equal: binary(all, 'bool'),
  notEqual: binary(all, 'bool'),
  less: binary(numbers, 'bool'),
  lessEqual: binary(numbers, 'bool'),
  greater: binary(numbers, 'bool'),
  greaterEqual: binary(numbers, 'bool'),
  mulHigh: binary(['i32']),
  toFloat: unary(['i32', 'bool'], 'f32'),
  toInt: unary(['f32', 'bool'], 'i32'),
  toBool: unary(numbers, 'bool'),
  floatBits: unary(['i32'], 'f32'),
  intBits: unary(['f32'], 'i32'),
};

/** What is wrong with an expression's own type, given those of its operands; `undefined` where nothing is. */
export function typeFault(expression: Expression): string | undefined {
  const wrong = (what: string): string => `${what}: ${printExpression(expression)}`;
  switch (expression.kind) {
    case 'constant':
    case 'accumulator':
    case 'index':
      return undefined;
    case 'load': {
      const { dtype, dynamic } = expression.access;
      const index = dynamic.find(({ value }) => value.type !== 'i32');
      if (index) return wrong(`a dynamic index of type ${index.value.type}`);
      const type = scalarTypeOf(dtype);
      return expression.type === type ? undefined : wrong(`a load of ${dtype} as ${expression.type}`);
    }
    case 'operation': {
      const { takes, count, gives } = signatures[expression.op];
      const [first] = expression.operands as readonly [Expression];
      if (expression.operands.length !== count) return wrong(`${expression.operands.length} operands, not ${count}`);
      if (expression.operands.some(({ type }) => type !== first.type)) return wrong('operands of different types');
      if (!takes.includes(first.type)) return wrong(`${expression.op} does not take ${first.type}`);
      const type = gives ?? first.type;
      return expression.type === type ? undefined : wrong(`claims ${expression.type}, is ${type}`);
    }
    case 'select': {
      const [condition, a, b] = expression.operands;
      if (condition.type !== 'bool') return wrong(`a condition of type ${condition.type}`);
      return a.type === b.type && a.type === expression.type ? undefined : wrong('a choice between different types');
    }
    case 'guard': {
      const { type, inside } = expression;
      return type === inside.type ? undefined : wrong(`claims ${type}, is ${inside.type}`);
    }
  }
}
