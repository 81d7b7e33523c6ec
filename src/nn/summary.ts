import { fail, KilnError, type Shape, sizeOf } from '../core/index.js';
import { keras1Class } from './keras1.js';
import type { AnyLayer } from './layer.js';
import { isStepwise, isWeight, Names, type Step, type Stepwise } from './steps.js';

export interface SummaryOptions {
  /**
   * 'channelsLast', or 'channelsFirst': names, shapes and columns as Keras 1 printed them with channels first, which is what
   * lectures show ('channelsLast').
   */
  readonly layout?: 'channelsLast' | 'channelsFirst';
}

export interface SummaryRow {
  readonly name: string;
  /** The layer's class. */
  readonly type: string;
  /** `undefined` is the batch, which may be any. */
  readonly outputShape: readonly (number | undefined)[];
  /** Numbers in its weights; a layer that is applied again counts 0. */
  readonly parameters: number;
  readonly trainable: number;
  /** Names of the layers and inputs that it takes. */
  readonly incoming: readonly string[];
}

/** A row for each layer of a model made by `sequential` or `graph`, in the order in which they run. */
export function summaryRows(model: AnyLayer, { layout = 'channelsLast' }: SummaryOptions = {}): SummaryRow[] {
  if (!isStepwise(model))
    fail(
      `summary: a ${model.constructor.name} does not know how its layers are connected`,
      'Models made by sequential() and graph() do; parameters() lists what any layer holds.',
      KilnError,
    );
  const isFirst = layout === 'channelsFirst';
  const nameOf = isFirst ? keras1Names(model) : (name: string): string => name;
  const counted = new Set<AnyLayer>();
  return model.steps.map(({ name, layer, output, incoming }) => {
    const weights = counted.has(layer)
      ? []
      : layer
          .entries()
          .filter(isWeight)
          .map(({ parameter }) => parameter);
    counted.add(layer);
    const count = (some: typeof weights): number => some.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    return {
      name: nameOf(name),
      type: isFirst ? keras1Class(layer.kind) : layer.constructor.name,
      outputShape: [undefined, ...(isFirst ? channelsFirst(output.shape) : output.shape)],
      parameters: count(weights),
      trainable: count(weights.filter(({ trainable }) => trainable)),
      incoming: incoming.map(nameOf),
    };
  });
}

const channelsFirst = (shape: Shape): Shape => (shape.length === 3 ? [shape[2]!, shape[0]!, shape[1]!] : shape);

/** Default names become Keras 1's, which begin with the class in lower case; given names stay. */
function keras1Names({ steps, inputs }: Stepwise): (name: string) => string {
  const known = new Map<string, string>();
  const isDefault = ({ name, layer }: Step): boolean => name.replace(/_\d+$/, '') === layer.kind;
  const names = new Names(steps.map((step) => (isDefault(step) ? undefined : step.name)));
  const first = steps[0] ? keras1Class(steps[0].layer.kind).toLowerCase() : 'model';
  for (const name of Object.keys(inputs)) known.set(name, name === 'input' ? `${first}_input_1` : name);
  for (const step of steps) {
    if (!known.has(step.name))
      known.set(step.name, isDefault(step) ? names.next(keras1Class(step.layer.kind).toLowerCase()) : step.name);
  }
  return (name) => known.get(name) ?? name;
}

/**
 * The table people know: a line for each layer with its output's shape and its number of parameters, and their sum.
 *
 * @example console.log(summary(model))
 */
export function summary(model: AnyLayer, options: SummaryOptions = {}): string {
  const rows = summaryRows(model, options);
  const isFirst = options.layout === 'channelsFirst';
  const isChain = rows.every(
    ({ incoming }, i) => incoming.length === 1 && (i === 0 || incoming[0] === rows[i - 1]!.name),
  );
  const hasConnections = isFirst || !isChain;
  const table = [
    ['Layer (type)', 'Output Shape', 'Param #', 'Connected to'],
    ...rows.map(({ name, type, outputShape, parameters, incoming }) => [
      `${name} (${type})`,
      `(${outputShape.map((size) => size ?? 'None').join(', ')}${outputShape.length === 1 ? ',' : ''})`,
      grouped(parameters),
      // Keras 1 names the node and the tensor of the layer; here each has one
      incoming.map((each) => (isFirst ? `${each}[0][0]` : each)).join(', '),
    ]),
  ].map((cells) => (hasConnections ? cells : cells.slice(0, 3)));
  const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  const lines = table.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('   ')
      .trimEnd(),
  );
  const width = widths.reduce((sum, each) => sum + each + 3, -3);
  const total = rows.reduce((sum, { parameters }) => sum + parameters, 0);
  const trainable = rows.reduce((sum, row) => sum + row.trainable, 0);
  return [
    '_'.repeat(width),
    lines[0]!,
    '='.repeat(width),
    ...lines.slice(1),
    '='.repeat(width),
    `Total params: ${grouped(total)}`,
    `Trainable params: ${grouped(trainable)}`,
    `Non-trainable params: ${grouped(total - trainable)}`,
    '_'.repeat(width),
  ].join('\n');
}

/** 600810 as 600,810, in every locale. */
const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');
