/** The same bits on one, two and three threads, twice in a row, and fused as unfused. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeEngine, SinglePool, wasmDevice } from '../../src/backends/wasm/index.js';
import { type Device, useDevice } from '../../src/core/index.js';
import {
  adam,
  compile,
  conv2d,
  crossEntropy,
  dense,
  dropout,
  flatten,
  initialize,
  maxPool2d,
  normal,
  scan,
  sequential,
  type Tensor,
  uniform,
  valueAndGrad,
} from '../../src/index.js';
import { bits, numbers, on, wasmWith } from './agree.js';

const threadCounts = [1, 2, 3];

/** Waits until the device's threads are there, so that work is shared from the first program on. */
async function awake(device: Device): Promise<void> {
  const pool = device as unknown as { ready?: () => Promise<void> };
  await pool.ready?.();
}

async function sameBits(what: string, f: () => unknown): Promise<void> {
  let first: string | undefined;
  for (const threads of threadCounts) {
    const device = wasmWith(threads);
    await awake(device);
    for (const round of [1, 2]) {
      const found = on(device, () => bits(f()));
      first ??= found;
      assert.ok(found === first, `${what}: other bits on ${threads} threads, round ${round}`);
    }
  }
}

test('devices of several threads run side by side, each its own programs', async () => {
  for (const threads of threadCounts) {
    const device = wasmWith(threads);
    const before = device.memory().resident;
    on(device, () =>
      numbers([1 << 16])
        .mul(3)
        .dataSync(),
    );
    assert.ok(device.memory().resident > before, `${threads} threads: the product lies on another device`);
  }
});

test('training steps of a convolutional network', async () => {
  await sameBits('training', () => {
    const model = sequential({ input: [12, 12, 1] }, [
      conv2d(8, 3, { activation: 'relu' }),
      conv2d(8, 3, { activation: 'relu' }),
      maxPool2d(2),
      dropout(0.25),
      flatten(),
      dense(16, { activation: 'relu' }),
      dense(10),
    ]);
    initialize(model, { seed: 3 });
    const parameters = model.parameters();
    const optimizer = adam();
    const step = compile((x: Tensor, y: Tensor) => {
      const { value, gradients } = valueAndGrad(() => crossEntropy(model.forward(x), y), parameters);
      optimizer.update(parameters, gradients);
      return value;
    });
    const x = numbers([16, 12, 12, 1]);
    const y = numbers([16], 'uint8').mod(10).cast('int32');
    const losses = Array.from({ length: 4 }, () => step(x, y));
    return [losses, Object.values(parameters).map((parameter) => parameter.value)];
  });
});

test('reductions', () =>
  sameBits('reductions', () => {
    const x = numbers([300, 70, 11]);
    return [
      x.sum(),
      x.sum({ axis: 0 }),
      x.sum({ axis: 1 }),
      x.sum({ axis: [0, 2] }),
      x.mean({ axis: [1, 2] }),
      x.argmax(),
      x.softmax({ axis: 0 }),
      x.cumsum({ axis: 0 }),
    ];
  }));

test('matrix products and convolutions', () =>
  sameBits('contractions', () => {
    const a = numbers([130, 257]);
    const images = numbers([4, 30, 30, 3]);
    return [
      a.matmul(a.transpose()),
      a.transpose().matmul(a),
      images.conv2d(numbers([3, 3, 3, 9]), { padding: 'same' }),
    ];
  }));

test('scatter-add', () =>
  sameBits('scatter-add', () => {
    const indices = numbers([5000], 'int32').abs();
    return numbers([5000, 40]).scatterAdd(indices, { size: 10 });
  }));

test('random draws', () => sameBits('random', () => [uniform([100_003], { seed: 5 }), normal([100_003], { seed: 6 })]));

test('loops and their gradients', () =>
  sameBits('scan', () => {
    const xs = numbers([20, 64, 32]);
    const kernel = numbers([32, 32], 'float32', 2).mul(0.1);
    const run = compile((w: Tensor) => {
      const { value, gradients } = valueAndGrad(() => {
        const [last] = scan(
          (h: Tensor, x: Tensor) => {
            const next = h.matmul(w).add(x).tanh();
            return [next, next];
          },
          xs.take(0),
          xs,
        );
        return last.square().sum();
      }, [w]);
      return [value, gradients[0]!];
    });
    return run(kernel);
  }));

test('fused equals unfused, bit for bit', () => {
  const unfused = wasmDevice({
    engine: nodeEngine(),
    createPool: (memory) => new SinglePool(memory),
    fusion: false,
  });
  const chain = compile((x: Tensor, b: Tensor, i: Tensor) => [
    x.mul(b).add(0.1).mul(x).sub(b.mul(b)),
    x.mul(3).exp().log1p().tanh().add(x.sigmoid()).mul(b.erf()),
    x.abs().add(0.5).pow(b).sqrt().div(x).mul(1.7).add(b.sin()).sub(b.cos()),
    x
      .transpose()
      .mul(2.5)
      .add(b.reshape([b.size, 1])),
    x.greater(b).select(x.mul(b).add(1), b.neg()).floor().maximum(x).minimum(b),
    x.round().mod(0.3).add(b.expm1()).add(x.square().add(1).rsqrt()),
    i.mul(7).add(i.shiftRight(1)).xor(i.cast('float32').mul(1.5).cast('int32')).mod(5),
    x.mul(b).add(x).sum({ axis: 0 }),
    x.mul(b).add(x).sum({ axis: 1 }),
  ]);
  for (const shape of [
    [33, 1029],
    [5, 7],
    [1, 4],
    [130, 3],
  ]) {
    const run = (): string[] =>
      chain(numbers(shape), numbers([shape[1]!], 'float32', 2), numbers(shape, 'int32')).map(bits);
    const [fused, apart] = [on(wasmWith(2), run), on(unfused, run)];
    fused.forEach((found, i) => {
      assert.ok(found === apart[i], `[${shape}]: result ${i} has other bits`);
    });
  }
});

useDevice(wasmWith(1));
