import { checkpoint, cond, grad, type PrimitiveName, randomBits, scan, tensor } from '../../../src/core/index.js';
import { type Case, opCase } from '../../check-op.js';

/** Sources and control: what has no operand, or several results. */
export const controlCases = {
  input: opCase((x) => x.add(1), [{ x: [3] }]),
  constant: opCase((x) => x.mul(2).add(0.1), [{ x: [3] }, { x: { shape: [3], dtype: 'int32' } }]),
  iota: opCase(
    (x, { axis }) => x.indices(axis),
    [
      { x: [5], p: { axis: 0 } },
      { x: [2, 3, 4], p: { axis: 1 } },
      { x: [3, 0], p: { axis: 0 } },
    ],
  ),
  randomBits: opCase(
    (x, { shape, stream }) => randomBits(x, shape, { stream }),
    [
      { x: { shape: [3], dtype: 'int32', values: [0, 0, 0] }, p: { shape: [4], stream: 0 } },
      { x: { shape: [3], dtype: 'int32', values: [7, 3, 2] }, p: { shape: [5, 13], stream: 4000000000 } },
      { x: { shape: [3], dtype: 'int32', values: [-1, 1, 0] }, p: { shape: [33], stream: 9 } },
      { x: { shape: [3], dtype: 'int32', values: [1, 1, 1] }, p: { shape: [0], stream: 9 } },
      { x: { shape: [3], dtype: 'int32', values: [1, 1, 1] }, p: { shape: [], stream: 9 } },
    ],
  ),
  identity: opCase(
    // a gradient marks what it is taken by
    (x) => grad((own: typeof x) => own.mul(own).mul(own).sum())(x),
    [{ x: [3] }, { x: [] }],
  ),
  call: opCase(
    (x, { y }) => checkpoint((a: typeof x, b: typeof x) => a.mul(b).tanh().mul(y))(x, y),
    [{ x: [3, 2], y: [2] }],
  ),
  cond: opCase(
    (x, { y }) =>
      cond(
        x.sum().greater(0),
        () => x.mul(y),
        () => x.mul(x).sub(y),
      ),
    [
      { x: { shape: [3], values: [1, 2, 3] }, y: [3] },
      { x: { shape: [3], values: [-1, -2, -3] }, y: [3] },
    ],
  ),
  part: opCase((x) => checkpoint((a: typeof x) => [a.mul(2), a.tanh()] as const)(x), [{ x: [3] }]),
  scan: opCase(
    (x, { y, z, ...options }) =>
      scan(
        (h: typeof x, step: typeof x) => {
          const next = h.mul(z).add(step).tanh();
          return [next, next.mul(step)] as const;
        },
        x,
        y,
        options,
      ),
    [
      { x: [2], y: [3, 2], z: [2], p: {} },
      { x: [2], y: [3, 2], z: [], p: { reverse: true } },
      { x: [2], y: [6, 2], z: [2], p: { checkpointEvery: 2 } },
      { x: [2], y: [6, 2], z: [2], p: { checkpointEvery: 3, reverse: true } },
      { x: [2], y: [1, 2], z: [2], p: {} },
      { x: [2], y: [0, 2], z: [2], p: {}, note: 'no steps' },
    ],
  ),
} satisfies Partial<Record<PrimitiveName, Case>>;

export const scanInteger = opCase(
  (x) =>
    scan(
      (count: typeof x, step: typeof x) => [count.add(1), count.mul(step)] as const,
      tensor([0], { dtype: 'int32' }),
      x,
    ),
  [{ x: { shape: [4, 1], dtype: 'int32' } }],
);
