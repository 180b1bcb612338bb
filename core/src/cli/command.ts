import type { CoreOptions } from '../create-core.ts'
import type { Core } from '../kernel/core.ts'
import type { Product } from '../kernel/product.ts'

/** Options of a command line: those of a core except the configuration. */
export interface CommandLineOptions extends Omit<CoreOptions, 'config' | 'clock' | 'log'> {
  /** The application's own, beside the built-in ones. */
  commands?: readonly OwnCommand[]
}

/** The options as a command gets them. */
export interface CommandOptions extends Omit<CommandLineOptions, 'product' | 'commands'> {
  product: Product
}

/** One command of the command line. */
export interface Command {
  summary: string
  /** `cli` is what the command line is called. */
  help: (cli: string) => string
  options?: OptionSpecs
  /** How many arguments it takes beside options. Default: none. */
  operands?: number
  /** Resolves to the exit code once all is done, for a server once it has stopped. */
  run(values: Values, options: CommandOptions, operands: string[]): Promise<number>
}

/** Options by their names: `{ 'dry-run': { type: 'boolean' } }` is `--dry-run`. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>

export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  /** One letter: `-n`. */
  readonly short?: string
  /** May be given more than once; its value is then a list. */
  readonly multiple?: boolean
}

/** The options that were given; those that may be given more than once are lists. */
export type Values = Record<string, string | boolean | (string | boolean)[] | undefined>

type ValueOf<O extends OptionSpec> = O['type'] extends 'boolean' ? boolean : string

/** The parsed arguments of an own command. */
export interface CommandArguments<O extends OptionSpecs = OptionSpecs> {
  /** The options that were given, by name. */
  options: { readonly [N in keyof O]?: O[N] extends { multiple: true } ? ValueOf<O[N]>[] : ValueOf<O[N]> }
  /** What was given beside options, in order. */
  operands: readonly string[]
}

/** A command of an application, beside the built-in ones. */
export interface OwnCommand<O extends OptionSpecs = OptionSpecs> {
  /** One or two words of lower-case letters, digits and hyphens: `import-articles`, `articles import`. */
  readonly name: string
  /** One line for the list of commands: what it does, in the imperative. */
  readonly summary: string
  /** What `--help` says below the first line. Default: the summary. */
  readonly help?: string
  readonly options?: O
  /** How many arguments it takes at most beside options. Default: none. */
  readonly operands?: number
  /**
   * Gets a core on the configured database, or on the embedded one, which is started where it does not run; it neither
   * serves nor works on jobs, and is closed afterwards. The schema must be current. What happens in
   * `core.run(work, { tenantId })` is one transaction, by the system. Standard output is its own: the log goes to standard
   * error. Resolves to the exit code; nothing is 0. A `UsageError` ends in 2, any other error in 1.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a command may have nothing to say at its end
  run(core: Core, args: CommandArguments<O>): Promise<number | void>
}

/** Declares a command; list it in the `commands` of `runCommand`. The types of its options follow from their declaration. */
export function defineCommand<const O extends OptionSpecs = Record<never, never>>(command: OwnCommand<O>): OwnCommand {
  // The handler's own types follow from the options above; it is called with what was parsed by them.
  return Object.freeze(command) as unknown as OwnCommand
}

/** Writes a line for the person at the terminal. Returns the exit code of a command that only had this to say. */
export function say(text: string): 0 {
  process.stdout.write(`${text}\n`)
  return 0
}
