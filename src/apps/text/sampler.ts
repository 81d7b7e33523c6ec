/** Writes text with a network, character after character, on the device. */
import { arange, compile, HostRandom, scan, stack, type Tensor, tensor, uniform, zeros } from '../../core/index.js';
import { type CellState, Recurrent, type Sequential } from '../../nn/index.js';

/** States of the recurrent layers, in their order. */
export type States = readonly CellState[];

/** One step of the network: numbers of characters [batch] -> logits of the next [batch, vocabulary], and the next states. */
export function networkStep(model: Sequential, characters: Tensor, states: States): { logits: Tensor; states: States } {
  const next: CellState[] = [];
  let x = characters;
  for (const { layer } of model.steps) {
    if (layer instanceof Recurrent) {
      const state = layer.cell.forward({ x, state: states[next.length]! });
      next.push(state);
      x = layer.cell.output(state);
    } else x = (layer as Sequential).forward(x);
  }
  return { logits: x, states: next };
}

export function firstStates(model: Sequential, batch: number): States {
  return recurrentLayers(model).map(({ cell }) =>
    Object.fromEntries(
      Object.entries(cell.stateShapes).map(([name, shape]) => [name, zeros([batch, ...(shape as readonly number[])])]),
    ),
  );
}

export const recurrentLayers = (model: Sequential): Recurrent[] =>
  model.steps.map(({ layer }) => layer as unknown).filter((layer): layer is Recurrent => layer instanceof Recurrent);

/** Characters a program writes before it hands them out: so many that starting it costs nothing beside them. */
const charactersACall = 64;

export interface SampleRow {
  readonly temperature: number;
  /** Numbers of the characters it begins with; at least one. */
  readonly prime: ArrayLike<number>;
}

/** Marks a place where no character is given. */
const free = -1;

export class Sampler {
  readonly #rows: number;
  readonly #write: (
    states: States,
    last: Tensor,
    given: Tensor,
    temperatures: Tensor,
    key: Tensor,
  ) => [states: States, last: Tensor, written: Tensor];
  readonly #model: Sequential;

  /** @param rows texts that are written side by side */
  constructor(model: Sequential, rows = 1) {
    this.#model = model;
    this.#rows = rows;
    this.#write = compile(function writeCharacters(
      states: States,
      last: Tensor,
      given: Tensor,
      temperatures: Tensor,
      key: Tensor,
    ) {
      type Carry = { readonly states: States; readonly last: Tensor };
      const step = (carry: Carry, [forced, index]: readonly [Tensor, Tensor]): [Carry, Tensor] => {
        const { logits, states: next } = networkStep(model, carry.last, carry.states);
        const noise = gumbel(stack([key.slice(0), key.slice(1), index]), logits.shape);
        const drawn = logits.add(noise.mul(temperatures)).argmax({ axis: -1 }).cast('int32');
        const character = forced.greaterEqual(0).select(forced, drawn);
        return [{ states: next, last: character }, character];
      };
      const [end, written] = scan(step, { states, last }, [given, arange(charactersACall)] as const);
      return [end.states, end.last, written] as [States, Tensor, Tensor];
    });
  }

  /**
   * Endless pieces of text, one list of numbers for each row; what a row is given comes first.
   *
   * @param seed the same gives the same text on every device that computes the same logits
   */
  async *write(rows: readonly SampleRow[], seed: number): AsyncGenerator<readonly (readonly number[])[]> {
    if (rows.length !== this.#rows) throw new RangeError(`${rows.length} rows for a sampler of ${this.#rows}`);
    yield rows.map(({ prime }) => [prime[0]!]);
    let states = firstStates(this.#model, rows.length);
    let last = tensor(Int32Array.from(rows, ({ prime }) => prime[0]!));
    const temperatures = tensor(Float32Array.from(rows, ({ temperature }) => temperature)).reshape([rows.length, 1]);
    for (let call = 0; ; call++) {
      const given = Int32Array.from({ length: charactersACall * rows.length }, (_, i) => {
        const at = 1 + call * charactersACall + Math.floor(i / rows.length);
        return rows[i % rows.length]!.prime[at] ?? free;
      });
      let written: Tensor;
      [states, last, written] = this.#write(
        states,
        last,
        tensor(given, { shape: [charactersACall, rows.length] }),
        temperatures,
        tensor(Int32Array.of(seed | 0, call)),
      );
      const numbers = await written.data();
      yield rows.map((_, row) => Array.from({ length: charactersACall }, (_, i) => numbers[i * rows.length + row]!));
    }
  }

  /** So many characters of each row, what it was given included. */
  async take(rows: readonly SampleRow[], length: number, seed: number): Promise<number[][]> {
    const texts: number[][] = rows.map(() => []);
    for await (const pieces of this.write(rows, seed)) {
      pieces.forEach((piece, row) => {
        texts[row]!.push(...piece);
      });
      if (texts[0]!.length >= length) break;
    }
    return texts.map((text) => text.slice(0, length));
  }
}

/**
 * −log(−log u): the greatest of logits + T · noise is a draw from softmax(logits / T), and at T = 0 the likeliest.
 *
 * @see Gumbel 1954; Maddison, Tarlow & Minka 2014, "A* sampling"
 */
const gumbel = (key: Tensor, shape: readonly number[]): Tensor =>
  // 0, one of 2²⁴ draws, would be −∞, and NaN at temperature 0
  uniform(key, shape, { stream: 0 })
    .maximum(2 ** -25)
    .log()
    .neg()
    .log()
    .neg();

/** Where a text without a prime begins: any character, as in char-rnn. */
export const anyCharacter = (vocabulary: number, seed: number): number =>
  Math.floor(new HostRandom(seed, 'text/first').uniform(1)[0]! * vocabulary);
