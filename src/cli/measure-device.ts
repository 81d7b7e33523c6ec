import { copyLimit, MachineDevice, multiplyAddLimit } from '../backends/machine/index.js';
import { compile, type Device, Tensor } from '../core/index.js';

export interface DeviceSpeed {
  /** Multiply-adds on registers alone. */
  readonly gflops: number;
  /** A product of 512 × 512 matrices. */
  readonly gemmGflops: number;
  /** A copy of 64 MB: bytes read and written. */
  readonly copyGBs: number;
}

const size = 512;

/** How fast the device in use is, and how much of its limit a product of matrices reaches; `undefined` where it has no machine. */
export async function measureDevice(device: Device): Promise<DeviceSpeed | undefined> {
  if (!(device instanceof MachineDevice)) return undefined;
  await device.ready();
  const gflops = multiplyAddLimit(device);
  const copyGBs = copyLimit(device, 2 ** 26);
  const matrix = Tensor.fromHost({
    dtype: 'float32',
    shape: [size, size],
    data: new Float32Array(size * size).fill(0.5),
  });
  const product = compile((a: Tensor, b: Tensor) => a.matmul(b));
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 40; round++) {
    const begin = performance.now();
    product(matrix, matrix);
    best = Math.min(best, performance.now() - begin);
  }
  return { gflops, gemmGflops: (2 * size ** 3) / best / 1e6, copyGBs };
}
