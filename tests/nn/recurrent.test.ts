import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, type Tensor, valueAndGrad } from '../../src/core/index.js';
import {
  Bidirectional,
  GRU,
  type Layer,
  LSTM,
  type Recurrent,
  type RecurrentOptions,
  SimpleRNN,
} from '../../src/nn/index.js';
import { onEachDevice } from '../devices.js';
import { checkLayer } from './check-layer.js';
import { goldenOf } from './golden.js';
import { recurrentRows } from './recurrent-rows.js';

for (const row of recurrentRows) checkLayer(row);

const classes = { rnn: SimpleRNN, lstm: LSTM, gru: GRU };

for (const golden of goldenOf('recurrent')) {
  test(`${golden.name} as PyTorch`, () => {
    const {
      kind,
      layers,
      bidirectional: isBoth,
      units,
    } = golden.options as {
      readonly kind: keyof typeof classes;
      readonly layers: number;
      readonly bidirectional: boolean;
      readonly units: number;
    };
    const x = golden.input('x');
    const parts = new Map<string, Recurrent>();
    const one = (layer: number, direction: string, options: RecurrentOptions): Recurrent => {
      const name = `layer${layer}/${direction}`;
      const inputs = golden.input(`${name}/kernel`).shape[0]!;
      const made: Recurrent = new classes[kind](inputs, units, { returnSequences: true, ...options });
      parts.set(name, made);
      return made;
    };
    const chain: Layer<Tensor>[] = Array.from({ length: layers }, (_, i) => {
      const forward = one(i, 'forward', {});
      return isBoth ? new Bidirectional(forward, one(i, 'backward', { goBackwards: true })) : forward;
    });
    const weights = [...parts].flatMap(([name, layer]) =>
      Object.entries(layer.cell.parameters()).map(([path, parameter]) => [`${name}/${path}`, parameter] as const),
    );
    for (const [name, parameter] of weights) parameter.assign(golden.input(name));
    const forward = (input: Tensor): Tensor => chain.reduce((value, layer) => layer.forward(value), input);
    onEachDevice(() => {
      const { gradients } = valueAndGrad(
        () => forward(x).mul(golden.input('dy')).sum(),
        [x, ...weights.map(([, parameter]) => parameter)],
      );
      golden.check('y', compile(forward)(x), golden.output('y'));
      golden.check('gradient of x', gradients[0]!, golden.gradient('x'));
      for (const [i, [name]] of weights.entries())
        golden.check(`gradient of ${name}`, gradients[i + 1]!, golden.gradient(name));
      if (isBoth || layers > 1) return;
      const { state } = parts.get('layer0/forward')!.run(x);
      for (const [name, part] of Object.entries(state))
        golden.check(`last ${name}`, part, golden.output(`last/${name}`));
    });
    assert.equal(chain.length, layers);
  });
}
