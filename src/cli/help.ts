/** The help texts, made from the tables. */
import type { Command } from './command.js';
import { commonOptions, type OptionRow, rangeText, valueName } from './options.js';

type Line = readonly [left: string, right: string];

/** `kiln --help` */
export function programHelp(commands: readonly Command[]): string {
  return sections(
    ['kiln: deep learning in TypeScript, compiled', []],
    ['Usage', ['kiln COMMAND [options]']],
    ['Commands', commands.map(({ name, summary }) => [name, summary] as const)],
    [
      'Options',
      [
        ['-h, --help', 'Show this help; `kiln COMMAND --help` shows that of a command'],
        ['-V, --version', 'Print the version'],
      ],
    ],
    ['Start with', ['kiln train mnist']],
  );
}

/** `kiln train --help`: of a first word that several commands share. */
export function groupHelp(word: string, commands: readonly Command[]): string {
  return sections(
    [`kiln ${word}: ${commands.length} commands`, []],
    ['Usage', [`kiln ${word} ${groupChoice(word, commands).join('|')} [options]`]],
    ['Commands', commands.map(({ name, summary }) => [name, summary] as const)],
    ['Options', [['-h, --help', `Show this help; \`kiln ${commands[0]!.name} --help\` shows that of one`]]],
    ['Examples', commands.flatMap(({ examples }) => examples.slice(0, 1))],
  );
}

/** The second words of commands that share the first. */
export const groupChoice = (word: string, commands: readonly Command[]): string[] =>
  commands.filter(({ name }) => name.startsWith(`${word} `)).map(({ name }) => name.slice(word.length + 1));

/** `kiln COMMAND --help` */
export function commandHelp(command: Command): string {
  const { name, summary, options, examples } = command;
  const own: Line[] = options.map(optionLine);
  const common: Line[] = commonOptions.map(optionLine);
  return sections(
    [`kiln ${name}: ${summary}`, []],
    ['Usage', [['kiln', name, ...command.arguments.map(argumentText), '[options]'].join(' ')]],
    ...(command.arguments.length > 0
      ? [
          [
            'Arguments',
            command.arguments.map(({ name: left, help, choices }) => [left, help + choicesText(choices)] as const),
          ] as const,
        ]
      : []),
    ...(own.length > 0 ? [['Options', own] as const] : []),
    ['Options of all commands', [...common, ['-h, --help', 'Show this help']]],
    [examples.length > 1 ? 'Examples' : 'Example', examples],
  );
}

function argumentText({ name, isVariadic, unless }: Command['arguments'][number]): string {
  const text = isVariadic ? `${name}…` : name;
  return unless ? `[${text}]` : text;
}

const choicesText = (choices: readonly string[] | undefined): string => (choices ? `: ${choices.join(', ')}` : '');

function optionLine(row: OptionRow): Line {
  const value = valueName(row);
  const left = `${row.short ? `-${row.short}, ` : ''}--${row.name}${value ? ` ${value}` : ''}`;
  const range = row.type === 'integer' || row.type === 'number' ? rangeText(row) : '';
  const standard = 'default' in row && row.default !== undefined ? row.default : row.otherwise;
  const notes = [range, standard === undefined ? '' : `default ${standard}`].filter((note) => note !== '').join(', ');
  return [left, notes === '' ? row.help : `${row.help} (${notes})`];
}

/** Blocks under their titles, all left columns of equal width. */
function sections(...blocks: readonly (readonly [title: string, lines: readonly (Line | string)[]])[]): string {
  const pairs = blocks.flatMap(([, lines]) => lines.filter((line): line is Line => typeof line !== 'string'));
  const width = Math.max(...pairs.map(([left]) => left.length));
  const text = (line: Line | string): string =>
    typeof line === 'string' ? `  ${line}` : `  ${line[0].padEnd(width)}  ${line[1]}`;
  return `${blocks.map(([title, lines]) => [title, ...lines.map(text)].join('\n')).join('\n\n')}\n`;
}
