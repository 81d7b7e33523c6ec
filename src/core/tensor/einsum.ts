import { asTensor, type TensorLike } from '../apply.js';
import { fail } from '../errors.js';
import { formatShape } from '../shape.js';
import type { Tensor } from './tensor.js';

/** A tensor whose axes have names. */
interface Named {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

/**
 * Sum of products over named axes, as NumPy's einsum: each letter is an axis, letters that are not in the result are summed.
 * '...' stands for any leading axes; without '->' the result has the letters that occur once, in the order of the alphabet.
 * Products are taken from left to right.
 *
 * @throws ShapeError if the letters do not fit the shapes
 * @example einsum('bqd,bkd->bqk', queries, keys)
 */
export function einsum(equation: string, ...operands: readonly TensorLike[]): Tensor {
  const { inputs, output } = parse(
    equation,
    operands.map((operand) => asTensor(operand)),
  );
  const sizes = sizesOf(equation, inputs);
  const wanted = output.find((label) => !sizes.has(label));
  if (wanted !== undefined)
    fail(`einsum '${equation}': result axis ${wanted} is in no operand`, 'Name it in an operand, or leave it out.');
  const spread = inputs.map(({ tensor, labels }) =>
    diagonals({
      tensor: tensor.cast('float32').broadcastTo(labels.map((label) => sizes.get(label)!)),
      labels,
    }),
  );
  const product = spread.reduce((left, right, i) => {
    const later = new Set([...output, ...spread.slice(i + 1).flatMap(({ labels }) => labels)]);
    return multiply(left, right, later);
  });
  return arrange(sumOut(product, new Set(output)), output);
}

function parse(equation: string, tensors: readonly Tensor[]): { inputs: Named[]; output: readonly string[] } {
  const [left, right] = equation.replaceAll(' ', '').split('->');
  const terms = left!.split(',');
  if (!/^[a-zA-Z.,]*(->[a-zA-Z.]*)?$/.test(equation.replaceAll(' ', '')))
    fail(`einsum '${equation}': is not an equation`, "Write letters, commas, '...' and '->': 'ij,jk->ik'.");
  if (terms.length !== tensors.length)
    fail(
      `einsum '${equation}': has ${terms.length} terms for ${tensors.length} tensors`,
      'Give one term for each tensor, with commas between them.',
    );
  let unnamed: readonly string[] = [];
  const inputs = tensors.map((tensor, i) => {
    const term = terms[i]!;
    const named = term.replace('...', '').length;
    const extra = tensor.rank - named;
    if (term.includes('...') ? extra < 0 : extra !== 0)
      fail(
        `einsum '${equation}': term ${term} names ${named} axes of ${formatShape(tensor.shape)} (${named} ≠ ${tensor.rank})`,
        'Name every axis with a letter, or leading ones with ....',
      );
    // axes under '...' are counted from the right, so that they broadcast
    const dots = Array.from({ length: Math.max(0, extra) }, (_, q) => `.${extra - q}`);
    if (dots.length > unnamed.length) unnamed = dots;
    return { tensor, labels: labelsOf(term, dots) };
  });
  if (right !== undefined) return { inputs, output: labelsOf(right, unnamed) };
  const letters = [...left!].filter((letter) => /[a-zA-Z]/.test(letter));
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).toSorted();
  return { inputs, output: [...unnamed, ...once] };
}

function labelsOf(term: string, dots: readonly string[]): string[] {
  const [before, after] = term.split('...');
  return after === undefined ? [...before!] : [...before!, ...dots, ...after];
}

function sizesOf(equation: string, inputs: readonly Named[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { tensor, labels } of inputs) {
    labels.forEach((label, axis) => {
      const size = tensor.shape[axis]!;
      const known = sizes.get(label) ?? 1;
      if (known !== 1 && size !== 1 && known !== size)
        fail(
          `einsum '${equation}': axis ${label} is ${known} and ${size}`,
          'One letter stands for one size (or 1, which repeats).',
        );
      sizes.set(label, known === 1 ? size : known);
    });
  }
  return sizes;
}

/** Of axes with the same label the diagonal. */
function diagonals({ tensor, labels }: Named): Named {
  const second = labels.findIndex((label, axis) => labels.indexOf(label) < axis);
  if (second < 0) return { tensor, labels };
  const first = labels.indexOf(labels[second]!);
  const onDiagonal = tensor.indices(first).equal(tensor.indices(second));
  return diagonals({
    tensor: onDiagonal.select(tensor, 0).sum({ axis: second }),
    labels: labels.filter((_, axis) => axis !== second),
  });
}

/** Sums over the axes whose label is not kept. */
function sumOut({ tensor, labels }: Named, kept: ReadonlySet<string>): Named {
  const gone = labels.flatMap((label, axis) => (kept.has(label) ? [] : [axis]));
  return gone.length === 0
    ? { tensor, labels }
    : { tensor: tensor.sum({ axis: gone }), labels: labels.filter((label) => kept.has(label)) };
}

/** The product of two, summed over what neither the result nor a later operand names. */
function multiply(left: Named, right: Named, later: ReadonlySet<string>): Named {
  const a = sumOut(left, new Set([...later, ...right.labels]));
  const b = sumOut(right, new Set([...later, ...left.labels]));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const contracted = shared.filter((label) => !later.has(label));
  const batch = shared.filter((label) => later.has(label));
  const labels = [
    ...batch,
    ...a.labels.filter((label) => !shared.includes(label)),
    ...b.labels.filter((label) => !shared.includes(label)),
  ];
  if (contracted.length === 0) return { tensor: arrange(a, labels, true).mul(arrange(b, labels, true)), labels };
  const axesOf = ({ labels: own }: Named, names: readonly string[]): number[] => names.map((name) => own.indexOf(name));
  return {
    tensor: a.tensor.dot(b.tensor, {
      leftContract: axesOf(a, contracted),
      rightContract: axesOf(b, contracted),
      leftBatch: axesOf(a, batch),
      rightBatch: axesOf(b, batch),
    }),
    labels,
  };
}

/** The axes in the order of `labels`; those it lacks have size 1 when `fill`. */
function arrange({ tensor, labels: own }: Named, labels: readonly string[], fill = false): Tensor {
  const present = labels.filter((label) => own.includes(label));
  const moved = tensor.transpose(present.map((label) => own.indexOf(label)));
  if (!fill) return moved;
  let next = 0;
  return moved.reshape(labels.map((label) => (own.includes(label) ? moved.shape[next++]! : 1)));
}
