/** What a command is: an entry of data, whose `run` loads its code when it is called. */
import type { ArgumentRow, CommonOptions, OptionRow, OptionValues } from './options.js';
import type { Printer } from './print.js';

export interface Context<Options = CommonOptions> {
  readonly options: Options;
  /** Names (in camel case) of the options that were typed, not filled in by default. */
  readonly given: ReadonlySet<string>;
  /** One list an argument: a variadic one has several values, the others one. */
  readonly arguments: readonly (readonly string[])[];
  readonly out: Printer;
  /** Aborts at the first Ctrl-C: end the step, save, return. */
  readonly signal: AbortSignal;
  /** Of Kiln. */
  readonly version: string;
}

export interface Command<Options = CommonOptions> {
  /** As it is typed; commands whose first of two words is the same belong together: `train mnist`, `train text`. */
  readonly name: string;
  /** A phrase that ends the sentence "kiln NAME: …". */
  readonly summary: string;
  readonly arguments: readonly ArgumentRow[];
  readonly options: readonly OptionRow[];
  /** Lines that can be pasted. */
  readonly examples: readonly string[];
  /** Returns what `--json` prints. */
  readonly run: (context: Context<Options>) => Promise<unknown>;
}

/** A command whose context has the types of its own rows and of the common ones. */
export function command<const Rows extends readonly OptionRow[]>(
  entry: Omit<Command, 'options' | 'run'> & {
    readonly options: Rows;
    readonly run: (context: Context<CommonOptions & OptionValues<Rows>>) => Promise<unknown>;
  },
): Command {
  // the parser fills exactly these rows in
  return { ...entry, run: (context) => entry.run(context as Context<CommonOptions & OptionValues<Rows>>) };
}
