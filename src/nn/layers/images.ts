import { fail, formatShape, type Shape } from '../../core/index.js';
import type { Signature } from '../signature.js';

/** The channels of [height, width, channels], which layers over pictures take. */
export function channelsOf(where: string, { shape }: Signature): number {
  if (shape.length !== 3) failImages(where, shape);
  return shape[2]!;
}

function failImages(where: string, shape: Shape): never {
  fail(
    `${where}: a sample is ${formatShape(shape)}, takes [height, width, channels]`,
    shape.length === 2
      ? `Give it a channel axis: input: [${shape.join(', ')}, 1], or reshape([${shape.join(', ')}, 1]).`
      : 'Put it before flatten(), or reshape first.',
  );
}
