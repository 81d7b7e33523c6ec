/** Text whose characters are coloured by a number each: what a unit of a network makes of it. */
import { escapeHtml } from './html.js';

export interface ColoredText {
  readonly title: string;
  readonly characters: readonly string[];
  /** One for each character, −1 (blue) to 1 (green). */
  readonly values: ArrayLike<number>;
}

/** Shades on each side of 0. */
const shades = 5;

/** Neighbours of one shade share an element; a line's end is drawn, since it has a value as well. */
export function coloredTextHtml({ title, characters, values }: ColoredText): string {
  const runs: { shade: number; text: string }[] = [];
  characters.forEach((character, i) => {
    const shade = Math.round(Math.max(-1, Math.min(1, values[i]!)) * shades);
    const text = character === '\n' ? '↵\n' : character;
    const last = runs.at(-1);
    if (last?.shade === shade) last.text += text;
    else runs.push({ shade, text });
  });
  const spans = runs.map(({ shade, text }) => {
    const side = shade < 0 ? 'low' : 'high';
    return shade === 0
      ? escapeHtml(text)
      : `<span class="${side}" style="--a:${Math.abs(shade) * 14}%">${escapeHtml(text)}</span>`;
  });
  return `<figure class="colored"><figcaption>${escapeHtml(title)}</figcaption><pre tabindex="0">${spans.join('')}</pre></figure>`;
}
