import { fail, type PerAxis, type Tensor } from '../../core/index.js';
import { type Blueprint, blueprint, type NameOption } from '../blueprint.js';
import { Layer } from '../layer.js';
import { channelsOf } from './images.js';

/** One amount for all sides, [height, width] for both sides of each, or [[top, bottom], [left, right]]. */
export type PaddingAmounts = PerAxis | readonly (readonly [number, number])[];

function sides(padding: PaddingAmounts): (readonly [number, number])[] {
  const axes = typeof padding === 'number' ? [padding, padding] : padding;
  const amounts = axes.map((axis) => (typeof axis === 'number' ? ([axis, axis] as const) : axis));
  if (amounts.length !== 2 || amounts.flat().some((amount) => !Number.isInteger(amount) || amount < 0))
    fail(
      `zeroPadding2d: padding ${JSON.stringify(padding)}`,
      'Give an integer, [height, width], or [[top, bottom], [left, right]].',
    );
  return amounts;
}

/** Zeros around pictures: [batch, height, width, channels] -> [batch, height + top + bottom, width + left + right, channels]. */
export class ZeroPadding2D extends Layer {
  readonly padding: readonly (readonly [number, number])[];

  constructor(padding: PaddingAmounts = 1) {
    super();
    this.padding = sides(padding);
  }

  override get kind(): string {
    return 'zero_padding2d';
  }

  forward(x: Tensor): Tensor {
    const [[top, bottom], [left, right]] = this.padding as readonly [
      readonly [number, number],
      readonly [number, number],
    ];
    return x.padConstant({ low: [0, top, left, 0], high: [0, bottom, right, 0] });
  }
}

export const zeroPadding2d = (padding: PaddingAmounts = 1, options: NameOption = {}): Blueprint =>
  blueprint((incoming) => {
    channelsOf('zeroPadding2d', incoming);
    return new ZeroPadding2D(padding);
  }, options);
