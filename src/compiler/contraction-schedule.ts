import { InternalError } from '../core/index.js';
import { coefficient } from './affine.js';
import { arrange, axisStride, isGuarded, ownComponent, plainLoad, sizesOf, usesAxis } from './arrange.js';
import type { Axis, ContractionNest } from './nest.js';
import type { Target } from './target.js';

export type Side = 'left' | 'right';

/** One thing that is done around everything after it. */
export type Stage =
  /** Goes through what is left of an axis in blocks; jobs are what threads draw. Balanced blocks differ by one at most. */
  | {
      readonly kind: 'loop';
      readonly axis: string;
      readonly block: number;
      readonly isJob: boolean;
      readonly isBalanced: boolean;
    }
  /** Copies what the stages after it touch of an operand; in panels of `panel.width` positions of an axis that alone runs through a component. */
  | {
      readonly kind: 'pack';
      readonly operand: Side;
      readonly panel: { readonly axis: string; readonly width: number } | undefined;
    };

/**
 * Where the lanes of vectors lie: on an output axis that the right operand alone has, and each step takes one value a row from
 * the left; on an output axis of both operands; or on the innermost reduction, and each sum is a vector that is added up at last.
 */
export type LaneMode = 'right' | 'both' | 'reduce';

/** How a contraction is run: what one tile computes, and the loops and copies around it. */
export interface ContractionSchedule {
  readonly kind: 'contraction';
  /** Whether left and right exchange their places. */
  readonly swap: boolean;
  readonly mode: LaneMode;
  /** The output axis that runs along the right operand in a tile, and its points there: the lanes' axis but in mode reduce. */
  readonly column: { readonly axis: string; readonly tile: number };
  /** The reduction that lanes lie on in mode reduce. */
  readonly depth: string | undefined;
  /** Axes of the left operand alone whose points share a tile. */
  readonly rows: readonly { readonly axis: string; readonly tile: number }[];
  /** Outer to inner. What it leaves of each axis is one tile; reductions keep their order, the lanes' innermost. */
  readonly order: readonly Stage[];
}

export function printSchedule({ swap, mode, column, depth, rows, order }: ContractionSchedule): string {
  const tile = [...rows, column].map(({ axis, tile }) => `${axis}${tile}`).join('×');
  const stages = order.map((stage) =>
    stage.kind === 'pack'
      ? `[${stage.operand}${stage.panel ? ` ${stage.panel.axis}${stage.panel.width}` : ''}]`
      : `${stage.isJob ? '*' : ''}${stage.axis}/${stage.block}`,
  );
  return `${swap ? 'swapped ' : ''}${mode} ${depth ? `along ${depth} ` : ''}tile ${tile}: ${stages.join(' ')}`;
}

/** The reductions in the order in which steps follow one another. */
export const stepOrder = (reductions: readonly Axis[], depth: string | undefined): Axis[] => [
  ...reductions.filter(({ name }) => name !== depth),
  ...reductions.filter(({ name }) => name === depth),
];

/** Sizes of the blocks that a span falls into, with how many follow one another. */
export function blocksOf(
  span: number,
  block: number,
  isBalanced: boolean,
): readonly { readonly size: number; readonly count: number }[] {
  const count = Math.ceil(span / block);
  if (!isBalanced || span % count === 0) {
    const even = isBalanced ? span / count : block;
    return [
      { size: even, count: Math.floor(span / even) },
      { size: span % even, count: 1 },
    ].filter(({ size, count: times }) => size > 0 && times > 0);
  }
  const small = Math.floor(span / count);
  return [
    { size: small + 1, count: span % count },
    { size: small, count: count - (span % count) },
  ];
}

/** Vectors that a tile of rows × vectors sums needs at once. */
export function tileRegisters(mode: LaneMode, rows: number, vectors: number, { holdsRows }: Target): number {
  const values = !holdsRows ? 1 : mode === 'both' ? rows * vectors : rows;
  return rows * vectors + vectors + values;
}

/** Throws unless the schedule computes every point of the nest once, from operands that a tile can read. */
export function verifySchedule(nest: ContractionNest, schedule: ContractionSchedule, target: Target): void {
  const broken = (what: string): never => {
    throw new InternalError(`schedule of ${nest.name}: ${what}: ${printSchedule(schedule)}`);
  };
  const { left, right } = arrange(nest, schedule.swap);
  const { mode, column, depth, rows, order } = schedule;
  const sizes = sizesOf([...nest.axes, ...nest.reductions]);
  const spans = new Map(sizes);
  if (!sizes.has(column.axis) || !usesAxis(right, column.axis) || usesAxis(left, column.axis) !== (mode === 'both'))
    broken(`${column.axis} is no axis of ${mode === 'both' ? 'both operands' : 'the right operand alone'}`);
  if ((mode === 'reduce') !== (depth !== undefined)) broken(`lanes along ${depth} in mode ${mode}`);
  if (depth !== undefined && !nest.reductions.some(({ name }) => name === depth)) broken(`${depth} is no reduction`);
  if (mode !== 'reduce' && coefficient(nest.stores[0]!.access.address, column.axis) !== 1)
    broken(`${column.axis} is not contiguous in the store`);
  for (const { axis } of rows)
    if (usesAxis(right, axis) || !usesAxis(left, axis)) broken(`${axis} is no axis of the left operand alone`);
  const count = rows.reduce((product, { tile }) => product * tile, 1);
  const vectors = mode === 'reduce' ? column.tile : Math.ceil(column.tile / target.lanes);
  if (tileRegisters(mode, count, vectors, target) > target.registers) broken(`${count} × ${vectors} sums do not fit`);
  const packed = new Set<Side>();
  let areJobsOver = false;
  for (const stage of order) {
    if (stage.kind === 'pack') {
      if (packed.has(stage.operand)) broken(`${stage.operand} is packed twice`);
      packed.add(stage.operand);
      areJobsOver = true;
      const operand = stage.operand === 'left' ? left : right;
      if (stage.panel && !ownComponent(operand, stage.panel.axis)) broken(`${stage.panel.axis} has no panels`);
      continue;
    }
    if (!spans.has(stage.axis) || stage.block < 1) broken(`no loop ${stage.axis}/${stage.block}`);
    if (stage.isJob && areJobsOver) broken(`job ${stage.axis} stands inside`);
    if (stage.isJob && !nest.axes.some(({ name }) => name === stage.axis))
      broken(`${stage.axis} is summed over by jobs`);
    areJobsOver ||= !stage.isJob;
    spans.set(stage.axis, Math.min(spans.get(stage.axis)!, stage.block));
  }
  for (const { name } of nest.axes) {
    const most = [...rows, column].find(({ axis }) => axis === name)?.tile ?? 1;
    if (spans.get(name)! > most) broken(`${spans.get(name)} points of ${name} are left, a tile has ${most}`);
  }
  const steps = stepOrder(nest.reductions, depth);
  const blocked = steps.map(({ name, size }) => spans.get(name)! < size);
  steps.forEach(({ name }, i) => {
    if (blocked.slice(i + 1).includes(true) && spans.get(name)! > 1)
      broken(`${name} is not finished when reductions inside it are blocked`);
  });
  for (const [side, operand] of [
    ['left', left],
    ['right', right],
  ] as const) {
    const access = plainLoad(operand);
    if (packed.has(side)) continue;
    if (!access || isGuarded(operand)) broken(`${side} must be packed`);
    const lanes = mode === 'reduce' ? depth! : mode === 'both' || side === 'right' ? column.axis : undefined;
    if (access && lanes !== undefined && axisStride(operand, access, lanes) !== 1)
      broken(`${lanes} is not contiguous in ${side}, which is not packed`);
  }
}
