import { type HostArray, KilnError } from '../../core/index.js';
import { digitFromImage, readImage } from '../../data/index.js';
import { type Host, load, predict, type RunFolder } from '../../train/index.js';
import { mnistNetwork } from './network.js';
import { logSoftmax, rowOf } from './results.js';
import { checkpointFile } from './train.node.js';

export interface PredictDigitsOptions {
  /** Guesses for each picture (3). */
  readonly top?: number;
}

export interface DigitPrediction {
  readonly file: string;
  /** The likeliest first. */
  readonly guesses: readonly { readonly digit: number; readonly probability: number }[];
}

/** Says which digit each picture shows, any PNG or JPEG: turned grey, inverted where the paper is white, centred as MNIST is. */
export async function predictDigits(
  run: RunFolder,
  files: readonly string[],
  { top = 3 }: PredictDigitsOptions,
  host: Host,
): Promise<DigitPrediction[]> {
  const model = mnistNetwork();
  await load(model, run.file(checkpointFile));
  const digits: HostArray[] = [];
  for (const file of files) digits.push(await readDigit(file));
  const logits = await predict(model, stacked(digits), { scale: 1 / 255 });
  const predictions = files.map((file, i) => ({ file, guesses: likeliest(rowOf(logits, i), top) }));
  const width = Math.max(...files.map(({ length }) => length));
  for (const { file, guesses } of predictions) {
    const words = guesses.map(({ digit, probability }) => `${digit} (${(100 * probability).toFixed(1)} %)`);
    host.print(`${file.padEnd(width)}  ${words.join(', ')}`);
  }
  return predictions;
}

async function readDigit(file: string): Promise<HostArray> {
  const image = await readImage(file);
  try {
    return digitFromImage(image);
  } catch (error) {
    // it knows the picture, not its file
    if (error instanceof KilnError) error.message = `${file}: ${error.message}`;
    throw error;
  }
}

function stacked(digits: readonly HostArray[]): HostArray {
  const [first] = digits;
  const size = first?.data.length ?? 0;
  const data = new Uint8Array(digits.length * size);
  digits.forEach((digit, i) => {
    data.set(digit.data, i * size);
  });
  return { dtype: 'uint8', shape: [digits.length, ...(first?.shape ?? [])], data };
}

function likeliest(logits: ArrayLike<number>, top: number): DigitPrediction['guesses'] {
  return logSoftmax(logits)
    .map((logProbability, digit) => ({ digit, probability: Math.exp(logProbability) }))
    .sort((a, b) => b.probability - a.probability || a.digit - b.digit)
    .slice(0, top);
}
