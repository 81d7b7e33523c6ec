/** Rows for what PyTorch's layers cannot check: peepholes, the first form of the GRU, other activations, other merges. */
import { stack, type Tensor, zeros } from '../../src/core/index.js';
import { Bidirectional, bidirectional, GRU, gru, LSTM, lstm, SimpleRNN, simpleRnn } from '../../src/nn/index.js';
import type { LayerRow } from './check-layer.js';

type Values = Readonly<Record<string, Tensor>>;

/** The outputs of every step, step by step: [batch, steps, units]. */
function loop(
  x: Tensor,
  units: number,
  step: (x: Tensor, state: readonly [h: Tensor, c: Tensor]) => readonly [h: Tensor, c: Tensor],
): Tensor {
  let state: readonly [Tensor, Tensor] = [zeros([x.shape[0]!, units]), zeros([x.shape[0]!, units])];
  const outputs: Tensor[] = [];
  for (let t = 0; t < x.shape[1]!; t++) {
    state = step(x.slice(undefined, t), state);
    outputs.push(state[0]);
  }
  return stack(outputs, { axis: 1 });
}

const columns = (x: Tensor, from: number, to: number): Tensor => x.slice(undefined, [from, to]);
const sigmoid = (x: Tensor): Tensor => x.neg().exp().add(1).reciprocal();

const peepholeStep =
  (p: Values, units: number) =>
  (x: Tensor, [h, c]: readonly [Tensor, Tensor]): readonly [Tensor, Tensor] => {
    const z = x.matmul(p['cell/kernel']!).add(h.matmul(p['cell/recurrentKernel']!)).add(p['cell/bias']!);
    const peephole = (gate: number): Tensor => p['cell/peepholes']!.slice(gate);
    const part = (gate: number): Tensor => columns(z, gate * units, (gate + 1) * units);
    const i = sigmoid(part(0).add(peephole(0).mul(c)));
    const f = sigmoid(part(1).add(peephole(1).mul(c)));
    const next = f.mul(c).add(i.mul(part(2).tanh()));
    const o = sigmoid(part(3).add(peephole(2).mul(next)));
    return [o.mul(next.tanh()), next];
  };

const firstGruStep =
  (p: Values, units: number) =>
  (x: Tensor, [h]: readonly [Tensor, Tensor]): readonly [Tensor, Tensor] => {
    const inputs = x.matmul(p['cell/kernel']!).add(p['cell/bias']!);
    const kernel = (gate: number): Tensor => columns(p['cell/recurrentKernel']!, gate * units, (gate + 1) * units);
    const part = (gate: number): Tensor => columns(inputs, gate * units, (gate + 1) * units);
    const z = sigmoid(part(0).add(h.matmul(kernel(0))));
    const r = sigmoid(part(1).add(h.matmul(kernel(1))));
    const n = part(2)
      .add(r.mul(h).matmul(kernel(2)))
      .tanh();
    const next = z.mul(h).add(z.neg().add(1).mul(n));
    return [next, next];
  };

const last = (sequence: Tensor): Tensor => sequence.slice(undefined, -1);
const small = { low: -1, high: 1 };

const peeping = { peepholes: true };
const mean = { mergeMode: 'ave' } as const;

export const recurrentRows: readonly LayerRow[] = [
  {
    note: 'lstm with peepholes',
    make: () => new LSTM(2, 3, { peepholes: true, returnSequences: true }),
    builder: lstm(3, { peepholes: true, returnSequences: true }),
    x: { shape: [2, 4, 2], ...small },
    output: [4, 3],
    parameters: {
      'cell/kernel': [2, 12],
      'cell/recurrentKernel': [3, 12],
      'cell/bias': [12],
      'cell/peepholes': [3, 3],
    },
    formula: (x, p) => loop(x, 3, peepholeStep(p, 3)),
  },
  {
    note: 'gru with the reset gate before the product',
    make: () => new GRU(2, 3, { resetAfter: false }),
    builder: gru(3, { resetAfter: false }),
    x: { shape: [2, 3, 2], ...small },
    output: [3],
    parameters: { 'cell/kernel': [2, 9], 'cell/recurrentKernel': [3, 9], 'cell/bias': [9] },
    formula: (x, p) => last(loop(x, 3, firstGruStep(p, 3))),
  },
  {
    note: 'simple rnn of relus without a bias, backwards',
    make: () =>
      new SimpleRNN(2, 3, { activation: 'softplus', useBias: false, goBackwards: true, returnSequences: true }),
    builder: simpleRnn(3, { activation: 'softplus', useBias: false, goBackwards: true, returnSequences: true }),
    x: { shape: [2, 3, 2], ...small },
    output: [3, 3],
    parameters: { 'cell/kernel': [2, 3], 'cell/recurrentKernel': [3, 3] },
    formula: (x, p) =>
      loop(x.flip(1), 3, (t, [h]) => {
        const next = t.matmul(p['cell/kernel']!).add(h.matmul(p['cell/recurrentKernel']!)).softplus();
        return [next, next];
      }),
  },
  {
    note: 'bidirectional lstm, the mean of both ends',
    make: () => new Bidirectional(new LSTM(2, 3, peeping), new LSTM(2, 3, { ...peeping, goBackwards: true }), mean),
    builder: bidirectional(lstm(3, peeping), mean),
    x: { shape: [2, 3, 2], ...small },
    output: [3],
    parameters: Object.fromEntries(
      ['forward', 'backward'].flatMap((side) => [
        [`${side}/cell/kernel`, [2, 12]],
        [`${side}/cell/recurrentKernel`, [3, 12]],
        [`${side}/cell/bias`, [12]],
        [`${side}/cell/peepholes`, [3, 3]],
      ]),
    ),
    formula: (x, p) => {
      const end = (sequence: Tensor, side: string): Tensor => {
        const own = Object.entries(p).filter(([path]) => path.startsWith(`${side}/`));
        const values = Object.fromEntries(own.map(([path, value]) => [path.slice(side.length + 1), value]));
        return last(loop(sequence, 3, peepholeStep(values, 3)));
      };
      return end(x, 'forward')
        .add(end(x.flip(1), 'backward'))
        .div(2);
    },
  },
];
