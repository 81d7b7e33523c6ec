/** Instructions that put lanes of two vectors together. */
export type ShuffleName = 'vunpcklps' | 'vunpckhps' | 'vshufps' | 'vperm2f128' | 'vshuff32x4';

export interface Shuffle {
  readonly name: ShuffleName;
  readonly imm: number | undefined;
}

/**
 * Columns of a square matrix from its rows: pairs of rows, then fours, become columns inside each 128 bits; then the
 * 128 bits change places. The usual network: 3 shuffles a row of 8, 4 a row of 16.
 */
export function transposed<Row>(
  rows: readonly Row[],
  lanes: number,
  shuffle: (name: ShuffleName, a: Row, b: Row, imm?: number) => Row,
): Row[] {
  // parts[4 · g + j]: rows 4g … 4g + 3 of column j in the first 128 bits, of column 4 + j in the next
  const parts: Row[] = [];
  for (let g = 0; g < lanes; g += 4) {
    const [a, b, c, d] = rows.slice(g, g + 4) as [Row, Row, Row, Row];
    const [low1, low2] = [shuffle('vunpcklps', a, b), shuffle('vunpcklps', c, d)];
    const [high1, high2] = [shuffle('vunpckhps', a, b), shuffle('vunpckhps', c, d)];
    parts.push(shuffle('vshufps', low1, low2, 0x44), shuffle('vshufps', low1, low2, 0xee));
    parts.push(shuffle('vshufps', high1, high2, 0x44), shuffle('vshufps', high1, high2, 0xee));
  }
  const columns = new Array<Row>(lanes);
  for (let j = 0; j < 4; j++) {
    if (lanes === 8) {
      columns[j] = shuffle('vperm2f128', parts[j]!, parts[4 + j]!, 0x20);
      columns[4 + j] = shuffle('vperm2f128', parts[j]!, parts[4 + j]!, 0x31);
      continue;
    }
    const [a, b, c, d] = [0, 4, 8, 12].map((g) => parts[g + j]!) as [Row, Row, Row, Row];
    const [even1, even2] = [shuffle('vshuff32x4', a, b, 0x88), shuffle('vshuff32x4', c, d, 0x88)];
    const [odd1, odd2] = [shuffle('vshuff32x4', a, b, 0xdd), shuffle('vshuff32x4', c, d, 0xdd)];
    columns[j] = shuffle('vshuff32x4', even1, even2, 0x88);
    columns[4 + j] = shuffle('vshuff32x4', odd1, odd2, 0x88);
    columns[8 + j] = shuffle('vshuff32x4', even1, even2, 0xdd);
    columns[12 + j] = shuffle('vshuff32x4', odd1, odd2, 0xdd);
  }
  return columns;
}
