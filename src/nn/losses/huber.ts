import { fail, KilnError } from '../../core/index.js';
import type { Loss } from './loss.js';
import { checkAlike } from './shapes.js';

/**
 * Square for small errors, straight for large ones: mean of d²/2 where |d| ≤ delta, else delta·(|d| − delta/2).
 *
 * @param options delta: where the straight part begins (1)
 * @see Huber 1964, "Robust estimation of a location parameter"
 */
export function huber({ delta = 1 }: { readonly delta?: number } = {}): Loss {
  if (!(delta > 0)) fail(`huber: delta ${delta}`, 'Give a number above 0.', KilnError);
  return (predictions, targets) => {
    checkAlike('huber', predictions, targets);
    const distance = predictions.sub(targets).abs();
    // c·(|d| − c/2) with c = min(|d|, delta) is both cases
    const near = distance.minimum(delta);
    return near.mul(distance.sub(near.mul(0.5))).mean();
  };
}
