/** Text as numbers: the characters that occur, and the streams of them that a recurrent network reads. */
import { fail, type HostArray, KilnError } from '../core/index.js';
import { Dataset } from './dataset.js';

/** The characters (code points) of a text, numbered in the order of their code points. */
export class Vocabulary {
  readonly symbols: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(symbols: readonly string[]) {
    this.symbols = symbols;
    this.#numbers = new Map(symbols.map((symbol, i) => [symbol, i]));
  }

  static of(text: string): Vocabulary {
    return new Vocabulary([...new Set(text)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!));
  }

  get size(): number {
    return this.symbols.length;
  }

  has(symbol: string): boolean {
    return this.#numbers.has(symbol);
  }

  /**
   * The number of each character, in bytes where they suffice.
   *
   * @param where whose text it is, for the error
   * @throws KilnError that names the first character that is not there
   */
  encode(text: string, where = 'encode'): Uint8Array | Int32Array {
    const symbols = [...text];
    const numbers = this.size <= 256 ? new Uint8Array(symbols.length) : new Int32Array(symbols.length);
    symbols.forEach((symbol, i) => {
      const number = this.#numbers.get(symbol);
      if (number === undefined) this.#failUnknown(where, symbol, i);
      numbers[i] = number;
    });
    return numbers;
  }

  decode(numbers: ArrayLike<number>): string {
    return Array.from(numbers, (number) => this.symbols[number]!).join('');
  }

  #failUnknown(where: string, symbol: string, at: number): never {
    const shown = this.symbols.slice(0, 100).join('');
    fail(
      `${where}: ${JSON.stringify(symbol)} at character ${at} is not among the ${this.size} characters that the network knows`,
      `It knows ${JSON.stringify(shown)}${this.size > 100 ? ' and others' : ''}.`,
      KilnError,
    );
  }
}

export interface TextStreamsOptions {
  readonly name: string;
  /** Streams that are read side by side. */
  readonly batchSize: number;
  /** Characters of a batch in each stream. */
  readonly sequenceLength: number;
  /** Fraction of each stream, at its end, that is kept for validation; a batch at least. */
  readonly validation: number;
}

export interface TextStreams {
  /**
   * `inputs` and `targets`, [rows, sequenceLength]: a target is the character after its input. batchSize rows after one another are
   * a batch, whose row b goes on in row b of the next one.
   */
  readonly train: Dataset;
  readonly validation: Dataset;
}

/**
 * Cuts a text into parallel streams and these into batches, as char-rnn does: with the state carried from batch to batch, each
 * stream is read in order from its beginning to its end.
 *
 * @throws KilnError if the text is too short for two batches
 * @see karpathy/char-rnn, util/CharSplitLMMinibatchLoader.lua
 */
export function textStreams(numbers: Uint8Array | Int32Array, options: TextStreamsOptions): TextStreams {
  const { name, batchSize, sequenceLength, validation } = options;
  // the last character is a target only
  const batches = Math.floor((numbers.length - 1) / (batchSize * sequenceLength));
  if (batches < 2) failShort(numbers.length, options);
  const kept = Math.min(batches - 1, Math.max(1, Math.round(batches * validation)));
  const part = (from: number, to: number, what: string): Dataset => {
    const rows = (first: number): HostArray => {
      const shape = [(to - from) * batchSize, sequenceLength];
      const data = numbers.slice(0, shape[0]! * sequenceLength);
      for (let row = 0; row < shape[0]!; row++) {
        const [batch, stream] = [from + Math.floor(row / batchSize), row % batchSize];
        const at = (stream * batches + batch) * sequenceLength + first;
        data.set(numbers.subarray(at, at + sequenceLength), row * sequenceLength);
      }
      return { dtype: data instanceof Uint8Array ? 'uint8' : 'int32', shape, data };
    };
    return new Dataset({ name: `${name}, ${what}`, fields: { inputs: rows(0), targets: rows(1) } });
  };
  return { train: part(0, batches - kept, 'training'), validation: part(batches - kept, batches, 'validation') };
}

function failShort(length: number, { name, batchSize, sequenceLength }: TextStreamsOptions): never {
  const fitting = Math.floor((length - 1) / (2 * sequenceLength));
  fail(
    `${name}: has ${length} characters, two batches of ${batchSize} × ${sequenceLength} take ${2 * batchSize * sequenceLength + 1}`,
    fitting >= 1
      ? `Take more text, or a batch size of ${fitting} at most.`
      : 'Take more text, or a shorter sequence length.',
    KilnError,
  );
}
