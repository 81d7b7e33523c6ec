/** An output without what differs from run to run: figures, and the widths that follow from them. */
export const shapeOf = (text: string): string =>
  text
    .split('\n')
    .map((line) =>
      line
        .replaceAll(/(?<![\w×])\d+(\.\d+)?(?!\w)/g, '#')
        .replaceAll(/\bGFLOP\/s|\bGB\/s/g, 'rate')
        .replaceAll(/─+/g, '─')
        .replaceAll(/ +/g, ' ')
        .trim(),
    )
    .join('\n');
