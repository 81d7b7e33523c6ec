import type { ComputeDType, Node } from '../../src/core/index.js';
import { dtypes, type Generator, greatestInt, isExact, type Value } from './generator.js';

const float = ({ node }: Value): boolean => node.dtype === 'float32';

export function unary(g: Generator): void {
  const x = g.some((value) => value.node.dtype !== 'bool') ?? g.want([3], 'float32');
  const { bound, error, quantum } = x;
  const { shape } = x.node;
  const make = (
    op: 'neg' | 'abs' | 'sign' | 'floor' | 'round' | 'tanh' | 'sigmoid' | 'erf' | 'sin' | 'cos',
    from: Value,
    known: { bound: number; error?: number; quantum?: number },
  ): void => {
    g.keep(g.result(g.add(op, [from], {}) as Node, known));
  };
  if (!float(x)) {
    const op = g.random.pick(['neg', 'abs', 'sign'] as const);
    make(op, x, { bound: x.node.dtype === 'uint8' ? 255 : bound });
    return;
  }
  const smooth = ['tanh', 'sigmoid', 'erf', 'sin', 'cos'] as const;
  const op = g.random.pick([
    'neg',
    'abs',
    ...smooth,
    'exp',
    'expm1',
    'log',
    'log1p',
    'sqrt',
    'rsqrt',
    ...(isExact(x) ? (['sign', 'floor', 'round'] as const) : []),
  ] as const);
  switch (op) {
    case 'neg':
    case 'abs':
      make(op, x, { bound, error, quantum });
      break;
    case 'sign':
    case 'floor':
    case 'round':
      make(op, x, { bound: bound + 1, quantum: 1 });
      break;
    case 'exp':
    case 'expm1': {
      const small = g.limited(x, 2);
      g.keep(g.result(g.add(op, [small], {}) as Node, { bound: 8, error: small.error * 8 }));
      break;
    }
    case 'log':
    case 'log1p':
    case 'sqrt':
    case 'rsqrt': {
      const positive = g.positive(x);
      const top = {
        log: Math.log(positive.bound) + 1,
        log1p: Math.log(positive.bound) + 2,
        sqrt: Math.sqrt(positive.bound),
        rsqrt: 1.5,
      }[op];
      g.keep(g.result(g.add(op, [positive], {}) as Node, { bound: top, error: positive.error * 3 }));
      break;
    }
    default:
      make(op, bound > 50 ? g.limited(x, 4) : x, { bound: 1, error: error * 1.2 });
  }
  // a fused chain: the same shape once more
  if (g.random.chance(0.3) && shape.length > 0) binary(g);
}

export function binary(g: Generator): void {
  const a = g.some((value) => value.node.dtype !== 'bool') ?? g.want([3], 'float32');
  const { shape, dtype } = a.node;
  const b = g.random.chance(0.15) ? g.someConstant(dtype, shape) : g.want(shape, dtype);
  const quantum = Math.min(a.quantum, b.quantum);
  if (float(a)) {
    floatBinary(g, a, b, quantum);
    return;
  }
  const shifts = dtype === 'int32' ? (['shiftLeft', 'shiftRight', 'shiftRightLogical'] as const) : [];
  const op = g.random.pick(['add', 'sub', 'mul', 'div', 'max', 'min', 'mod', 'and', 'or', 'xor', ...shifts] as const);
  const bound = {
    add: a.bound + b.bound,
    sub: a.bound + b.bound,
    mul: a.bound * b.bound,
    max: Math.max(a.bound, b.bound),
    min: Math.max(a.bound, b.bound),
    mod: b.bound,
    div: a.bound,
  } as Record<string, number>;
  g.keep(
    g.result(g.add(op, [a, b], {}) as Node, {
      bound: dtype === 'uint8' && op === 'sub' ? 255 : (bound[op] ?? greatestInt),
    }),
  );
}

function floatBinary(g: Generator, a: Value, b: Value, quantum: number): void {
  const op = g.random.pick([
    'add',
    'add',
    'sub',
    'mul',
    'mul',
    'max',
    'min',
    'div',
    'pow',
    ...(quantum > 0 ? (['mod'] as const) : []),
  ] as const);
  const error = a.error + b.error;
  switch (op) {
    case 'add':
    case 'sub':
      g.keep(g.result(g.add(op, [a, b], {}) as Node, { bound: a.bound + b.bound, error, quantum }));
      break;
    case 'mul':
      g.keep(
        g.result(g.add(op, [a, b], {}) as Node, {
          bound: a.bound * b.bound,
          error: a.error * b.bound + b.error * a.bound,
          quantum: a.quantum * b.quantum,
        }),
      );
      break;
    case 'max':
    case 'min':
      g.keep(
        g.result(g.add(op, [a, b], {}) as Node, {
          bound: Math.max(a.bound, b.bound),
          error: Math.max(a.error, b.error),
          quantum,
        }),
      );
      break;
    case 'div': {
      const divisor = g.positive(b);
      g.keep(
        g.result(g.add(op, [a, divisor], {}) as Node, {
          bound: 2 * a.bound,
          error: 2 * a.error + 4 * a.bound * divisor.error,
        }),
      );
      break;
    }
    case 'pow': {
      const base = g.limited(g.positive(a), 4);
      const positive = base.bound > 4 ? base : g.positive(base);
      const exponent = g.limited(b, 2);
      g.keep(
        g.result(g.add(op, [positive, exponent], {}) as Node, {
          bound: 16,
          error: 32 * positive.error + 24 * exponent.error,
        }),
      );
      break;
    }
    case 'mod': {
      const divisor = g.positive(b);
      g.keep(g.result(g.add(op, [a, divisor], {}) as Node, { bound: divisor.bound, quantum: Math.min(quantum, 0.5) }));
      break;
    }
  }
}

export function compare(g: Generator): void {
  const a = g.some(isExact) ?? g.want([3], 'int32');
  const b = g.want(a.node.shape, a.node.dtype, isExact);
  const orders = a.node.dtype === 'bool' ? [] : (['less', 'lessEqual', 'greater', 'greaterEqual'] as const);
  const op = g.random.pick(['equal', 'notEqual', ...orders] as const);
  g.keep(g.result(g.add(op, [a, b], {}) as Node, { bound: 1 }));
}

export function logic(g: Generator): void {
  const a = g.some(({ node }) => node.dtype === 'bool') ?? g.want(g.shape(), 'bool');
  if (g.random.chance(0.3)) g.keep(g.result(g.add('not', [a], {}) as Node, { bound: 1 }));
  else
    g.keep(
      g.result(g.add(g.random.pick(['and', 'or', 'xor'] as const), [a, g.want(a.node.shape, 'bool')], {}) as Node, {
        bound: 1,
      }),
    );
}

export function select(g: Generator): void {
  const a = g.some(() => true) ?? g.want([2, 3], 'float32');
  const { shape, dtype } = a.node;
  const b = g.want(shape, dtype);
  const condition = g.want(shape, 'bool');
  g.keep(g.moved(g.add('select', [condition, a, b], {}) as Node, a, b));
}

/** relu, as the front end writes it: a rule of the simplifier looks for it. */
export function relu(g: Generator): void {
  const x = g.some((value) => float(value) && isExact(value)) ?? g.want([4, 3], 'float32', isExact);
  const zero = g.constant(0, 'float32', x.node.shape);
  const condition = g.result(g.add('lessEqual', [x, zero], {}) as Node, { bound: 1 });
  const y = g.keep(g.moved(g.add('select', [condition, zero, x], {}) as Node, zero, x));
  if (g.random.chance(0.6)) {
    const dy = g.want(x.node.shape, 'float32');
    g.keep(
      g.moved(g.add('select', [condition, zero, dy], {}) as Node, zero, dy, { ...y, bound: 0, error: 0, quantum: 1 }),
    );
  }
}

export function cast(g: Generator): void {
  const to = g.random.pick(dtypes) as ComputeDType;
  const from = g.some((value) => (to === 'float32' ? value.bound < 2 ** 20 : isExact(value)));
  if (!from) return;
  const bound = from.node.dtype === 'float32' || to !== 'uint8' ? from.bound : 255;
  g.keep(
    g.result(g.add('cast', [from], { dtype: to }) as Node, {
      bound: Math.max(1, bound),
      error: from.error,
      quantum: to === 'float32' && from.node.dtype === 'float32' ? from.quantum : 1,
    }),
  );
}

export function mark(g: Generator): void {
  const x = g.some(() => true);
  if (!x) return;
  const node = g.random.chance(0.3)
    ? g.add('stopGradient', [x], {})
    : g.add('identity', [x], { tag: g.builder.nodes.length, barrier: g.random.chance(0.5) });
  g.keep(g.moved(node as Node, x));
}
