import { fail, formatShape } from '../../core/index.js';
import type { Signature } from '../signature.js';

/** The channels of [depth, height, width, channels], which layers over volumes take. */
export function channelsOfVolume(where: string, { shape }: Signature): number {
  if (shape.length !== 4) {
    fail(
      `${where}: a sample is ${formatShape(shape)}, takes [depth, height, width, channels]`,
      shape.length === 3
        ? `Give it a channel axis: input: [${shape.join(', ')}, 1], or reshape([${shape.join(', ')}, 1]).`
        : 'Put it before flatten(), or reshape first.',
    );
  }
  return shape[3]!;
}
