import { fail, KilnError } from '../../core/index.js';
import { writeFileAtomic } from '../../formats/index.js';
import type { Host, RunFolder } from '../../train/index.js';
import type { GenerateOptions } from './options.js';
import { loadNetwork, readRun } from './run.node.js';
import { anyCharacter, Sampler } from './sampler.js';

/** What `--json` prints. */
export interface Generated {
  readonly run: string;
  readonly text: string;
  readonly temperature: number;
  readonly seed: number;
}

/**
 * Writes text with the network of a run: what it is given, then characters drawn from what the network expects.
 *
 * @throws KilnError if the prime has characters that the network does not know
 */
export async function generateText(run: RunFolder, options: GenerateOptions, host: Host): Promise<Generated> {
  const { prime, temperature, length, seed, out } = options;
  const saved = await readRun(run);
  const { vocabulary } = saved;
  if (prime === '') fail('kiln generate: --prime is empty', 'Leave it out, or give some text.', KilnError);
  const given =
    prime === undefined ? [anyCharacter(vocabulary.size, seed)] : vocabulary.encode(prime, 'kiln generate: --prime');
  const model = await loadNetwork(run, saved);
  // what is given comes on top of the characters that are asked for, as in char-rnn
  const total = length + (prime === undefined ? 0 : given.length);
  const lines = new LinePrinter(host);
  const beganMs = performance.now();
  let text = '';
  let count = 0;
  for await (const [piece] of new Sampler(model).write([{ temperature, prime: given }], seed)) {
    const kept = piece!.slice(0, total - count);
    count += kept.length;
    const part = vocabulary.decode(kept);
    text += part;
    lines.add(part);
    if (count >= total || host.signal.aborted) break;
  }
  lines.end();
  const seconds = (performance.now() - beganMs) / 1000;
  host.note(`${count} characters in ${seconds.toFixed(1)} s`);
  if (out !== undefined) {
    await writeFileAtomic(out, text);
    host.note(`Written to ${out}`);
  }
  return { run: run.path, text, temperature, seed };
}

/** Prints lines as soon as they are whole. */
class LinePrinter {
  readonly #host: Host;
  #rest = '';

  constructor(host: Host) {
    this.#host = host;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#host.print(line);
  }

  end(): void {
    if (this.#rest !== '') this.#host.print(this.#rest);
    this.#rest = '';
  }
}
