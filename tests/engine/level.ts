/** Loops whose memory must stay level: what is held after a warm-up is all that is ever held. */
import assert from 'node:assert/strict';
import {
  adam,
  compile,
  dense,
  initialize,
  meanSquaredError,
  memory,
  sequential,
  type Tensor,
  valueAndGrad,
} from '../../src/index.js';
import { numbers } from './agree.js';

const mebi = 2 ** 20;

/** What the process may grow by: the collector is free to come late, and others' pages are counted too. */
const slackBytes = 96 * mebi;

interface Rounds {
  readonly warmUp: number;
  readonly measured: number;
}

function staysLevel({ warmUp, measured }: Rounds, round: (i: number) => void): void {
  let highest = 0;
  const run = (from: number, count: number): void => {
    const every = Math.ceil(count / 50);
    for (let i = from; i < from + count; i++) {
      round(i);
      if (i % every === 0) highest = Math.max(highest, process.memoryUsage.rss());
    }
  };
  run(0, warmUp);
  const [before, peak] = [highest, memory().peak];
  highest = 0;
  run(warmUp, measured);
  const grown = highest - before;
  assert.ok(grown < slackBytes, `${measured} rounds after ${warmUp}: grew by ${Math.round(grown / mebi)} MB`);
  assert.ok(memory().peak <= peak + 8 * mebi, `the device grew from ${peak} to ${memory().peak} bytes`);
}

/** Operations one after another in one synchronous loop: neither finalisers nor timers ever run. */
export function eagerOperations({ size, ...rounds }: Rounds & { readonly size: number }): void {
  const one = numbers([size]);
  let x = numbers([size], 'float32', 2);
  staysLevel(rounds, () => {
    x = x.mul(0.5).add(one);
  });
  assert.ok(Number.isFinite(x.dataSync()[0]));
}

export function trainingSteps(rounds: Rounds): void {
  const model = sequential({ input: [8] }, [dense(16, { activation: 'relu' }), dense(2)]);
  initialize(model, { seed: 1 });
  const parameters = model.parameters();
  const optimizer = adam();
  const step = compile((x: Tensor, y: Tensor) => {
    const { value, gradients } = valueAndGrad(() => meanSquaredError(model.forward(x), y), parameters);
    optimizer.update(parameters, gradients);
    return value;
  });
  const y = numbers([16, 2], 'float32', 3);
  let loss: Tensor | undefined;
  staysLevel(rounds, (i) => {
    loss = step(numbers([16, 8], 'float32', i), y);
  });
  assert.ok(loss!.dataSync()[0]! < 2);
}

/** Each round a program that was not there before: old ones have to go. */
export function manyPrograms(rounds: Rounds): void {
  const one = numbers([4]);
  staysLevel(rounds, (i) => {
    compile((x: Tensor) => x.mul(i).add(1))(one);
  });
}
