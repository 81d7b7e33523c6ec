/** Options and arguments of commands are rows. Parser, checks, help and the types of parsed values all come from them. */
import { nearest } from '../core/index.js';
import { failUsage } from './usage-error.js';

interface Row {
  /** As it is typed: `batch-size`. */
  readonly name: string;
  readonly short?: string;
  /** A phrase without a full stop; the help adds default and range. */
  readonly help: string;
  /** What holds when it is not given and there is no default, for the help. */
  readonly otherwise?: string;
}

interface NumberRow extends Row {
  readonly type: 'integer' | 'number';
  readonly min?: number;
  readonly max?: number;
  readonly default?: number;
}

interface StringRow extends Row {
  readonly type: 'string';
  /** What the help calls the value: DIR, FILE. */
  readonly value?: string;
  readonly default?: string;
}

interface ChoiceRow extends Row {
  readonly type: 'choice';
  readonly choices: readonly string[];
  readonly default?: string;
}

interface BooleanRow extends Row {
  readonly type: 'boolean';
}

export type OptionRow = NumberRow | StringRow | ChoiceRow | BooleanRow;

export interface ArgumentRow {
  /** In capitals, as the help shows it. */
  readonly name: string;
  readonly help: string;
  readonly choices?: readonly string[];
  /** Takes all that is left, one at least; the last argument only. */
  readonly isVariadic?: true;
  /** May be left out where this option is given; the last argument only. */
  readonly unless?: string;
}

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type ValueOf<R extends OptionRow> = R extends NumberRow
  ? number
  : R extends BooleanRow
    ? boolean
    : R extends { readonly choices: readonly (infer Choice)[] }
      ? Choice
      : string;

type IsAlwaysThere<R extends OptionRow> = R extends BooleanRow | { readonly default: string | number } ? true : false;

/** The parsed values of a table of options, by their names in camel case. */
export type OptionValues<Rows extends readonly OptionRow[]> = {
  readonly [R in Rows[number] as CamelCase<R['name']>]:
    | ValueOf<R>
    | (IsAlwaysThere<R> extends true ? never : undefined);
};

/** What every command takes. */
export const commonOptions = [
  { name: 'json', type: 'boolean', help: 'Print the result as JSON, for scripts' },
  { name: 'seed', type: 'integer', min: 0, max: 0xffffffff, default: 0, help: 'Where all randomness comes from' },
  {
    name: 'device',
    type: 'choice',
    choices: ['x64', 'wasm', 'reference'],
    help: 'What computes',
    otherwise: 'KILN_DEVICE, or the fastest',
  },
  { name: 'threads', type: 'integer', min: 1, max: 16, help: 'Threads that compute', otherwise: 'all cores' },
  { name: 'out', type: 'string', value: 'PATH', help: 'Where results are written' },
] as const satisfies readonly OptionRow[];

export type CommonOptions = OptionValues<typeof commonOptions>;

/** Checks the text given for an option and returns its value. `command` names the command in errors. */
export function parseOption(command: string, row: OptionRow, text: string): string | number | boolean {
  switch (row.type) {
    case 'integer':
    case 'number':
      return parseNumber(command, row, text);
    case 'choice':
      return parseChoice(`${command}: --${row.name}`, row.choices, text);
    case 'string':
      if (text === '')
        failUsage(`${command}: --${row.name} is empty`, `Give it a value: --${row.name} ${valueName(row)}.`);
      return text;
    case 'boolean':
      return true;
  }
}

export function parseChoice(where: string, choices: readonly string[], text: string): string {
  if (choices.includes(text)) return text;
  const likely = nearest(text, choices);
  return failUsage(
    `${where}: got ${text} (known: ${choices.join(', ')})`,
    likely ? `Did you mean ${likely}?` : `Choose ${choices.join(' or ')}.`,
  );
}

function parseNumber(command: string, row: NumberRow, text: string): number {
  const { name, type, default: standard } = row;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = row;
  const isWritten = type === 'integer' ? /^[+-]?\d+$/.test(text) : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  const value = Number(text);
  if (!isWritten || value < min || value > max || (type === 'integer' && !Number.isSafeInteger(value))) {
    const range = rangeText(row);
    const kind = type === 'integer' ? 'a whole number' : 'a number';
    const example = standard ?? (Number.isFinite(min) ? min : 1);
    failUsage(
      `${command}: --${name} takes ${kind}${range ? ` ${range}` : ''}: got ${text === '' ? 'nothing' : text}`,
      `For example --${name} ${example}.`,
    );
  }
  return value;
}

/** `from 1`, `up to 10`, `from 1 to 10`, or nothing. */
export function rangeText({ min, max }: { readonly min?: number; readonly max?: number }): string {
  return [min === undefined ? '' : `from ${min}`, max === undefined ? '' : `${min === undefined ? 'up ' : ''}to ${max}`]
    .filter((part) => part !== '')
    .join(' ');
}

/** What stands for the value in help and messages: N, DIR, x64|wasm. */
export function valueName(row: OptionRow): string {
  switch (row.type) {
    case 'integer':
      return 'N';
    case 'number':
      return 'X';
    case 'choice':
      return row.choices.join('|');
    case 'string':
      return row.value ?? 'TEXT';
    case 'boolean':
      return '';
  }
}
