/** Digits of 5 × 7 pixels, for captions in pictures that we draw pixel by pixel: no font file, the same everywhere. */

export const glyphWidth = 5;
export const glyphHeight = 7;

const drawn: Readonly<Record<string, string>> = {
  '0': '.###. #...# #..## #.#.# ##..# #...# .###.',
  '1': '..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.',
  '2': '.###. #...# ....# ...#. ..#.. .#... #####',
  '3': '##### ...#. ..#.. ...#. ....# #...# .###.',
  '4': '...#. ..##. .#.#. #..#. ##### ...#. ...#.',
  '5': '##### #.... ####. ....# ....# #...# .###.',
  '6': '..##. .#... #.... ####. #...# #...# .###.',
  '7': '##### ....# ...#. ..#.. .#... .#... .#...',
  '8': '.###. #...# #...# .###. #...# #...# .###.',
  '9': '.###. #...# #...# .#### ....# ...#. .##..',
  '.': '..... ..... ..... ..... ..... .##.. .##..',
  '-': '..... ..... ..... ##### ..... ..... .....',
  '%': '##..# ##.#. ...#. ..#.. .#... .#.## #..##',
  ' ': '..... ..... ..... ..... ..... ..... .....',
  '?': '.###. #...# ....# ...#. ..#.. ..... ..#..',
};

/** Whether the pixel (column, row) of a character is ink. A character that is not drawn here shows as a question mark. */
export function isInk(character: string, column: number, row: number): boolean {
  const glyph = drawn[character] ?? drawn['?']!;
  return glyph[row * (glyphWidth + 1) + column] === '#';
}
