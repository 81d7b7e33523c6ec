import { fail, formatShape, sameShape, type Tensor } from '../../core/index.js';

export interface CrossEntropyOptions {
  /** How much of the target is spread evenly over all classes (0). @see Szegedy et al. 2016, arXiv:1512.00567, section 7 */
  readonly labelSmoothing?: number;
}

/**
 * Mean cross-entropy of a softmax, from its logits: −log softmax(logits)[label], or −Σ target · log softmax(logits).
 *
 * @param logits  [..., classes]: what the last layer gives, without a softmax
 * @param targets integer labels [...], or probabilities [..., classes]; a label out of range makes the loss NaN
 * @throws ShapeError if the shapes do not belong together
 * @example crossEntropy(model.forward(images, training), labels)
 */
export function crossEntropy(
  logits: Tensor,
  targets: Tensor,
  { labelSmoothing = 0 }: CrossEntropyOptions = {},
): Tensor {
  const classes = logits.shape.at(-1);
  const isDense = classes !== undefined && targets.dtype === 'float32' && sameShape(targets.shape, logits.shape);
  const isSparse =
    classes !== undefined && targets.dtype !== 'float32' && sameShape(targets.shape, logits.shape.slice(0, -1));
  if (!isDense && !isSparse) failShapes(logits, targets);
  const logarithms = logits.logSoftmax();
  const chosen = isDense ? logarithms.mul(targets).sum({ axis: -1 }) : atLabels(logarithms, targets);
  if (labelSmoothing === 0) return chosen.mean().neg();
  // the even part of the target weighs each class by smoothing / classes
  return chosen
    .mul(1 - labelSmoothing)
    .add(logarithms.mean({ axis: -1 }).mul(labelSmoothing))
    .mean()
    .neg();
}

/** The element of each row at its label: a comparison fuses, where a gather's gradient would have to scatter. */
function atLabels(rows: Tensor, labels: Tensor): Tensor {
  const own = labels.cast('int32');
  const isLabel = rows.indices(-1).equal(own.expandDims(-1));
  const isClass = own.greaterEqual(0).and(own.less(rows.shape.at(-1)!));
  return isClass.select(isLabel.select(rows, 0).sum({ axis: -1 }), Number.NaN);
}

function failShapes(logits: Tensor, targets: Tensor): never {
  const couldBeLabels = sameShape(targets.shape, logits.shape.slice(0, -1));
  fail(
    `crossEntropy: logits are ${formatShape(logits.shape)}, targets ${targets.dtype} ${formatShape(targets.shape)}`,
    couldBeLabels
      ? "Labels are integers: targets.cast('int32')."
      : `Targets are integer labels ${formatShape(logits.shape.slice(0, -1))} or float32 probabilities ${formatShape(logits.shape)}.`,
  );
}
