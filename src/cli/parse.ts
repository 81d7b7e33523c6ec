/** From argv to a command, its arguments and its checked options: the tables fill `commander`, whose complaints become ours. */
import { CommanderError, Option, Command as Parser } from 'commander';
import { nearest } from '../core/index.js';
import type { Command } from './command.js';
import { commandHelp, programHelp } from './help.js';
import { type CommonOptions, commonOptions, type OptionRow, parseChoice, parseOption, valueName } from './options.js';
import { failUsage } from './usage-error.js';
import { version } from './version.js';

export type Parsed =
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly options: CommonOptions & Readonly<Record<string, unknown>>;
      readonly given: ReadonlySet<string>;
      readonly arguments: readonly (readonly string[])[];
    }
  /** Help or version: only to be printed. */
  | { readonly kind: 'text'; readonly text: string };

/** @throws UsageError whose message is what the person reads */
export function parseArguments(argv: readonly string[], commands: readonly Command[]): Parsed {
  if (argv.length === 0) return { kind: 'text', text: programHelp(commands) };
  let parsed: Parsed | undefined;
  let text = '';
  let current: Command | undefined;
  const prepare = (parser: Parser, help: string): Parser => {
    parser.exitOverride().configureOutput({ writeOut: (part) => void (text += part), writeErr: () => undefined });
    parser.helpInformation = () => help;
    return parser;
  };
  const program = prepare(new Parser('kiln'), programHelp(commands)).version(version);
  for (const command of commands) {
    const parser = prepare(program.command(command.name), commandHelp(command));
    for (const { name, isVariadic } of command.arguments) parser.argument(isVariadic ? `<${name}...>` : `<${name}>`);
    for (const row of [...command.options, ...commonOptions]) parser.addOption(toOption(command, row));
    parser.action((...values: unknown[]) => {
      const texts = values.slice(0, command.arguments.length).map((value) => [value as string | string[]].flat());
      parsed = { kind: 'command', command, ...collectOptions(parser), arguments: checkArguments(command, texts) };
    });
  }
  try {
    current = commands.find(({ name }) => name === argv[0]);
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) explain(error, argv, current, commands);
  }
  return parsed ?? { kind: 'text', text };
}

function toOption(command: Command, row: OptionRow): Option {
  const value = valueName(row);
  const flags = `${row.short ? `-${row.short}, ` : ''}--${row.name}${value ? ` <${value}>` : ''}`;
  const option = new Option(flags, row.help);
  if (row.type === 'boolean') return option.default(false);
  option.argParser((text) => parseOption(`kiln ${command.name}`, row, text));
  return row.default === undefined ? option : option.default(row.default);
}

function collectOptions(parser: Parser): Pick<Parsed & { kind: 'command' }, 'options' | 'given'> {
  const names = parser.options.map((option) => option.attributeName());
  const given = new Set(names.filter((name) => parser.getOptionValueSource(name) === 'cli'));
  // each value was checked by its row
  return { options: parser.opts() as CommonOptions & Record<string, unknown>, given };
}

function checkArguments(command: Command, values: readonly (readonly string[])[]): readonly (readonly string[])[] {
  for (const [i, { name, choices }] of command.arguments.entries()) {
    if (choices) for (const value of values[i]!) parseChoice(`kiln ${command.name}: ${name}`, choices, value);
  }
  return values;
}

/** Says what commander found in Kiln's words. */
function explain(
  error: CommanderError,
  argv: readonly string[],
  current: Command | undefined,
  commands: readonly Command[],
): never {
  const where = current ? `kiln ${current.name}` : 'kiln';
  // commander names the culprit in its text only: error: unknown option '--epoch'
  const culprit = /'([^']*)'/.exec(error.message)?.[1] ?? argv[0] ?? '';
  switch (error.code) {
    case 'commander.unknownCommand':
      return failUsage(`kiln: unknown command ${culprit}`, suggestCommand(culprit, commands));
    case 'commander.unknownOption': {
      const [name = culprit] = culprit.split('=');
      return failUsage(`${where}: unknown option ${name}`, suggestOption(name, current));
    }
    case 'commander.optionMissingArgument': {
      const [flag = culprit, value = 'VALUE'] = culprit.split(' ');
      const name = value.replace(/[<>]/g, '');
      return failUsage(`${where}: ${flag} has no value`, `Give it one: ${flag} ${name}.`);
    }
    case 'commander.missingArgument':
      return failUsage(`${where}: ${culprit} is missing`, `For example: ${current?.examples[0] ?? 'kiln --help'}`);
    case 'commander.excessArguments': {
      const takes = current?.arguments.length ?? 0;
      return failUsage(
        `${where}: takes ${takes} argument${takes === 1 ? '' : 's'}: got ${error.message.match(/got (\d+)/)?.[1] ?? 'more'}`,
        `For example: ${current?.examples[0] ?? 'kiln --help'}`,
      );
    }
    default:
      return failUsage(
        `${where}: ${error.message.replace(/^error: /, '')}`,
        `\`${where} --help\` shows what there is.`,
      );
  }
}

function suggestCommand(name: string, commands: readonly Command[]): string {
  const names = commands.map((command) => command.name);
  const likely = nearest(name, names);
  return likely ? `Did you mean ${likely}?` : `Commands: ${names.join(', ')}.`;
}

function suggestOption(flag: string, current: Command | undefined): string {
  const names = [...(current?.options ?? []), ...commonOptions].map(({ name }) => `--${name}`);
  if (!current && names.includes(flag)) return `Options follow the command: kiln COMMAND ${flag}.`;
  const likely = nearest(flag, [...names, '--help']);
  return likely ? `Did you mean ${likely}?` : `\`kiln${current ? ` ${current.name}` : ''} --help\` lists the options.`;
}
