/** From argv to a command, its arguments and its checked options: the tables fill `commander`, whose complaints become ours. */
import { CommanderError, Option, Command as Parser } from 'commander';
import { nearest } from '../core/index.js';
import type { Command } from './command.js';
import { commandHelp, groupChoice, groupHelp, programHelp } from './help.js';
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
  const groups = new Map<string, Parser>();
  const parentOf = (word: string): Parser => {
    const known = groups.get(word);
    if (known) return known;
    const members = commands.filter(({ name }) => name.startsWith(`${word} `));
    const made = prepare(program.command(word), groupHelp(word, members));
    groups.set(word, made);
    return made;
  };
  for (const command of commands) {
    const [first, second] = command.name.split(' ') as [string, string?];
    const parent = second === undefined ? program : parentOf(first);
    const parser = prepare(parent.command(second ?? first), commandHelp(command));
    for (const { name, isVariadic, unless } of command.arguments) {
      const text = isVariadic ? `${name}...` : name;
      parser.argument(unless ? `[${text}]` : `<${text}>`);
    }
    for (const row of [...command.options, ...commonOptions]) parser.addOption(toOption(command, row));
    parser.action((...values: unknown[]) => {
      const texts = values
        .slice(0, command.arguments.length)
        .map((value) => (value === undefined ? [] : [value as string | string[]].flat()));
      const collected = collectOptions(parser);
      parsed = { kind: 'command', command, ...collected, arguments: checkArguments(command, texts, collected.given) };
    });
  }
  try {
    current = commands.find(({ name }) => name === argv[0] || name === argv.slice(0, 2).join(' '));
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

function checkArguments(
  command: Command,
  values: readonly (readonly string[])[],
  given: ReadonlySet<string>,
): readonly (readonly string[])[] {
  for (const [i, { name, choices, unless }] of command.arguments.entries()) {
    if (unless !== undefined && values[i]!.length === 0 && !given.has(unless)) failMissing(command, name);
    if (choices) for (const value of values[i]!) parseChoice(`kiln ${command.name}: ${name}`, choices, value);
  }
  return values;
}

const failMissing = ({ name, examples }: Command, argument: string): never =>
  failUsage(`kiln ${name}: ${argument} is missing`, `For example: ${examples[0]}`);

/** Says what commander found in Kiln's words. */
function explain(
  error: CommanderError,
  argv: readonly string[],
  current: Command | undefined,
  commands: readonly Command[],
): never {
  const [word = ''] = argv;
  const group = current ? [] : commands.filter(({ name }) => name.startsWith(`${word} `));
  if (group.length > 0) return explainGroup(error, word, group, argv);
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
      return failMissing(current!, culprit);
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

/** A first word that several commands share, without a second one that is theirs. */
function explainGroup(error: CommanderError, word: string, group: readonly Command[], argv: readonly string[]): never {
  const choices = groupChoice(word, group);
  const example = `For example: ${group[0]!.examples[0]}`;
  // fails: a known one would have been parsed
  if (error.code === 'commander.unknownCommand') parseChoice(`kiln ${word}`, choices, argv[1] ?? '');
  if (error.code === 'commander.unknownOption') {
    const flag = /'([^'=]*)/.exec(error.message)?.[1] ?? '';
    return failUsage(
      `kiln ${word}: ${flag} comes before ${choices.join(' or ')}`,
      `Options follow the command: kiln ${group[0]!.name} ${flag}.`,
    );
  }
  return failUsage(`kiln ${word}: takes ${choices.join(' or ')}: got nothing`, example);
}

function suggestCommand(name: string, commands: readonly Command[]): string {
  const names = [...new Set(commands.map((command) => command.name.split(' ')[0]!))];
  const likely = nearest(name, names);
  return likely ? `Did you mean ${likely}?` : `Commands: ${names.join(', ')}.`;
}

function suggestOption(flag: string, current: Command | undefined): string {
  const names = [...(current?.options ?? []), ...commonOptions].map(({ name }) => `--${name}`);
  if (!current && names.includes(flag)) return `Options follow the command: kiln COMMAND ${flag}.`;
  const likely = nearest(flag, [...names, '--help']);
  return likely ? `Did you mean ${likely}?` : `\`kiln${current ? ` ${current.name}` : ''} --help\` lists the options.`;
}
