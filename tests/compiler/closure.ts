import { type Expression, walk } from '../../src/compiler/expression.js';

type Arguments = readonly [number?, number?, number?, number?];

/** The expression as a JavaScript function of its accumulators: evaluate(), fast enough for sweeps. */
export function closureOf(root: Expression): (...values: Arguments) => number {
  const names = new Map<Expression, string>();
  const lines = walk([root]).map((expression, i) => {
    const name = `v${i}`;
    names.set(expression, name);
    return `const ${name} = ${sourceOf(expression, (e) => names.get(e)!)};`;
  });
  const source = `
    const f = Math.fround, words = new Int32Array(1), floats = new Float32Array(words.buffer);
    const toBits = (x) => (floats[0] = x, words[0]), fromBits = (x) => (words[0] = x, floats[0]);
    const high = (a, b) => { // from halves, whose products a float64 holds
      const al = a & 65535, ah = a >>> 16, bl = b & 65535, bh = b >>> 16, p = al * bh, q = ah * bl;
      return ah * bh + (p >>> 16) + (q >>> 16) + ((((al * bl) >>> 16) + (p & 65535) + (q & 65535)) >>> 16);
    };
    const even = (x) => { const y = Math.abs(x) + 4503599627370496 - 4503599627370496;
      return !(Math.abs(x) < 8388608) ? x : x < 0 || Object.is(x, -0) ? -y : y; };
    return (a0, a1, a2, a3) => { ${lines.join('\n')} return ${names.get(root)}; };`;
  return new Function(source)() as (...values: Arguments) => number;
}

function sourceOf(expression: Expression, nameOf: (operand: Expression) => string): string {
  switch (expression.kind) {
    case 'constant':
      return expression.type === 'f32' ? literal(Math.fround(expression.value)) : `${expression.value | 0}`;
    case 'accumulator':
      return `a${expression.number}`;
    case 'select': {
      const [condition, a, b] = expression.operands.map(nameOf);
      return `${condition} ? ${a} : ${b}`;
    }
    case 'operation': {
      const [a, b] = expression.operands.map(nameOf) as [string, string];
      const isFloat = expression.operands[0]!.type === 'f32';
      const round = (source: string): string => (isFloat ? `f(${source})` : `(${source}) | 0`);
      switch (expression.op) {
        case 'add':
          return round(`${a} + ${b}`);
        case 'sub':
          return round(`${a} - ${b}`);
        case 'mul':
          return isFloat ? `f(${a} * ${b})` : `Math.imul(${a}, ${b})`;
        case 'div':
          return isFloat ? `f(${a} / ${b})` : `${b} === 0 ? 0 : (${a} / ${b}) | 0`;
        case 'min':
        case 'max':
          return `Math.${expression.op}(${a}, ${b})`;
        case 'neg':
          return round(`-${a}`);
        case 'abs':
          return round(`Math.abs(${a})`);
        case 'sqrt':
          return `f(Math.sqrt(${a}))`;
        case 'floor':
          return `Math.floor(${a})`;
        case 'round':
          return `even(${a})`;
        case 'shiftLeft':
          return `${a} << ${b}`;
        case 'shiftRight':
          return `${a} >> ${b}`;
        case 'shiftRightLogical':
          return `(${a} >>> ${b}) | 0`;
        case 'and':
          return `${a} & ${b}`;
        case 'or':
          return `${a} | ${b}`;
        case 'xor':
          return `${a} ^ ${b}`;
        case 'not':
          return `${a} ? 0 : 1`;
        case 'equal':
          return `${a} === ${b} ? 1 : 0`;
        case 'notEqual':
          return `${a} !== ${b} ? 1 : 0`;
        case 'less':
          return `${a} < ${b} ? 1 : 0`;
        case 'lessEqual':
          return `${a} <= ${b} ? 1 : 0`;
        case 'greater':
          return `${a} > ${b} ? 1 : 0`;
        case 'greaterEqual':
          return `${a} >= ${b} ? 1 : 0`;
        case 'mulHigh':
          return `high(${a}, ${b}) | 0`;
        case 'toFloat':
          return `f(${a})`;
        case 'toInt':
          return `${a} !== ${a} ? 0 : Math.trunc(Math.min(2147483647, Math.max(-2147483648, ${a}))) | 0`;
        case 'toBool':
          return `${a} !== 0 ? 1 : 0`;
        case 'floatBits':
          return `fromBits(${a})`;
        case 'intBits':
          return `toBits(${a})`;
      }
    }
  }
  throw new Error(`closureOf: ${expression.kind} has no place in a function of numbers`);
}

const literal = (value: number): string => (Object.is(value, -0) ? '-0' : value < 0 ? `(${value})` : `${value}`);
