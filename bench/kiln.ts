/** Kiln's own side of the bench. */
import { createDevice } from '../src/backends/index.js';
import { MachineDevice, multiplyAddLimit } from '../src/backends/machine/index.js';
import {
  adam,
  compile,
  conv2d,
  crossEntropy,
  type Device,
  dense,
  dropout,
  flatten,
  initialize,
  maxPool2d,
  normal,
  sequential,
  type Tensor,
  tensor,
  training,
  useDevice,
  valueAndGrad,
} from '../src/index.js';
import type { BenchCase, ConvCase } from './cases.js';

export interface KilnOptions {
  readonly device: string;
  readonly threads: number;
}

/** Builds the case on Kiln; undefined where Kiln cannot do it. A run ends when its values are there. */
export function prepareKiln(
  problem: BenchCase,
  { device, threads }: KilnOptions,
): { run(): void | Promise<void> } | undefined {
  startDevice(device, threads);
  switch (problem.kind) {
    case 'gemm': {
      const a = normal([problem.m, problem.k], { seed: 1 });
      const b = normal([problem.k, problem.n], { seed: 2 });
      return running(compile(() => a.matmul(b)));
    }
    case 'conv':
      return running(convolution(problem));
    case 'elementwise': {
      const x = normal([problem.elements], { seed: 1 });
      return running(compile(() => x.mul(1.5).add(0.25).tanh().mul(2).add(x).relu()));
    }
    case 'mnistStep':
      return running(mnistStep(problem.batch));
  }
}

const started = new Map<string, Device>();
function startDevice(device: string, threads: number): Device {
  const key = `${device} ${threads}`;
  const made = started.get(key) ?? createDevice(device, { threads });
  started.set(key, made);
  return useDevice(made);
}

const running = (f: () => Tensor): { run(): void } => ({
  run: () => {
    f();
  },
});

function convolution({
  direction,
  batch,
  groups,
  inputChannels,
  filters,
  spatial,
  kernel,
  strides,
  padding,
  dilation,
  output,
}: ConvCase): () => Tensor {
  const params = { strides, padding, dilation, groups };
  const x = normal([batch, ...spatial, inputChannels], { seed: 1 });
  const k = normal([...kernel, inputChannels / groups, filters], { seed: 2 });
  const dy = normal([batch, ...output, filters], { seed: 3 });
  switch (direction) {
    case 'forward':
      return compile(() => x.conv(k, params));
    case 'inputGradient':
      return compile(() => dy.convInputGradient(k, { ...params, inputSizes: spatial }));
    case 'kernelGradient':
      return compile(() => x.convKernelGradient(dy, { ...params, kernelSizes: kernel }));
  }
}

function mnistStep(batch: number): () => Tensor {
  const model = sequential({ input: [28, 28, 1] }, [
    conv2d(32, 3, { activation: 'relu' }),
    conv2d(32, 3, { activation: 'relu' }),
    maxPool2d(2),
    dropout(0.25),
    flatten(),
    dense(128, { activation: 'relu' }),
    dropout(0.5),
    dense(10),
  ]);
  initialize(model, { seed: 0 });
  const optimizer = adam();
  const images = normal([batch, 28, 28, 1], { seed: 1 });
  const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10));
  return compile(() => {
    const loss = () => crossEntropy(model.forward(images, training), labels);
    const { value, gradients } = valueAndGrad(loss, model.parameters());
    optimizer.update(model.parameters(), gradients);
    return value;
  });
}

/** What multiply-adds on registers alone reach on this machine with the lanes of `device`, in GFLOP/s. */
export async function measureLimit({ device, threads }: KilnOptions): Promise<number | undefined> {
  const measured = startDevice(device, threads);
  if (!(measured instanceof MachineDevice)) return undefined;
  await measured.ready();
  return multiplyAddLimit(measured);
}
