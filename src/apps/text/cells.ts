/** What single units of a trained network respond to, found by their correlation with what a person would look for. */
import { compile, concat, scan, type Tensor, tensor } from '../../core/index.js';
import { LSTM, type Sequential } from '../../nn/index.js';
import { firstStates, networkStep, recurrentLayers, type States } from './sampler.js';

export interface Cell {
  /** `lstm_2, unit 37: inside quotation marks (correlation 0.83)` */
  readonly title: string;
  /** Between −1 and 1, for each character. */
  readonly values: Float32Array;
}

/** Cells that follow the text most closely, each something else. @see Karpathy, Johnson & Fei-Fei 2015, arXiv:1506.02078 */
export async function findCells(
  model: Sequential,
  characters: readonly string[],
  numbers: Uint8Array | Int32Array,
  most = 6,
): Promise<Cell[]> {
  const { values, names } = await unitsOver(model, numbers);
  const candidates = Object.entries(features).flatMap(([feature, measure]) => {
    const wanted = measure(characters);
    return values.map((own, unit) => ({ feature, unit, correlation: correlation(own, wanted) }));
  });
  const found: Cell[] = [];
  const taken = new Set<string | number>();
  for (const { feature, unit, correlation: r } of candidates.sort(
    (a, b) => Math.abs(b.correlation) - Math.abs(a.correlation) || a.unit - b.unit,
  )) {
    if (found.length === most || Math.abs(r) < weakest) break;
    if (taken.has(feature) || taken.has(unit)) continue;
    taken.add(feature).add(unit);
    found.push({ title: `${names[unit]}: ${feature} (correlation ${r.toFixed(2)})`, values: values[unit]! });
  }
  return found;
}

/** A correlation below this is chance among some hundred units. */
const weakest = 0.25;

/** tanh of an LSTM's cells, the outputs of other layers: a list of values over the text for each unit. */
async function unitsOver(
  model: Sequential,
  numbers: Uint8Array | Int32Array,
): Promise<{ values: Float32Array[]; names: string[] }> {
  const seen = (states: States): Tensor =>
    concat(
      states.map((state) => state['c']?.tanh() ?? state['h']!),
      { axis: -1 },
    );
  const run = compile(function followUnits(text: Tensor): Tensor {
    const step = (states: States, character: Tensor): [States, Tensor] => {
      const next = networkStep(model, character, states).states;
      return [next, seen(next)];
    };
    return scan(step, firstStates(model, 1), text)[1];
  });
  const outputs = run(tensor(Int32Array.from(numbers), { shape: [numbers.length, 1] }));
  const units = outputs.shape[2]!;
  const data = (await outputs.data()) as Float32Array;
  const layerNames = model.steps.filter(({ layer }) => recurrentLayers(model).includes(layer as never));
  return {
    values: Array.from({ length: units }, (_, unit) =>
      Float32Array.from({ length: numbers.length }, (_, i) => data[i * units + unit]!),
    ),
    names: layerNames.flatMap(({ name, layer, output }) =>
      Array.from(
        { length: output.shape.at(-1)! },
        (_, unit) => `${name}, ${(layer as unknown) instanceof LSTM ? 'cell' : 'unit'} ${unit}`,
      ),
    ),
  };
}

type Feature = (characters: readonly string[]) => Float64Array;

/** A number for each character from what was before it. */
const following =
  <S>(first: S, next: (state: S, character: string) => readonly [S, number]): Feature =>
  (characters) => {
    let state = first;
    return Float64Array.from(characters, (character) => {
      const [after, value] = next(state, character);
      state = after;
      return value;
    });
  };

const each = (test: RegExp): Feature => following(0, (_, character) => [0, test.test(character) ? 1 : 0]);

const features: Readonly<Record<string, Feature>> = {
  'how far the line has come': following(0, (column, character) =>
    character === '\n' ? [0, 0] : [column + 1, Math.min(column + 1, 80)],
  ),
  'how far the word has come': following(0, (length, character) =>
    /[\p{L}\p{N}_']/u.test(character) ? [length + 1, Math.min(length + 1, 12)] : [0, 0],
  ),
  'inside quotation marks': following(0, (inside, character) => {
    const after = character === '"' ? 1 - inside : character === '\n' ? 0 : inside;
    return [after, after];
  }),
  'inside brackets': following(0, (depth, character) => {
    const after = Math.max(0, depth + (/[([]/.test(character) ? 1 : /[)\]]/.test(character) ? -1 : 0));
    return [Math.min(after, 4), Math.min(after, 4)];
  }),
  'depth of braces': following(0, (depth, character) => {
    const after = Math.max(0, depth + (character === '{' ? 1 : character === '}' ? -1 : 0));
    return [after, after];
  }),
  'inside a comment': following({ before: '', inside: 0 }, ({ before, inside }, character) => {
    const pair = before + character;
    const after = pair === '/*' ? 1 : pair === '*/' ? 0 : inside;
    return [{ before: character, inside: after }, after];
  }),
  indentation: following({ count: 0, isOpen: true }, ({ count, isOpen }, character) => {
    if (character === '\n') return [{ count: 0, isOpen: true }, count];
    const isSpace = isOpen && (character === ' ' || character === '\t');
    const after = isSpace ? count + (character === '\t' ? 8 : 1) : count;
    return [{ count: after, isOpen: isSpace }, after];
  }),
  'an empty line before': following('', (before, character) => {
    const after = `${before}${character}`.slice(-2);
    return [after, after === '\n\n' ? 1 : 0];
  }),
  'capital letters': each(/\p{Lu}/u),
  digits: each(/\p{N}/u),
  vowels: each(/[aeiou]/i),
  'white space': each(/\s/),
  'ends of lines': each(/\n/),
  punctuation: each(/\p{P}/u),
};

/** Pearson's, 0 where one of them does not change. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (x: ArrayLike<number>): number => Array.from(x).reduce((sum, value) => sum + value, 0) / x.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 1e-9 && bb > 1e-9 ? ab / Math.sqrt(aa * bb) : 0;
}
