import { type Component, coefficient, loadsOf, type Operand } from '../../compiler/index.js';

/** One direction of a packed box. */
export interface BoxDimension {
  readonly component: Component;
  /** Positions of the component inside the box. */
  readonly size: number;
  /** Bytes between neighbours. */
  readonly stride: number;
}

/** A component cut into panels: `width` neighbours lie innermost, whole panels are `pitch` bytes apart. */
export interface Panel {
  readonly component: Component;
  readonly size: number;
  readonly width: number;
  readonly pitch: number;
}

/** A copy of what a block of loops touches of an operand: a box over its components, zero outside their extents. */
export interface PackedBox {
  /** Outer to inner; the panelled component is left out. */
  readonly dimensions: readonly BoxDimension[];
  readonly panel: Panel | undefined;
  readonly bytes: number;
}

const page = 4096;
const cacheLine = 64;

/**
 * Lays a box out: components in the order of the source, so that what is contiguous there stays so. Rows whose distance is a
 * multiple of 4096 bytes are set apart by a line more: they would share one set of the first cache.
 */
export function layOutBox(
  operand: Operand,
  spanOf: (component: Component) => number,
  panelOf: { readonly component: Component; readonly width: number } | undefined,
): PackedBox {
  const [main] = loadsOf([operand.value]);
  const reach = ({ name }: Component): number =>
    Math.abs(main ? coefficient(main.address, name) : 0) || Number.MAX_VALUE;
  const ordered = [...operand.components].sort((a, b) => reach(b) - reach(a));
  const inside = ordered.filter((component) => component !== panelOf?.component);
  let stride = 4 * (panelOf?.width ?? 1);
  const dimensions: BoxDimension[] = [];
  for (const component of inside.toReversed()) {
    if (!panelOf && dimensions.length > 0 && stride % page === 0) stride += cacheLine;
    const size = spanOf(component);
    dimensions.unshift({ component, size, stride });
    stride *= size;
  }
  if (!panelOf) return { dimensions, panel: undefined, bytes: stride };
  // panels are written side by side: at a distance of a power of two they would share few sets of the first cache
  const pitch = stride % 1024 === 0 ? stride + 16 * panelOf.width : stride;
  const panel = { component: panelOf.component, size: spanOf(panelOf.component), width: panelOf.width, pitch };
  return { dimensions, panel, bytes: pitch * Math.ceil(panel.size / panelOf.width) };
}
