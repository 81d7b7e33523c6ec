/** Pieces of HTML as text. Whatever comes from outside (labels, file names) passes through `escapeHtml`. */

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export interface Table {
  /** Said above the table, and to screen readers. */
  readonly caption: string;
  readonly columns: readonly { readonly title: string; readonly align?: 'left' | 'right' }[];
  /** Cells as text, in the order of the columns; the first cell of a row heads it. */
  readonly rows: readonly (readonly string[])[];
  /** Rows under a line: totals. */
  readonly foot?: readonly (readonly string[])[];
}

export function tableHtml({ caption, columns, rows, foot = [] }: Table): string {
  const attributes = (i: number): string => (columns[i]?.align === 'right' ? ' class="number"' : '');
  const row = (cells: readonly string[]): string =>
    `<tr>${cells
      .map((cell, i) =>
        i === 0
          ? `<th scope="row"${attributes(i)}>${escapeHtml(cell)}</th>`
          : `<td${attributes(i)}>${escapeHtml(cell)}</td>`,
      )
      .join('')}</tr>`;
  const head = columns.map(({ title }, i) => `<th scope="col"${attributes(i)}>${escapeHtml(title)}</th>`).join('');
  return scrollable(
    caption,
    `<table><caption>${escapeHtml(caption)}</caption><thead><tr>${head}</tr></thead>` +
      `<tbody>${rows.map(row).join('')}</tbody>` +
      `${foot.length > 0 ? `<tfoot>${foot.map(row).join('')}</tfoot>` : ''}</table>`,
  );
}

/** A box that scrolls sideways by itself, also by keyboard, so that the page never does. */
export function scrollable(label: string, html: string): string {
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escapeHtml(label)}">${html}</div>`;
}
