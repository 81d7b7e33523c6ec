/** Tells in a second whether anything works: one Dense step, traced, compiled and run on WebAssembly. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { compile, Parameter, type Tensor, tensor, valueAndGrad } from '../../src/index.js';

test('a line is learned', () => {
  const slope = new Parameter('slope', [1, 1]);
  const offset = new Parameter('offset', [1]);
  slope.assign(tensor([[0]]));
  offset.assign(tensor([0]));
  const step = compile((x: Tensor, y: Tensor) => {
    const { value, gradients } = valueAndGrad(
      () => x.matmul(slope.value).add(offset.value).sub(y).square().mean(),
      [slope, offset],
    );
    for (const [i, parameter] of [slope, offset].entries()) {
      parameter.assign(parameter.value.sub(gradients[i]!.mul(0.2)));
    }
    return value;
  });
  const x = tensor([[-1], [-0.5], [0], [0.5], [1]]);
  const y = x.mul(3).sub(2);
  let loss = Number.NaN;
  for (let i = 0; i < 100; i++) loss = step(x, y).dataSync()[0]!;
  assert.ok(loss < 1e-6, `the loss is ${loss}`);
  assert.ok(Math.abs(slope.value.dataSync()[0]! - 3) < 1e-3);
  assert.ok(Math.abs(offset.value.dataSync()[0]! + 2) < 1e-3);
});
