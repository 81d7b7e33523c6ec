/** The bytes of an IDX file: type code, sizes, elements as they lie in the file. */
export function idxOf(code: number, shape: readonly number[], elements: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + 4 * shape.length + elements.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, code, shape.length]);
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size));
  bytes.set(elements, 4 + 4 * shape.length);
  return bytes;
}
