import type { Tensor } from '../core/index.js';

const largestFloat32 = 3.4028234663852886e38;

/** Whether each number is neither NaN nor infinite: a comparison with NaN is false. */
export const areFinite = (x: Tensor): Tensor => x.abs().lessEqual(largestFloat32);
